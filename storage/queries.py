"""Reads for lists and charts: functions from a connection to the ports' rows. None writes."""

from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from app.ports import AnswerRow, AnswerStatus, Measurement, SpendPoint
from policies.types import Ceiling, Domain, Importance, PriceList, Units, Window
from storage.tables import (
    answers,
    budgets,
    decisions,
    ledger_entries,
    measurements,
    price_lists,
    ratings,
)


def answer_row(connection: Connection, pilot_id: str, answer_id: str) -> AnswerRow | None:
    found = connection.execute(_answers(pilot_id).where(answers.c.id == answer_id)).one_or_none()
    return None if found is None else _answer_row(found)


def latest_answers(connection: Connection, pilot_id: str, limit: int) -> list[AnswerRow]:
    """Newest first. Reads no bodies."""
    newest = _answers(pilot_id).order_by(answers.c.created_at.desc(), answers.c.id.desc())
    return [_answer_row(row) for row in connection.execute(newest.limit(limit))]


def all_ceilings(connection: Connection, pilot_id: str) -> list[Ceiling]:
    """The latest window of each: the pilot's own first, then teams, users and importances."""
    b = budgets.c
    latest = func.max(b.window_start).over(partition_by=(b.scope, b.subject, b.window))
    ranked = select(budgets, latest.label("latest")).where(b.pilot_id == pilot_id).subquery()
    found = connection.execute(
        select(ranked)
        .where(ranked.c.window_start == ranked.c.latest)
        .order_by(
            ranked.c.scope != "pilot",
            ranked.c.scope,
            ranked.c.subject,
            ranked.c.window != "whole",
            ranked.c.window,
        )
    )
    return [ceiling(row) for row in found]


def ceiling(row: Row[Any]) -> Ceiling:
    return Ceiling(
        scope=f"{row.scope}:{row.subject}" if row.subject else row.scope,
        limit_nanos=row.limit_nanos,
        committed_nanos=row.committed_nanos,
        held_nanos=row.held_nanos,
        currency=row.currency,
        window=Window(row.window),
        window_start=row.window_start,
    )


def all_prices(connection: Connection, pilot_id: str) -> list[PriceList]:
    found = connection.execute(
        select(price_lists)
        .where(price_lists.c.pilot_id == pilot_id)
        .order_by(price_lists.c.valid_from, price_lists.c.version)
    )
    return [price_list(row) for row in found]


def price_list(row: Row[Any]) -> PriceList:
    return PriceList(
        version=row.version,
        currency=row.currency,
        model=row.model,
        prompt_token_nanos=row.prompt_token_nanos,
        decode_token_nanos=row.decode_token_nanos,
        nfe_nanos=row.nfe_nanos,
        valid_from=row.valid_from,
    )


def latest_spend(connection: Connection, pilot_id: str, limit: int) -> list[SpendPoint]:
    """The latest charges, oldest first, in the order they were written."""
    newest = (
        select(
            ledger_entries.c.charged_at,
            ledger_entries.c.answer_id,
            ledger_entries.c.nanos,
            ledger_entries.c.importance,
        )
        .where(ledger_entries.c.pilot_id == pilot_id)
        .order_by(ledger_entries.c.id.desc())
        .limit(limit)
    )
    points = [
        SpendPoint(row.charged_at, row.answer_id, row.nanos, Importance(row.importance))
        for row in connection.execute(newest)
    ]
    return points[::-1]


def latest_measurements(
    connection: Connection, pilot_id: str, adapter_sha256: str
) -> list[Measurement]:
    """The newest of every (suite, budget, importance, domain)."""
    m = measurements.c
    newest_first = func.row_number().over(
        partition_by=(m.suite, m.budget, m.importance, m.domain),
        order_by=(m.measured_at.desc(), m.id.desc()),
    )
    ranked = (
        select(measurements, newest_first.label("age"))
        .where(m.pilot_id == pilot_id, m.adapter_sha256 == adapter_sha256)
        .subquery()
    )
    newest = (
        select(ranked)
        .where(ranked.c.age == 1)
        .order_by(ranked.c.suite, ranked.c.budget, ranked.c.importance, ranked.c.domain)
    )
    return [measurement(row) for row in connection.execute(newest)]


def _answers(pilot_id: str) -> Select[Any]:
    d = decisions.c
    return (
        select(
            answers,
            d.asked,
            d.granted,
            d.domain,
            d.solver,
            d.nfe_cap_per_token,
            d.quote_nanos,
            d.currency,
            d.policy_version,
            d.price_version,
            ratings.c.rating,
        )
        .join(decisions, d.answer_id == answers.c.id)
        .outerjoin(ratings, ratings.c.answer_id == answers.c.id)
        .where(answers.c.pilot_id == pilot_id)
    )


def _answer_row(row: Row[Any]) -> AnswerRow:
    return AnswerRow(
        id=row.id,
        user=row.user_name,
        team=row.team,
        asked=Importance(row.asked),
        granted=Importance(row.granted),
        domain=Domain(row.domain),
        status=AnswerStatus(row.status),
        solver=row.solver,
        nfe_cap_per_token=row.nfe_cap_per_token,
        nfe_per_token=row.nfe_per_token,
        units=units(row),
        quote_nanos=row.quote_nanos,
        cost_nanos=row.cost_nanos,
        currency=row.currency,
        policy_version=row.policy_version,
        price_version=row.price_version,
        adapter_sha256=row.adapter_sha256,
        seed=row.seed,
        changed_tokens=row.changed_tokens,
        device_seconds=row.device_seconds,
        rating=row.rating,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def units(row: Row[Any]) -> Units:
    return Units(row.prompt_tokens, row.decode_tokens, row.nfe)


def measurement(row: Row[Any]) -> Measurement:
    return Measurement(
        suite=row.suite,
        budget=row.budget,
        importance=None if row.importance is None else Importance(row.importance),
        domain=None if row.domain is None else Domain(row.domain),
        accuracy=row.accuracy,
        ci_low=row.ci_low,
        ci_high=row.ci_high,
        n=row.n,
        nfe_per_token=row.nfe_per_token,
        cost_nanos_per_answer=row.cost_nanos_per_answer,
        currency=row.currency,
        adapter_sha256=row.adapter_sha256,
        seed=row.seed,
        measured_at=row.measured_at,
        shipped=row.shipped,
    )
