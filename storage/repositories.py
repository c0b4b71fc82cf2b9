"""Answers, measurements, policies and prices. Money moves in ledger.py."""

import functools
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from app.ports import (
    AnswerRow,
    AnswerStatus,
    AnswerText,
    Earlier,
    Measured,
    Measurement,
    NewAnswer,
)
from policies.errors import KeyReused, NotFound
from policies.types import PriceList, Reason, Units
from storage import queries
from storage.dialect import keep, upsert
from storage.seals import Tally, seal
from storage.tables import (
    answer_bodies,
    answers,
    decisions,
    measurement_rows,
    measurements,
    policy_versions,
    price_lists,
    ratings,
    users,
)


def unit_values(units: Units, prefix: str = "") -> dict[str, int]:
    return {
        f"{prefix}prompt_tokens": units.prompt_tokens,
        f"{prefix}decode_tokens": units.decode_tokens,
        f"{prefix}nfe": units.nfe,
    }


_ADD_BODY, _ADD_DECISION = insert(answer_bodies), insert(decisions)


@functools.cache
def _new_answer(dialect: str) -> ReturningInsert[Any]:
    """Gives nothing back where the user's key has an answer. Made once: every request needs it."""
    key = [answers.c.pilot_id, answers.c.user_name, answers.c.idempotency_key]
    added = upsert(dialect, answers).on_conflict_do_nothing(index_elements=key)
    return added.returning(answers.c.id)


