"""Reads for charts and lists of any size: sums from the rollups, single answers from the newest."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    select,
)

from app.ports import AnswerRow, AnswerStatus
from app.ports.board import (
    Audited,
    Busy,
    By,
    Found,
    Month,
    ReviewLevel,
    Sampled,
    Spend,
)
from app.ports.slice import Slice
from policies.review import ItemKind, ItemState, OutcomeKind
from policies.types import Domain, Importance, Units
from storage import queries
from storage.ledger_tables import budgets, ledger_entries, spend_days
from storage.own_questions import HIDDEN, own_questions
from storage.review_levels import review_levels
from storage.review_tables import review_items
from storage.tables import (
    answers,
    comparison_votes,
    decisions,
    measurements,
    ratings,
)
from storage.votes import SqlVotes

COLUMNS = {
    By.TEAM: spend_days.c.team,
    By.USER: spend_days.c.user_name,
    By.DOMAIN: spend_days.c.domain,
    By.IMPORTANCE: spend_days.c.importance,
}


class SqlBoard:
    """app.ports.board.Board of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id
        self.votes = SqlVotes(connection, pilot_id)

    def pulse(self) -> str:
        """A rating alone does not show in it: it follows its answer within moments."""
        marks = (
            select(func.max(ledger_entries.c.id)).where(self._mine(ledger_entries)),
            select(func.sum(budgets.c.held_nanos)).where(self._mine(budgets)),
            select(func.sum(budgets.c.limit_nanos)).where(self._mine(budgets)),
            select(func.max(measurements.c.id)).where(self._mine(measurements)),
            select(func.max(comparison_votes.c.id)).where(self._mine(comparison_votes)),
        )
        found = self._connection.execute(select(*(mark.scalar_subquery() for mark in marks)))
        return " ".join(str(value) for value in found.one())

    def days(self, chosen: Slice) -> list[Spend]:
        return self._spend(chosen, spend_days.c.day, spend_days.c.day.asc(), None)

    def totals(self, chosen: Slice, by: By, limit: int) -> list[Spend]:
        paid = func.sum(spend_days.c.charged_nanos - spend_days.c.refunded_nanos)
        return self._spend(chosen, COLUMNS[by], paid.desc(), limit)

    def names(self) -> tuple[list[str], list[str]]:
        s = spend_days.c
        pairs = select(s.team, s.user_name).where(self._mine(spend_days)).distinct()
        found = self._connection.execute(pairs).all()
        return sorted({row.team for row in found}), sorted({row.user_name for row in found})

    def sample(self, chosen: Slice, limit: int) -> list[Sampled]:
        a, d = answers.c, decisions.c
        query: Select[Any] = (
            select(
                d.granted,
                d.domain,
                d.nfe_cap_per_token,
                d.rung,
                a.prompt_tokens,
                a.decode_tokens,
                a.nfe,
                a.nfe_per_token,
                a.device_seconds,
                a.created_at,
                a.finished_at,
                a.status,
                ratings.c.rating,
            )
            .join(decisions, d.answer_id == a.id)
            .outerjoin(ratings, ratings.c.answer_id == a.id)
            .where(a.id.in_(self._newest(limit, chosen.user)), *self._chosen(chosen))
            .order_by(a.created_at.desc())
        )
        return [
            Sampled(
                granted=Importance(row.granted),
                domain=Domain(row.domain),
                cap=row.nfe_cap_per_token,
                grid=row.nfe_per_token,
                candidates=row.rung.get("candidates", 1),
                units=queries.units(row),
                device_seconds=row.device_seconds,
                seconds=row.finished_at and (row.finished_at - row.created_at).total_seconds(),
                status=AnswerStatus(row.status),
                rating=row.rating,
            )
            for row in self._connection.execute(query)
        ]

    def busy(self, since: datetime) -> list[Busy]:
        hour = self._hour(answers.c.created_at).label("hour")
        seconds = func.sum(answers.c.device_seconds).label("seconds")
        query = (
            select(hour, seconds, func.count().label("n"))
            .where(self._mine(answers), answers.c.created_at >= since)
            .group_by(hour)
            .order_by(hour)
        )
        return [
            Busy(datetime.strptime(row.hour, "%Y-%m-%d %H").replace(tzinfo=UTC), row.seconds, row.n)
            for row in self._connection.execute(query)
        ]

    def latest(self, chosen: Slice, cap: int | None, window: int, limit: int) -> list[AnswerRow]:
        rung = () if cap is None else (decisions.c.nfe_cap_per_token == cap,)
        newest = answers.c.id.in_(self._newest(window, chosen.user))
        wanted = and_(newest, *self._chosen(chosen), *rung)
        return queries.answers_where(self._connection, self._pilot_id, wanted, limit)

    def months(self) -> list[Month]:
        s = spend_days.c
        month = func.substr(s.day, 1, 7).label("month")
        keys = (month, s.team, s.importance)
        paid = func.sum(s.charged_nanos - s.refunded_nanos).label("nanos")
        query = (
            select(*keys, func.sum(s.answers).label("answers"), paid)
            .where(self._mine(spend_days))
            .group_by(*keys)
            .order_by(month, s.team)
        )
        return [
            Month(row.month, row.team, Importance(row.importance), int(row.answers), int(row.nanos))
            for row in self._connection.execute(query)
        ]

    def audited(self) -> Audited:
        i = review_items.c
        harmful = i.outcome.in_((OutcomeKind.CORRECTED.value, OutcomeKind.REJECTED.value))
        query = select(func.count(), func.coalesce(func.sum(case((harmful, 1), else_=0)), 0)).where(
            self._mine(review_items),
            i.kind == ItemKind.AUDIT.value,
            i.state == ItemState.DECIDED.value,
        )
        decided, found = self._connection.execute(query).one()
        return Audited(decided, int(found))

    def levels(self, now: datetime, window: int) -> list[ReviewLevel]:
        return review_levels(self._connection, self._pilot_id, now, window)

    def search(self, user: str, words: str, limit: int) -> list[Found]:
        return own_questions(self._connection, self._pilot_id, user, words, limit)

    def _spend(
        self,
        chosen: Slice,
        column: ColumnElement[str],
        order: ColumnElement[Any],
        limit: int | None,
    ) -> list[Spend]:
        s = spend_days.c
        names = ("answers", "prompt_tokens", "decode_tokens", "nfe", "charged_nanos")
        sums = [func.sum(s[name]).label(name) for name in (*names, "refunded_nanos")]
        query = (
            select(column.label("name"), *sums)
            .where(self._mine(spend_days), *_restricted(chosen))
            .group_by(column)
            .order_by(order, column)
            .limit(limit)
        )
        return [
            Spend(  # sums are Decimal on PostgreSQL
                name=row.name,
                answers=int(row.answers),
                units=Units(int(row.prompt_tokens), int(row.decode_tokens), int(row.nfe)),
                nanos=int(row.charged_nanos) - int(row.refunded_nanos),
            )
            for row in self._connection.execute(query)
        ]

    def _newest(self, limit: int, user: str) -> Select[Any]:
        """Of everybody or of one; by an index of instants, so that how many there are is the same.

        Of a team or a domain they are those among everybody's newest.
        """
        theirs = (answers.c.user_name == user,) if user else ()
        newest = (
            select(answers.c.id)
            .where(self._mine(answers), *theirs)
            .order_by(answers.c.created_at.desc())
            .limit(limit)
        )
        return select(newest.subquery().c.id)

    def _chosen(self, chosen: Slice) -> list[ColumnElement[bool]]:
        a, d = answers.c, decisions.c
        wanted: list[ColumnElement[bool]] = [a.status.not_in(HIDDEN)]
        if chosen.first_day:
            wanted.append(self._day(a.created_at) >= chosen.first_day)
        if chosen.last_day:
            wanted.append(self._day(a.created_at) <= chosen.last_day)
        pairs = (
            (a.team, chosen.team),
            (a.user_name, chosen.user),
            (d.granted, chosen.importance),
            (d.domain, chosen.domain),
        )
        return wanted + [column == str(value) for column, value in pairs if value]

    def _mine(self, table: Any) -> ColumnElement[bool]:
        owned: ColumnElement[bool] = table.c.pilot_id == self._pilot_id
        return owned

    def _hour(self, instant: ColumnElement[Any]) -> ColumnElement[str]:
        return queries.part_of_instant(self._connection, instant, 13, "YYYY-MM-DD HH24")

    def _day(self, instant: ColumnElement[Any]) -> ColumnElement[str]:
        """In UTC: which of the newest answers belong to a day is not counted in money."""
        return queries.day_of_instant(self._connection, instant)


def _restricted(chosen: Slice) -> list[ColumnElement[bool]]:
    s = spend_days.c
    wanted: list[ColumnElement[bool]] = []
    if chosen.first_day:
        wanted.append(s.day >= chosen.first_day)
    if chosen.last_day:
        wanted.append(s.day <= chosen.last_day)
    pairs = (
        (s.team, chosen.team),
        (s.user_name, chosen.user),
        (s.importance, chosen.importance),
        (s.domain, chosen.domain),
    )
    return wanted + [column == str(value) for column, value in pairs if value]
