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
from storage.seals import Tally, seal
from storage.types import MAX_NANOS


class SqlRaises:
    """app.ports.Raises of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id
        self._tally = Tally(connection, pilot_id, budget_raises)

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
        row = {
            "id": wanted.id,
            "pilot_id": self._pilot_id,
            "scope": kind,
            "subject": subject,
            "window": wanted.window.value,
            "nanos": wanted.nanos,
            "reason": wanted.reason,
            "state": RaiseState.ASKED.value,
            "asked_by": wanted.asked_by,
            "asked_at": wanted.asked_at,
            "decided_by": None,
            "decided_at": None,
            "expires_at": wanted.expires_at,
        }
        mark = seal(budget_raises, row)
        self._connection.execute(insert(budget_raises).values(row | {"seal": mark}))
        self._tally.move(added=[mark])

    def decide(self, raise_id: str, granted: bool, by: str, now: datetime) -> BudgetRaise:
        r = budget_raises.c
        state = RaiseState.GRANTED if granted else RaiseState.DECLINED
        this = (r.pilot_id == self._pilot_id) & (r.id == raise_id)
        before = self._connection.execute(select(budget_raises).where(this)).one_or_none()
        if before is None:
            raise NotFound(f"nobody asked for a raise {raise_id}")
        values: dict[str, Any] = {"state": state.value, "decided_by": by, "decided_at": now}
        values["seal"] = seal(budget_raises, {**before._mapping, **values})
        decided = (
            update(budget_raises)
            .where(this)
            .where(r.state == RaiseState.ASKED.value, r.asked_by != by, r.expires_at > now)
            .values(values)
            .returning(budget_raises)
        )
        row = self._connection.execute(decided).one_or_none()
        if row is None:
            raise _undecidable(before, by)
        self._tally.move(added=[row.seal], removed=[before.seal])
        return _raise(row)

    def latest(self, limit: int) -> list[BudgetRaise]:
        r = budget_raises.c
        newest = select(budget_raises).where(r.pilot_id == self._pilot_id)
        newest = newest.order_by(r.asked_at.desc(), r.id.desc()).limit(limit)
        return [_raise(row) for row in self._connection.execute(newest)]


def _undecidable(row: Row[Any], by: str) -> InvalidInput:
    if row.state != RaiseState.ASKED.value:
        return InvalidInput(
            f"the raise {row.id} was {row.state} by {row.decided_by} already",
            reason="raise_decided",
            by=row.decided_by,
        )
    if row.asked_by == by:
        return InvalidInput(
            f"{by} asked for the raise {row.id}; another person must decide",
            reason="raise_own",
        )
    return InvalidInput(
        f"the raise {row.id} expired; ask again with a later date", reason="raise_expired"
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
