"""Reads for lists and charts: functions from a connection to the ports' rows. None writes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, String, func, select, type_coerce

from app.ports import AnswerRow, AnswerStatus, Measurement, OpenHold, SpendPoint
from policies.budget import effective
from policies.types import Ceiling, Domain, Importance, PriceList, Review, Units, Window
from storage.ledger_tables import budget_raises, budgets, holds, is_open, ledger_entries
from storage.tables import answers, decisions, measurements, price_lists, ratings


def answer_row(connection: Connection, pilot_id: str, answer_id: str) -> AnswerRow | None:
    found = connection.execute(_answers(pilot_id).where(answers.c.id == answer_id)).one_or_none()
    return None if found is None else _answer_row(found)


def latest_answers(connection: Connection, pilot_id: str, limit: int) -> list[AnswerRow]:
    """Newest first. Reads no bodies."""
    newest = _answers(pilot_id).order_by(answers.c.created_at.desc(), answers.c.id.desc())
    return [_answer_row(row) for row in connection.execute(newest.limit(limit))]


def answers_where(
    connection: Connection, pilot_id: str, wanted: ColumnElement[bool], limit: int
) -> list[AnswerRow]:
    """Those of them that are wanted, newest first. Reads no bodies."""
    newest = _answers(pilot_id).where(wanted)
    newest = newest.order_by(answers.c.created_at.desc(), answers.c.id.desc())
    return [_answer_row(row) for row in connection.execute(newest.limit(limit))]


def all_ceilings(connection: Connection, pilot_id: str) -> list[Ceiling]:
    """The latest window of each: the pilot's own first, then teams, users and importances."""
    return [ceiling(row) for row in _latest_windows(connection, pilot_id)]


def ceilings_at(connection: Connection, pilot_id: str, now: datetime) -> list[Ceiling]:
    """The same with the raises that count now, also those that no request has met yet."""
    r = budget_raises.c
    granted = select(r.scope, r.subject, r.window, func.sum(r.nanos).label("nanos")).where(
        r.pilot_id == pilot_id, r.state == "granted", r.expires_at > now
    )
    raised = {
        (row.scope, row.subject, row.window): int(row.nanos)
        for row in connection.execute(granted.group_by(r.scope, r.subject, r.window))
    }
    return [
        replace(ceiling(row), limit_nanos=_limit(row, raised.get(_account(row), 0)))
        for row in _latest_windows(connection, pilot_id)
    ]


def _account(row: Row[Any]) -> tuple[str, str, str]:
    return row.scope, row.subject, row.window


def _limit(row: Row[Any], raised: int) -> int:
    """What the next request would find in force; never below what is spent and held."""
    limit = effective(row.standing_nanos, row.policy_nanos, raised)
    used: int = row.committed_nanos + row.held_nanos
    return max(row.limit_nanos if limit is None else limit, used)


def _latest_windows(connection: Connection, pilot_id: str) -> Sequence[Row[Any]]:
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
    return found.all()


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


def open_holds(connection: Connection, pilot_id: str, limit: int) -> list[OpenHold]:
    """Oldest first; whose money it is stands with the answer."""
    h = holds.c
    found = connection.execute(
        select(
            holds, answers.c.user_name, answers.c.team, decisions.c.granted, decisions.c.currency
        )
        .join(answers, answers.c.id == h.answer_id)
        .join(decisions, decisions.c.answer_id == h.answer_id)
        .where(is_open, h.pilot_id == pilot_id)
        .order_by(h.created_at, h.id)
        .limit(limit)
    )
    return [
        OpenHold(
            answer_id=row.answer_id,
            user=row.user_name,
            team=row.team,
            importance=Importance(row.granted),
            nanos=row.nanos,
            currency=row.currency,
            done=units(row),
            since=row.created_at,
            expires_at=row.expires_at,
        )
        for row in found
    ]


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
            d.review,
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
        review=review_of(row.review),
    )


def review_of(stored: dict[str, Any]) -> Review:
    """As a decision keeps it; of a release that knew none, nobody."""
    reviewers = tuple(stored.get("reviewers", ()))
    return Review(stored.get("approvals", 0), reviewers, stored.get("due_hours"))


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


def day_of_instant(connection: Connection, instant: ColumnElement[Any]) -> ColumnElement[str]:
    """In UTC, as 2026-11-24."""
    return part_of_instant(connection, instant, 10, "YYYY-MM-DD")


def part_of_instant(
    connection: Connection, instant: ColumnElement[Any], letters: int, form: str
) -> ColumnElement[str]:
    """The first letters of an instant in UTC; `form` says the same to PostgreSQL."""
    if connection.dialect.name == "sqlite":
        return func.substr(type_coerce(instant, String), 1, letters)
    return func.to_char(func.timezone("UTC", instant), form)
