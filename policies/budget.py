"""Budget rules: what a charge counts under, in which window, and whether it fits. No clock, no I/O.

`Book` is the ledger in memory, written for reading: every number is a sum over what happened. The
ledger in storage keeps counters instead and is tested against it, step by step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from policies.errors import InvalidInput
from policies.types import Importance, Limit, Window

SUBJECT_SCOPES = ("team", "user", "importance")
"""Scopes written `team:NAME`; the pilot's own is just `pilot`."""
THRESHOLDS = (50, 75, 90, 100)
"""Percent of a limit at which its owner is told, once in each window."""


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """What one counter counts: a scope in one window."""

    scope: str
    """`pilot`, or `team:NAME`, `user:NAME`, `importance:NAME`."""
    window: Window
    start: str
    """The local day as 2025-11-03 or month as 2025-11; empty for the whole pilot."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose money an answer spends: it counts under each of these scopes at once."""

    user: str
    team: str
    importance: Importance

    def scopes(self) -> tuple[str, ...]:
        names = (self.team, self.user, self.importance.value)
        return ("pilot", *(f"{s}:{n}" for s, n in zip(SUBJECT_SCOPES, names, strict=True)))


def day_of(instant: datetime, zone: tzinfo) -> str:
    """The local day an instant counts for. Asked once, when money is held; kept ever after."""
    return instant.astimezone(zone).date().isoformat()


def starts(day: str) -> dict[Window, str]:
    """Where each window that counts began, for a local day."""
    return {Window.DAY: day, Window.MONTH: day[:7], Window.WHOLE: ""}


def parse_scope(scope: str) -> tuple[str, str]:
    """`team:sales` as team and sales; the pilot's own as pilot and nothing. Raises InvalidInput."""
    kind, _, subject = scope.partition(":")
    legal = not subject if kind == "pilot" else kind in SUBJECT_SCOPES and bool(subject)
    if not legal or (kind == "importance" and subject not in tuple(Importance)):
        known = ", ".join(["pilot", *(f"{s}:NAME" for s in SUBJECT_SCOPES)])
        raise InvalidInput(f"a scope is one of {known}, got {scope!r}", scope=scope)
    return kind, subject


def effective(standing: int | None, policy: int | None, raised: int) -> int | None:
    """The limit in force: the lower of what was set by hand and by policy, and granted raises.

    None where neither sets one: then the account is no ceiling.
    """
    stated = [nanos for nanos in (standing, policy) if nanos is not None]
    return min(stated) + raised if stated else None


def reached(committed: int, limit: int, thresholds: Sequence[int] = THRESHOLDS) -> list[int]:
    """Thresholds, in percent, that spend has come to. Whole numbers only."""
    return [t for t in thresholds if committed * 100 >= limit * t]


# --- the ledger in memory -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A hold: open until someone closes it, once."""

    id: str
    payer: Payer
    day: str
    nanos: int
    expires_at: datetime
    recorded: int = 0
    """What the work recorded by heartbeats would cost."""
    charged: int | None = None
    """None while it is open."""
    refunded: int = 0
    corrected: tuple[tuple[str, int], ...] = ()
    """Day and nanos of what was booked on it later."""

    def under(self, account: Account) -> bool:
        return (
            account.scope in self.payer.scopes()
            and starts(self.day).get(account.window) == account.start
        )


@dataclass(frozen=True, slots=True)
class Raise:
    """More room for a scope's windows of one kind, until it expires."""

    scope: str
    window: Window
    nanos: int
    expires_at: datetime


