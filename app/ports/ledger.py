"""Money: holds, charges, bookings by hand, raises and alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.ports.answers import AnswerStatus, Finished
from app.ports.audit import AuditHead
from policies.budget import Payer
from policies.types import Ceiling, Domain, Hold, Importance, Limit, Units, Window


@dataclass(frozen=True, slots=True)
class Reservation:
    """The worst case of one answer, and the ceilings of the policy it was decided under."""

    answer_id: str
    nanos: int
    limits: tuple[Limit, ...] = ()


class BookingKind(StrEnum):
    REFUND = "refund"
    """Negative. Counted beside what was committed: it reopens no ceiling."""
    CORRECTION = "correction"
    """Positive: more to pay for an answer. It must fit under every ceiling."""
    REVIEW = "review"
    """Of a reviewer's time."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A line that a person adds to the ledger; a line that is there never changes."""

    answer_id: str
    kind: BookingKind
    nanos: int
    by: str
    reason: str
    key: str
    """The same key with the same body books once; with another body it is refused."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Rollup:
    """What one kind of answer came to on one of the pilot's days."""

    day: str
    team: str
    user: str
    importance: Importance
    domain: Domain
    currency: str
    answers: int
    entries: int
    units: Units
    charged_nanos: int
    refunded_nanos: int


@dataclass(frozen=True, slots=True)
class OpenHold:
    """Money set aside for an answer that runs now."""

    answer_id: str
    user: str
    team: str
    importance: Importance
    nanos: int
    currency: str
    done: Units
    """Work recorded so far."""
    since: datetime
    expires_at: datetime
    """Its lease: later, anyone may settle it to the work recorded."""


class Ledger(Protocol):
    """Money. All are part of the caller's transaction; reserve is one conditional update."""

    def ceilings(self) -> list[Ceiling]:
        """Every ceiling in its latest window."""
        ...

    def ceilings_of(
        self, payer: Payer, limits: Sequence[Limit], currency: str, now: datetime
    ) -> list[Ceiling]:
        """What a request would have to fit under now. Writes nothing."""
        ...

    def ceilings_at(self, now: datetime) -> list[Ceiling]:
        """The same, with the raises that count now: what the next request would find."""
        ...

    def open_holds(self, limit: int) -> list[OpenHold]:
        """The oldest first."""
        ...

    def set_limit(self, scope: str, limit_nanos: int, currency: str) -> None:
        """A scope's limit over the whole pilot, by hand; never below what is spent and held.

        Where the policy names one too, the lower counts.
        """
        ...

    def reserve(
        self,
        answer_id: str,
        nanos: int,
        expires_at: datetime,
        now: datetime,
        limits: Sequence[Limit] = (),
    ) -> Hold:
        """Hold the worst case under every ceiling. Raises OverCeiling, and then holds nothing.

        `limits` are all those of the policy that the answer counts against; those set by hand
        always apply. Fails closed: a pilot without a ceiling, or amounts in two currencies, is
        Unavailable.
        """
        ...

    def reserve_all(
        self, wanted: Sequence[Reservation], expires_at: datetime, now: datetime
    ) -> list[Hold]:
        """The same for a batch, as one decision: all of it is held or nothing."""
        ...

    def heartbeat(self, hold: Hold, done: Units, expires_at: datetime) -> bool:
        """Record work done and lengthen the lease; False where the hold is settled already."""
        ...

    def settle(self, hold: Hold, finished: Finished, cost_nanos: int) -> bool:
        """Turn the hold into a charge, give the rest back, close the answer.

        False if settled already.
        """
        ...

    def release(self, hold: Hold, status: AnswerStatus, now: datetime) -> bool:
        """Give all of it back: nothing was done. False if settled already."""
        ...

    def book(self, booking: Booking) -> bool:
        """Add a refund, a correction or a review. False where its key booked the same before.

        Raises InvalidInput (more refunded than charged, an answer still running), OverCeiling,
        KeyReused, NotFound.
        """
        ...

    def rollups(self, first_day: str, last_day: str) -> list[Rollup]:
        """Spend by day, team, user, importance and domain; both days included."""
        ...

    def rebuild(self) -> bool:
        """Write the rollups anew from the entries; True where they were the same already."""
        ...

    def expire(self, now: datetime) -> list[str]:
        """Settle every hold past its lease to the work recorded; returns the answers concerned."""
        ...

    def verify(self) -> list[str]:
        """Every broken invariant, naming the row; empty when all hold."""
        ...

    def head(self) -> AuditHead:
        """How many lines there are, and the hash of the last: it pins every line before it."""
        ...

    def hash_at(self, count: int) -> str | None:
        """Of the line that was the last when there were so many; None where there are fewer."""
        ...


class RaiseState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class BudgetRaise:
    """More room for every window of a kind of one scope, from its grant until it expires."""

    id: str
    scope: str
    window: Window
    nanos: int
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: RaiseState = RaiseState.ASKED
    decided_by: str | None = None
    decided_at: datetime | None = None


class Raises(Protocol):
    """One person asks, another decides: the database holds that too."""

    def ask(self, wanted: BudgetRaise) -> None: ...

    def decide(self, raise_id: str, granted: bool, by: str, now: datetime) -> BudgetRaise:
        """Once. Raises InvalidInput by the one who asked, twice, or too late; NotFound."""
        ...

    def latest(self, limit: int) -> list[BudgetRaise]: ...


@dataclass(frozen=True, slots=True)
class Alert:
    """Spend came to a threshold of a limit, for the first time in its window."""

    scope: str
    window: Window
    window_start: str
    threshold: int
    """Percent."""
    limit_nanos: int
    committed_nanos: int
    currency: str
    reached_at: datetime
    to: tuple[str, ...] = ()
    """Channels, as the policy says of the answer whose charge reached it: page, log, webhook,
    email."""
    due: tuple[str, ...] = ()
    """Those that it has not left by yet. The page shows it anyway."""


class Alerts(Protocol):
    def latest(self, limit: int, channel: str = "") -> list[Alert]:
        """Newest first; where a channel is named, only those that go there."""
        ...

    def take(self, now: datetime) -> list[Alert]:
        """Those that are due somewhere: each goes to one caller, who says what became of it.

        Of a caller who died it is heard no more: after a while another gets it.
        """
        ...

    def told(self, alert: Alert, channels: Sequence[str]) -> None:
        """It left by these; what is due still may be taken again."""
        ...


@dataclass(frozen=True, slots=True)
class SpendPoint:
    """Spend of one answer in the order of settlement: for the chart against the ceiling."""

    at: datetime
    answer_id: str
    cost_nanos: int
    importance: Importance
