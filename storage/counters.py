"""Counters of every scope and window, and the limits over them. Rows change by conditional updates.

A counter is a view that is kept: opened later, it starts from what its scope spent and holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, tuple_, update

from policies.budget import Account, Payer, effective, parse_scope, starts
from policies.errors import Unavailable
from policies.types import Ceiling, Limit, Window
from storage.ledger_tables import budget_raises, budgets
from storage.openings import open_holds, spent
from storage.seals import Tally, seal
from storage.types import MAX_NANOS

# Made once, since every request needs them. Values come with each execution.
_B, _R = budgets.c, budget_raises.c
_THESE = (
    (_B.pilot_id == bindparam("pilot"))
    & tuple_(_B.scope, _B.subject).in_(bindparam("scopes", expanding=True))
    & tuple_(_B.window, _B.window_start).in_(bindparam("windows", expanding=True))
)
_ROWS = select(budgets).where(_THESE)
_RAISED = select(_R.scope, _R.subject, _R.window, _R.nanos).where(
    _R.pilot_id == bindparam("pilot"),
    _R.state == "granted",
    _R.expires_at > bindparam("now"),
    tuple_(_R.scope, _R.subject).in_(bindparam("scopes", expanding=True)),
)
_LIMIT = update(budgets).where(_B.id == bindparam("row"))
_HOLD = (
    update(budgets)
    .where(
        _B.id.in_(bindparam("rows", expanding=True)),
        _B.limit_nanos - _B.committed_nanos - _B.held_nanos >= bindparam("more"),
    )
    .values(held_nanos=_B.held_nanos + bindparam("more"))
)
_CHARGE = (
    update(budgets)
    .where(_THESE)
    .values(
        held_nanos=_B.held_nanos - bindparam("held"),
        committed_nanos=_B.committed_nanos + bindparam("spent"),
    )
    .returning(budgets)
)
_REFUND = update(budgets).where(_THESE).values(refunded_nanos=_B.refunded_nanos + bindparam("back"))

LIMITS = ("standing_nanos", "policy_nanos", "limit_nanos")
COUNTS = ("committed_nanos", "refunded_nanos", "held_nanos")


@dataclass(frozen=True, slots=True)
class Counter:
    """One account as it stands: its row, or what its row would be."""

    account: Account
    row_id: int | None
    standing_nanos: int | None
    policy_nanos: int | None
    limit_nanos: int
    committed_nanos: int
    refunded_nanos: int
    held_nanos: int
    currency: str
    seal: str = ""
    """Of its row, over its limits."""
    changed: bool = False
    """Its limits are not what the row says."""

    def ceiling(self) -> Ceiling:
        return Ceiling(
            scope=self.account.scope,
            limit_nanos=self.limit_nanos,
            committed_nanos=self.committed_nanos,
            held_nanos=self.held_nanos,
            currency=self.currency,
            window=self.account.window,
            window_start=self.account.start,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where some payers stand: their ceilings, and rows that are ceilings no longer."""

    counters: list[Counter]
    stale: list[Counter]


