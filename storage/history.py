"""What was asked and spent, for replays, expected prices and reconciliation; and calibrations."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from app.ports import AnswerStatus, Calibration, Logged, Measured, Measurement, Metered
from policies.types import Domain, Importance, Request, Rung, Solver, Units
from storage.policy_tables import calibrations
from storage.queries import measurement, units
from storage.tables import answer_bodies, answers, decisions, measurement_rows, measurements

BATCH = 1000
"""Rows brought at a time, whatever their number."""
WINDOW = 5000
"""Newest answers among which those like another are looked for."""
INSTANT = timedelta(microseconds=1)
OPEN = (AnswerStatus.RUNNING.value,)
WHOLE = tuple(
    status.value
    for status in (AnswerStatus.RELEASED, AnswerStatus.PENDING_REVIEW, AnswerStatus.REJECTED)
)
"""Written to their end; what was run for reviewers runs on rungs of its own."""


class SqlHistory:
    """app.ports.History of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def logged(self, since: datetime, until: datetime) -> Iterator[Logged]:
        a, d = answers.c, decisions.c
        query: Select[Any] = (
            select(
                a.id,
                a.user_name,
                a.team,
                a.status,
                a.prompt_tokens,
                a.decode_tokens,
                a.nfe,
                a.nfe_per_token,
                a.cost_nanos,
                a.created_at,
                a.finished_at,
                d.asked,
                d.granted,
                d.domain,
                d.role,
                d.rung,
                d.review,
                d.quote_prompt_tokens,
                d.quote_nanos,
                d.price_version,
                answer_bodies.c.question,
            )
            .join(decisions, d.answer_id == a.id)
            .join(answer_bodies, answer_bodies.c.answer_id == a.id)
            .where(
                a.pilot_id == self._pilot_id,
                a.created_at >= since,
                a.created_at < until,
                a.status.not_in((*OPEN, AnswerStatus.EVIDENCE.value)),  # nobody asked for evidence
            )
            .order_by(a.created_at, a.id)
            .execution_options(yield_per=BATCH)
        )
        for row in self._connection.execute(query):
            yield _logged(row)

    def newest(self, since: datetime, until: datetime, most: int) -> datetime:
        a = answers.c
        one_more = (
            select(a.created_at)
            .where(a.pilot_id == self._pilot_id, a.created_at >= since, a.created_at < until)
            .order_by(a.created_at.desc())
            .offset(most)
            .limit(1)
        )
        last_out = self._connection.execute(one_more).scalar_one_or_none()
        return since if last_out is None else last_out + INSTANT

    def like(self, rung: Rung, granted: Importance, limit: int) -> list[Units]:
        a, d = answers.c, decisions.c
        window = (  # or a rung that is new would look through every answer there ever was
            select(a.id)
            .where(a.pilot_id == self._pilot_id)
            .order_by(a.created_at.desc())
            .limit(WINDOW)
            .subquery()
        )
        latest: Select[Any] = (
            select(a.prompt_tokens, a.decode_tokens, a.nfe, d.rung)
            .join(decisions, d.answer_id == a.id)
            .where(
                a.id.in_(select(window.c.id)),
                a.status.in_(WHOLE),
                d.granted == granted.value,
                d.solver == rung.solver.value,
                d.nfe_cap_per_token == rung.max_nfe_per_token,
            )
            .order_by(a.created_at.desc(), a.id.desc())
            .limit(limit)
        )
        found = self._connection.execute(latest)
        return [units(row) for row in found if rung_of(row.rung) == rung]

    def metered(self, since: datetime, until: datetime) -> Metered | None:
        a = answers.c
        names = ("prompt_tokens", "decode_tokens", "nfe", "cost_nanos", "device_seconds")
        sums = (func.coalesce(func.sum(a[name]), 0).label(name) for name in names)
        query = (
            select(func.count(), func.max(decisions.c.currency), func.min(a.created_at), *sums)
            .join(decisions, decisions.c.answer_id == a.id)
            .where(
                a.pilot_id == self._pilot_id,
                a.finished_at >= since,
                a.finished_at < until,
                a.status.not_in((*OPEN, AnswerStatus.REFUSED.value)),
            )
        )
        number, currency, first_at, *found = self._connection.execute(query).one()
        if not number:
            return None
        prompt, decode, nfe, cost, seconds = found
        done = Units(int(prompt), int(decode), int(nfe))  # sums are Decimal on PostgreSQL
        return Metered(number, done, int(cost), float(seconds), currency, first_at)

    def measured(self, adapter_sha256: str) -> list[tuple[Measurement, list[Measured]]]:
        m = measurements.c
        newest = func.row_number().over(
            partition_by=(m.suite, m.budget, m.seed), order_by=(m.measured_at.desc(), m.id.desc())
        )
        ranked = (
            select(measurements, newest.label("age"))
            .where(
                m.pilot_id == self._pilot_id,
                m.adapter_sha256 == adapter_sha256,
                m.domain.is_(None),
                m.importance.is_(None),
            )
            .subquery()
        )
        query = select(ranked).where(ranked.c.age == 1).order_by(ranked.c.suite, ranked.c.budget)
        whole = self._connection.execute(query).all()
        asked = select(measurement_rows).where(
            measurement_rows.c.measurement_id.in_([row.id for row in whole])
        )
        of: dict[int, list[Measured]] = {row.id: [] for row in whole}
        for each in self._connection.execute(asked):
            of[each.measurement_id].append(_measured(each))
        return [(measurement(row), of[row.id]) for row in whole]

    def add_calibration(self, calibration: Calibration) -> None:
        values = asdict(calibration) | {"pilot_id": self._pilot_id}
        self._connection.execute(insert(calibrations).values(values))

    def calibration(self, model: str) -> Calibration | None:
        c = calibrations.c
        latest = (
            select(c.model, c.device, c.measured_at, c.record)
            .where(c.pilot_id == self._pilot_id, c.model == model)
            .order_by(c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(latest).one_or_none()
        return None if row is None else Calibration(**row._mapping)


def rung_of(stored: dict[str, Any]) -> Rung:
    """As a decision keeps it. A field that its release did not know is at its default."""
    return Rung(**stored | {"solver": Solver(stored["solver"])})


def _measured(row: Row[Any]) -> Measured:
    return Measured(row.question_id, Domain(row.domain), row.correct, units(row), row.cost_nanos)


def _logged(row: Row[Any]) -> Logged:
    request = Request(
        question=row.question,
        importance=Importance(row.asked),
        domain=Domain(row.domain),
        user=row.user_name,
        team=row.team,
        prompt_tokens=row.quote_prompt_tokens,
        role=row.role,
    )
    return Logged(
        answer_id=row.id,
        request=request,
        granted=Importance(row.granted),
        rung=rung_of(row.rung),
        approvals=row.review.get("approvals", 0),
        status=AnswerStatus(row.status),
        units=units(row),
        nfe_per_token=row.nfe_per_token,
        cost_nanos=row.cost_nanos,
        quote_nanos=row.quote_nanos,
        price_version=row.price_version,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
