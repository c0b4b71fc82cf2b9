"""More room for a while: asked for by one person, granted by another, gone when it expires."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.ports import BudgetRaise, RaiseState
from policies.budget import parse_scope
from policies.errors import InvalidInput, NotFound
from policies.types import Window
from storage.counters import scope_of
from storage.ledger_tables import budget_raises
from storage.types import MAX_NANOS


class SqlRaises:
    """app.ports.Raises of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def ask(self, wanted: BudgetRaise) -> None:
        kind, subject = parse_scope(wanted.scope)
        if wanted.window is Window.REQUEST:
            raise InvalidInput(
                "a raise is for a day, a month or the whole pilot, not one request",
                reason="raise_window",
            )
        if not 0 < wanted.nanos <= MAX_NANOS:
            raise InvalidInput(
                f"a raise is from 1 to {MAX_NANOS} nanos, got {wanted.nanos}", reason="raise_amount"
            )
        if wanted.expires_at <= wanted.asked_at:
            raise InvalidInput("a raise must expire after it was asked for")
        if not wanted.reason.strip():
            raise InvalidInput("a raise needs a reason", reason="raise_reason")
        self._connection.execute(
            insert(budget_raises).values(
                id=wanted.id,
                pilot_id=self._pilot_id,
                scope=kind,
                subject=subject,
                window=wanted.window.value,
                nanos=wanted.nanos,
                reason=wanted.reason,
                state=RaiseState.ASKED.value,
                asked_by=wanted.asked_by,
                asked_at=wanted.asked_at,
                expires_at=wanted.expires_at,
            )
        )

    def decide(self, raise_id: str, granted: bool, by: str, now: datetime) -> BudgetRaise:
        r = budget_raises.c
        state = RaiseState.GRANTED if granted else RaiseState.DECLINED
        decided = (
            update(budget_raises)
            .where(r.pilot_id == self._pilot_id, r.id == raise_id)
            .where(r.state == RaiseState.ASKED.value, r.asked_by != by, r.expires_at > now)
            .values(state=state.value, decided_by=by, decided_at=now)
            .returning(budget_raises)
        )
        row = self._connection.execute(decided).one_or_none()
        if row is None:
            raise self._undecidable(raise_id, by)
        return _raise(row)

    def latest(self, limit: int) -> list[BudgetRaise]:
        r = budget_raises.c
        newest = select(budget_raises).where(r.pilot_id == self._pilot_id)
        newest = newest.order_by(r.asked_at.desc(), r.id.desc()).limit(limit)
        return [_raise(row) for row in self._connection.execute(newest)]

    def _undecidable(self, raise_id: str, by: str) -> InvalidInput | NotFound:
        r = budget_raises.c
        this = select(budget_raises).where(r.pilot_id == self._pilot_id, r.id == raise_id)
        row = self._connection.execute(this).one_or_none()
        if row is None:
            return NotFound(f"nobody asked for a raise {raise_id}")
        if row.state != RaiseState.ASKED.value:
            return InvalidInput(
                f"the raise {raise_id} was {row.state} by {row.decided_by} already",
                reason="raise_decided",
                by=row.decided_by,
            )
        if row.asked_by == by:
            return InvalidInput(
                f"{by} asked for the raise {raise_id}; another person must decide",
                reason="raise_own",
            )
        return InvalidInput(
            f"the raise {raise_id} expired; ask again with a later date", reason="raise_expired"
        )


def _raise(row: Row[Any]) -> BudgetRaise:
    return BudgetRaise(
        id=row.id,
        scope=scope_of(row),
        window=Window(row.window),
        nanos=row.nanos,
        reason=row.reason,
        state=RaiseState(row.state),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        expires_at=row.expires_at,
    )