class SqlAnswers:
    """app.ports.Answers of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def add(self, answer: NewAnswer, status: AnswerStatus) -> None:
        """Raises KeyReused where the key has an answer. A refused one leaves its key free."""
        asker = {"pilot_id": self._pilot_id, "name": answer.request.user}
        keep(self._connection, users, asker | {"created_at": answer.created_at})
        refused = status is AnswerStatus.REFUSED
        row: dict[str, Any] = {
            "id": answer.id,
            "pilot_id": self._pilot_id,
            "user_name": answer.request.user,
            "team": answer.request.team,
            "status": status.value,
            "idempotency_key": None if refused else answer.idempotency_key,
            "request_sha256": answer.request_sha256,
            "seed": answer.seed,
            "model": asdict(answer.model),
            "adapter_sha256": answer.model.adapter_sha256,
            "created_at": answer.created_at,
            "finished_at": answer.created_at if refused else None,
        }
        added = self._connection.execute(_new_answer(self._connection.dialect.name), row)
        if added.first() is None:
            raise KeyReused("this idempotency key already has an answer")
        text = {"answer_id": answer.id, "pilot_id": self._pilot_id}
        text["question"] = answer.request.question
        self._connection.execute(_ADD_BODY, text)
        decision = self._decision(answer)
        decision["seal"] = seal(decisions, row | decision)
        self._connection.execute(_ADD_DECISION, decision)

    def find_key(self, user: str, idempotency_key: str) -> Earlier | None:
        found = self._connection.execute(
            select(answers.c.id, answers.c.request_sha256).where(
                answers.c.pilot_id == self._pilot_id,
                answers.c.user_name == user,
                answers.c.idempotency_key == idempotency_key,
            )
        ).one_or_none()
        return None if found is None else Earlier(found.id, found.request_sha256)

    def get(self, answer_id: str) -> AnswerRow:
        row = queries.answer_row(self._connection, self._pilot_id, answer_id)
        if row is None:
            raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
        return row

    def text(self, answer_id: str) -> AnswerText:
        body = answer_bodies.c
        found = self._body(answer_id, body.question, body.answer, body.corrected)
        if found.corrected is None:
            return AnswerText(found.question, found.answer)
        return AnswerText(found.question, found.corrected, found.answer)

    def question(self, answer_id: str) -> str:
        return str(self._body(answer_id, answer_bodies.c.question).question)

    def reasons(self, answer_id: str) -> tuple[Reason, ...]:
        query = select(decisions.c.reasons).where(
            decisions.c.pilot_id == self._pilot_id, decisions.c.answer_id == answer_id
        )
        found = self._connection.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
        return tuple(Reason(reason["code"], reason["values"]) for reason in found)

    def rate(self, answer_id: str, rating: int, now: datetime) -> None:
        self.get(answer_id)
        thumb = {"rating": rating, "rated_at": now}
        changed = update(ratings).where(ratings.c.answer_id == answer_id).values(thumb)
        if self._connection.execute(changed).rowcount == 0:
            first = {"answer_id": answer_id, "pilot_id": self._pilot_id} | thumb
            self._connection.execute(insert(ratings).values(first))

    def latest(self, limit: int) -> list[AnswerRow]:
        return queries.latest_answers(self._connection, self._pilot_id, limit)

    def _body(self, answer_id: str, *columns: Column[Any]) -> Row[Any]:
        this = (answer_bodies.c.pilot_id == self._pilot_id) & (
            answer_bodies.c.answer_id == answer_id
        )
        found = self._connection.execute(select(*columns).where(this)).one_or_none()
        if found is None:
            raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
        return found

    def _decision(self, answer: NewAnswer) -> dict[str, Any]:
        decision, rung = answer.decision, answer.decision.plan.rung
        return {
            "answer_id": answer.id,
            "pilot_id": self._pilot_id,
            "asked": decision.asked.value,
            "granted": decision.granted.value,
            "domain": decision.plan.domain.value,
            "solver": rung.solver.value,
            "nfe_cap_per_token": rung.max_nfe_per_token,
            "rung": asdict(rung),
            **unit_values(decision.quote.units, "quote_"),
            "quote_nanos": decision.quote.nanos,
            "currency": decision.quote.currency,
            "reasons": [{"code": r.code, "values": dict(r.values)} for r in decision.reasons],
            "role": answer.request.role,
            "limits": [asdict(limit) for limit in decision.limits],
            "review": asdict(decision.review),
            "at_ceiling": decision.at_ceiling.value,
            "policy_version": decision.policy_version,
            "price_version": decision.price_version,
        }


class SqlMeasurements:
    """app.ports.Measurements of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def add(self, measurement: Measurement, rows: Sequence[Measured]) -> None:
        values = {"pilot_id": self._pilot_id} | asdict(measurement)
        new_id = insert(measurements).values(values).returning(measurements.c.id)
        measurement_id = self._connection.execute(new_id).scalar_one()
        if rows:
            self._connection.execute(
                insert(measurement_rows), [self._row(measurement_id, row) for row in rows]
            )

    def latest(self, adapter_sha256: str) -> list[Measurement]:
        return queries.latest_measurements(self._connection, self._pilot_id, adapter_sha256)

    def _row(self, measurement_id: int, row: Measured) -> dict[str, Any]:
        return {
            "measurement_id": measurement_id,
            "pilot_id": self._pilot_id,
            "question_id": row.question_id,
            "domain": row.domain.value,
            "correct": row.correct,
            **unit_values(row.units),
            "cost_nanos": row.cost_nanos,
        }


def keep_policy(
    connection: Connection, pilot_id: str, version: str, name: str, text: str, now: datetime
) -> None:
    document = {"version": version, "name": name, "text": text}
    row = {"pilot_id": pilot_id, "created_at": now} | document
    keep_sealed(connection, policy_versions, row)


def keep_prices(connection: Connection, pilot_id: str, prices: PriceList, now: datetime) -> None:
    row = {"pilot_id": pilot_id, "created_at": now} | asdict(prices)
    keep_sealed(connection, price_lists, row)


def keep_sealed(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert the row with its seal unless one with the same key is there."""
    mark = seal(table, row)
    kept = upsert(connection.dialect.name, table).on_conflict_do_nothing()
    added = kept.values(row | {"seal": mark}).returning(table.c.seal)
    if connection.execute(added).first() is not None:
        Tally(connection, row["pilot_id"], table).move(added=[mark])