class Counters:
    """The counters of one pilot, inside the caller's transaction."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id
        self._tally = Tally(connection, pilot_id, budgets)

    def under(
        self,
        payers: Sequence[Payer],
        limits: Sequence[Limit],
        day: str,
        now: datetime,
        currency: str,
    ) -> Standing:
        """Every ceiling these payers count under on that day. Reads only.

        Limits are those of the policy they ask under: one it names no longer is no ceiling.
        """
        named = _named(limits, day)
        rows = {_account(row): row for row in self._rows(payers, day)}
        raised = self._raised(payers, now)
        counters: list[Counter] = []
        stale: list[Counter] = []
        for account in sorted({*rows, *named}):
            before = self._counter(rows.get(account), account, currency)
            more = raised.get((account.scope, account.window), 0)
            limit = effective(before.standing_nanos, named.get(account), more)
            if limit is not None:
                counters.append(_limited(before, named.get(account), limit))
            elif before.row_id is not None:
                stale.append(before)
        return Standing(counters, stale)

    def whole(self, scope: str, currency: str) -> Counter:
        """The scope over the whole pilot; in its own currency where it has a row."""
        account = Account(scope, Window.WHOLE, "")
        kind, subject = parse_scope(scope)
        named = {"pilot_id": self._pilot_id, "scope": kind, "subject": subject}
        named |= {"window": account.window.value, "window_start": account.start}
        these = [budgets.c[name] == value for name, value in named.items()]
        row = self._connection.execute(select(budgets).where(*these)).one_or_none()
        return self._counter(row, account, currency)

    def stand(self, counter: Counter, nanos: int) -> None:
        """Set a limit by hand. Granted raises come on top when the next request asks."""
        limit = effective(nanos, counter.policy_nanos, 0)
        assert limit is not None
        limited = _limited(counter, counter.policy_nanos, limit)
        self._write([replace(limited, standing_nanos=nanos, changed=True)])

    def enforce(self, standing: Standing) -> list[int]:
        """Write what changed, forget what is no ceiling any more; the rows' numbers."""
        if standing.stale:
            rows = [counter.row_id for counter in standing.stale]
            self._connection.execute(delete(budgets).where(budgets.c.id.in_(rows)))
            self._tally.move(removed=[counter.seal for counter in standing.stale])
        return self._write(standing.counters)

    def _write(self, counters: Iterable[Counter]) -> list[int]:
        """Open those without a row, change the limits of those that changed; the rows' numbers."""
        ids, added, removed = [], [], []
        for counter in counters:
            if counter.row_id is None:
                added.append(mark := self._seal(counter))
                ids.append(self._open(counter, mark))
                continue
            ids.append(counter.row_id)
            if counter.changed:
                added.append(mark := self._seal(counter))
                removed.append(counter.seal)
                limits = {name: getattr(counter, name) for name in LIMITS} | {"seal": mark}
                self._connection.execute(_LIMIT, {"row": counter.row_id} | limits)
        self._tally.move(added, removed)
        return ids

    def hold(self, amounts: Mapping[int, int]) -> None:
        """Hold an amount under each row; all of them were seen to have room.

        Only who writes without the pilot's lock can have taken it since: raises Unavailable.
        """
        for nanos in set(amounts.values()):
            rows = [row for row, amount in amounts.items() if amount == nanos]
            held = self._connection.execute(_HOLD, {"rows": rows, "more": nanos})
            if held.rowcount != len(rows):
                raise Unavailable("another writer changed a ceiling; try again in a moment")

    def charge(self, payer: Payer, day: str, held: int, nanos: int) -> list[Counter]:
        """Turn what was held into what was spent, under every account of the payer that day."""
        amounts = {"held": held, "spent": nanos}
        changed = self._connection.execute(_CHARGE, self._accounts([payer], day) | amounts)
        return [counter_of(row) for row in changed]

    def refund(self, payer: Payer, day: str, nanos: int) -> None:
        """Counted beside, never taken off what is committed: a refund reopens no ceiling."""
        self._connection.execute(_REFUND, self._accounts([payer], day) | {"back": nanos})

    def add(self, payer: Payer, day: str, nanos: int) -> tuple[list[Counter], bool]:
        """Spend that nobody held before: only where every ceiling has room; whether it had.

        The counters as they are then.
        """
        standing = [counter_of(row) for row in self._rows([payer], day)]
        if not fit(standing, [nanos] * len(standing)):
            return standing, False
        self.hold({one.row_id: nanos for one in standing if one.row_id is not None})
        return self.charge(payer, day, nanos, nanos), True

    def _accounts(self, payers: Sequence[Payer], day: str) -> dict[str, Any]:
        """The values of `_THESE`."""
        windows = [(window.value, start) for window, start in starts(day).items()]
        return {"pilot": self._pilot_id, "scopes": _scopes(payers), "windows": windows}

    def _rows(self, payers: Sequence[Payer], day: str) -> Sequence[Row[Any]]:
        return self._connection.execute(_ROWS, self._accounts(payers, day)).all()

    def _raised(self, payers: Sequence[Payer], now: datetime) -> dict[tuple[str, Window], int]:
        values = {"pilot": self._pilot_id, "scopes": _scopes(payers), "now": now}
        raised: dict[tuple[str, Window], int] = {}
        for row in self._connection.execute(_RAISED, values):
            key = (scope_of(row), Window(row.window))
            raised[key] = raised.get(key, 0) + row.nanos
        return raised

    def _counter(self, row: Row[Any] | None, account: Account, currency: str) -> Counter:
        if row is not None:
            return counter_of(row)
        charged, refunded = spent(self._connection, self._pilot_id, account)
        held = open_holds(self._connection, self._pilot_id, account)
        return Counter(account, None, None, None, 0, charged, refunded, held, currency)

    def _open(self, counter: Counter, mark: str) -> int:
        counts = {name: getattr(counter, name) for name in COUNTS}
        row = insert(budgets).values(self._limits(counter) | counts | {"seal": mark})
        return int(self._connection.execute(row.returning(budgets.c.id)).scalar_one())

    def _seal(self, counter: Counter) -> str:
        return seal(budgets, self._limits(counter))

    def _limits(self, counter: Counter) -> dict[str, Any]:
        """Of a row all but its counts."""
        kind, subject = parse_scope(counter.account.scope)
        return {
            "pilot_id": self._pilot_id,
            "scope": kind,
            "subject": subject,
            "window": counter.account.window.value,
            "window_start": counter.account.start,
            "currency": counter.currency,
            **{name: getattr(counter, name) for name in LIMITS},
        }