@dataclass
class Book:
    """One pilot's money. Ceilings are the standing limits and those named with each request."""

    standing: dict[str, int] = field(default_factory=dict)
    """Limits of whole-pilot windows set by hand, by scope."""
    raises: list[Raise] = field(default_factory=list)
    holds: dict[str, Held] = field(default_factory=dict)

    def committed(self, account: Account) -> int:
        """Charges of the day they were held on, corrections of the day they were booked on."""
        charges = sum(h.charged for h in self._under(account) if h.charged is not None)
        later = (
            nanos
            for hold in self.holds.values()
            if account.scope in hold.payer.scopes()
            for day, nanos in hold.corrected
            if starts(day)[account.window] == account.start
        )
        return charges + sum(later)

    def held(self, account: Account) -> int:
        return sum(h.nanos for h in self._under(account) if h.charged is None)

    def limit(self, account: Account, limits: Iterable[Limit], now: datetime) -> int | None:
        """In force now for this account, or None where it is no ceiling."""
        set_by_hand = self.standing.get(account.scope) if account.window is Window.WHOLE else None
        stated = [
            limit.limit_nanos
            for limit in limits
            if (limit.scope, limit.window) == (account.scope, account.window)
        ]
        raised = sum(
            r.nanos
            for r in self.raises
            if (r.scope, r.window) == (account.scope, account.window) and now < r.expires_at
        )
        return effective(set_by_hand, min(stated, default=None), raised)

    def over(self, wanted: Sequence[Held], limits: Sequence[Limit], now: datetime) -> list[str]:
        """Scopes under whose ceiling these do not fit together; empty where all may be held."""
        found = [
            limit.scope
            for limit in limits
            for hold in wanted
            if limit.window is Window.REQUEST
            and limit.scope in ("request", *hold.payer.scopes())
            and hold.nanos > limit.limit_nanos
        ]
        accounts = {
            Account(scope, window, start)
            for hold in wanted
            for scope in hold.payer.scopes()
            for window, start in starts(hold.day).items()
        }
        for account in accounts:
            limit = self.limit(account, limits, now)
            more = sum(hold.nanos for hold in wanted if hold.under(account))
            if limit is not None and self.committed(account) + self.held(account) + more > limit:
                found.append(account.scope)
        return found

    def reserve(self, wanted: Sequence[Held], limits: Sequence[Limit], now: datetime) -> bool:
        """Hold the worst case of all under every ceiling, or nothing at all."""
        if self.over(wanted, limits, now):
            return False
        self.holds |= {hold.id: hold for hold in wanted}
        return True

    def heartbeat(self, hold_id: str, recorded: int, expires_at: datetime) -> bool:
        """Record work done and lengthen the lease; False where the hold is closed."""
        hold = self.holds[hold_id]
        if hold.charged is None:
            self.holds[hold_id] = replace(hold, recorded=recorded, expires_at=expires_at)
        return hold.charged is None

    def settle(self, hold_id: str, cost: int) -> bool:
        """Charge the work done, give the rest back; False where it was closed before."""
        hold = self.holds[hold_id]
        if hold.charged is not None:
            return False
        self.holds[hold_id] = replace(hold, charged=cost)
        return True

    def expire(self, now: datetime) -> list[str]:
        """Close every hold past its lease at the work recorded."""
        late = [h for h in self.holds.values() if h.charged is None and h.expires_at <= now]
        for hold in late:
            self.settle(hold.id, min(hold.recorded, hold.nanos))
        return [hold.id for hold in late]

    def refund(self, hold_id: str, nanos: int) -> bool:
        """Never more than was paid. Reopens no ceiling: what was committed stays."""
        hold = self.holds[hold_id]
        if hold.charged is None or nanos > self.paid(hold_id):
            return False
        self.holds[hold_id] = replace(hold, refunded=hold.refunded + nanos)
        return True

    def correct(self, hold_id: str, nanos: int, day: str) -> bool:
        """More to pay for an answer, counted on the day it is booked."""
        hold = self.holds[hold_id]
        if hold.charged is None:
            return False
        self.holds[hold_id] = replace(hold, corrected=(*hold.corrected, (day, nanos)))
        return True

    def paid(self, hold_id: str) -> int:
        """What an answer costs: all its lines together."""
        hold = self.holds[hold_id]
        return (hold.charged or 0) + sum(nanos for _, nanos in hold.corrected) - hold.refunded

    def set_limit(self, scope: str, nanos: int) -> bool:
        """A standing limit; never below what is spent and held."""
        account = Account(scope, Window.WHOLE, "")
        if nanos < self.committed(account) + self.held(account):
            return False
        self.standing[scope] = nanos
        return True

    def _under(self, account: Account) -> list[Held]:
        return [hold for hold in self.holds.values() if hold.under(account)]