def fit(counters: Sequence[Counter], amounts: Sequence[int]) -> bool:
    """Whether each counter has room for the amount that comes under it."""
    pairs = zip(counters, amounts, strict=True)
    return all(amount <= counter.ceiling().headroom_nanos for counter, amount in pairs)


def scope_of(row: Any) -> str:
    """Of any row with a scope and a subject."""
    return f"{row.scope}:{row.subject}" if row.subject else str(row.scope)


def counter_of(row: Row[Any]) -> Counter:
    return Counter(
        account=_account(row),
        row_id=row.id,
        standing_nanos=row.standing_nanos,
        policy_nanos=row.policy_nanos,
        limit_nanos=row.limit_nanos,
        committed_nanos=row.committed_nanos,
        refunded_nanos=row.refunded_nanos,
        held_nanos=row.held_nanos,
        currency=row.currency,
        seal=row.seal,
    )


def _scopes(payers: Sequence[Payer]) -> list[tuple[str, str]]:
    return sorted({parse_scope(scope) for payer in payers for scope in payer.scopes()})


def _account(row: Row[Any]) -> Account:
    return Account(scope_of(row), Window(row.window), row.window_start)


def _named(limits: Iterable[Limit], day: str) -> dict[Account, int]:
    """What the policy says of each account; the lowest where it says so twice."""
    named: dict[Account, int] = {}
    for limit in limits:
        if limit.window is Window.REQUEST:
            continue
        account = Account(limit.scope, limit.window, starts(day)[limit.window])
        named[account] = min(limit.limit_nanos, named.get(account, limit.limit_nanos))
    return named


def _limited(counter: Counter, policy_nanos: int | None, limit: int) -> Counter:
    """Lowered below what is spent and held, a limit stays there: nothing more fits under it."""
    limit = max(min(limit, MAX_NANOS), counter.committed_nanos + counter.held_nanos)
    after = replace(counter, policy_nanos=policy_nanos, limit_nanos=limit)
    return replace(after, changed=after != counter)
