"""What services need from outside, in the policies' words. Adapters are in gateways and storage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from policies.budget import Payer
from policies.types import (
    Ceiling,
    Decision,
    Domain,
    Hold,
    Importance,
    Limit,
    Plan,
    PriceList,
    Request,
    Rung,
    Units,
    Window,
)

Clock = Callable[[], datetime]
"""Now, in UTC, with tzinfo."""
NewId = Callable[[], str]
Cancelled = Callable[[], bool]


# --- the model ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What answers come from. Hashes are SHA-256 of the weights files."""

    model: str
    """Name a price list refers to."""
    base: str
    base_sha256: str
    adapter: str
    adapter_sha256: str
    device: str
    precision: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to draw."""

    question: str
    plan: Plan
    seed: int
    importance: Importance = Importance.STANDARD
    """Which of those that wait goes first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What the model wrote since the last piece, and all the work done for the job so far."""

    text: str
    units: Units


@dataclass(frozen=True, slots=True)
class Queue:
    """The waiting line as a request of some importance would find it now."""

    waiting: int
    """Requests that would go before it."""
    limit: int
    """With so many it is refused as Busy."""
    seconds: float
    """Until it would begin: at most, at the pace of late; 0 where there is room."""


class Finish(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished job. `units` is the work really done, also when it was cancelled."""

    text: str
    units: Units
    finish: Finish
    nfe_per_token: int
    """Of the grid the plan bought."""
    changed_tokens: int
    """Written tokens that differ from the base model's own first choice at that place."""
    device_seconds: float
    votes: tuple[int, ...] = ()
    """For each candidate, how many gave its answer; empty where only one was drawn."""


Ended = Callable[[int, Outcome], None]
"""Is told a job's place in its batch and what came of it."""


def untold(_place: int, _outcome: Outcome) -> None:
    """Where nobody wants to hear."""


class Engine(Protocol):
    """Runs jobs. Never passes a plan's caps. Raises PilotError subclasses only, or is broken."""

    def info(self) -> ModelInfo: ...

    def count_prompt_tokens(self, question: str) -> int: ...

    def nfe_per_token(self, plan: Plan) -> int:
        """Evaluations a token of the grid this plan buys; raises InvalidInput if it buys none."""
        ...

    def queue(self, importance: Importance) -> Queue: ...

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        """Pieces, then exactly one Outcome; once `cancelled`, within one evaluation.

        Raises Busy, before any work, where the line is full.
        """
        ...

    def run_batch(
        self, jobs: Sequence[Job], cancelled: Cancelled, ended: Ended = untold
    ) -> list[Outcome]:
        """The same answers as one at a time, faster; for measurement. All jobs share one rung.

        There may be any number of them, and each is told as soon as it ends. Raises Unavailable
        once `cancelled`.
        """
        ...


# --- storage --------------------------------------------------------------------------------------


class AnswerStatus(StrEnum):
    RUNNING = "running"
    RELEASED = "released"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The model raised; charged for the work recorded."""
    INTERRUPTED = "interrupted"
    """The process died; its hold expired and was settled to the work recorded."""
    REFUSED = "refused"
    """Over a ceiling; nothing ran."""


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer as it is when its request is admitted (or refused)."""

    id: str
    request: Request
    decision: Decision
    seed: int
    idempotency_key: str
    request_sha256: str
    model: ModelInfo
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer without its texts: what lists and cards show. Charges in nanos of `currency`."""

    id: str
    user: str
    team: str
    asked: Importance
    granted: Importance
    domain: Domain
    status: AnswerStatus
    solver: str
    nfe_cap_per_token: int
    nfe_per_token: int
    units: Units
    quote_nanos: int
    cost_nanos: int
    currency: str
    policy_version: str
    price_version: str
    adapter_sha256: str
    seed: int
    changed_tokens: int
    device_seconds: float
    rating: int | None
    """+1, -1 or none yet."""
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnswerText:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Finished:
    """How an answer ended; written in the same transaction as its settlement."""

    status: AnswerStatus
    text: str
    units: Units
    nfe_per_token: int
    changed_tokens: int
    device_seconds: float
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an idempotency key was used for before."""

    answer_id: str
    request_sha256: str


class Answers(Protocol):
    def add(self, answer: NewAnswer, status: AnswerStatus) -> None:
        """Raises KeyReused where the user's key has an answer. A refused one leaves it free."""
        ...

    def find_key(self, user: str, idempotency_key: str) -> Earlier | None: ...

    def get(self, answer_id: str) -> AnswerRow:
        """Raises NotFound."""
        ...

    def text(self, answer_id: str) -> AnswerText: ...

    def rate(self, answer_id: str, rating: int, now: datetime) -> None:
        """+1 or -1, once or changed later."""
        ...

    def latest(self, limit: int) -> list[AnswerRow]: ...


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


class Alerts(Protocol):
    def latest(self, limit: int) -> list[Alert]: ...

    def take(self, now: datetime) -> list[Alert]:
        """Those nobody has sent: each goes to one caller, who sends it or gives it back."""
        ...

    def give_back(self, alert: Alert) -> None: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """One question of a suite at one budget."""

    question_id: str
    domain: Domain
    correct: bool
    units: Units
    cost_nanos: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """Accuracy of a budget on a suite, with a 95 % Wilson interval; stored with all its rows."""

    suite: str
    budget: int
    """Cap of evaluations a token."""
    importance: Importance | None
    """Set when it was measured at a rung of the policy."""
    domain: Domain | None
    """None for the whole suite."""
    accuracy: float
    ci_low: float
    ci_high: float
    n: int
    nfe_per_token: float
    cost_nanos_per_answer: int
    currency: str
    adapter_sha256: str
    seed: int
    measured_at: datetime
    shipped: bool
    """Recorded by the `evaluate` command before release and shipped with the adapter."""


class Measurements(Protocol):
    def add(self, measurement: Measurement, rows: Sequence[Measured]) -> None: ...

    def latest(self, adapter_sha256: str) -> list[Measurement]:
        """The newest of every (suite, budget, importance, domain) for this adapter."""
        ...


@dataclass(frozen=True, slots=True)
class SpendPoint:
    """Spend of one answer in the order of settlement: for the chart against the ceiling."""

    at: datetime
    answer_id: str
    cost_nanos: int
    importance: Importance


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy as it was proposed, and whether someone else approved it."""

    version: str
    name: str
    text: str
    """Canonical: what `policies.document.stored` reads."""
    source: str
    """As its author wrote it."""
    note: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """From when on a version was in force, until the next one."""

    version: str
    activated_by: str
    activated_at: datetime
    note: str


class Policies(Protocol):
    """Versions never change. What may follow what is a constraint of the database."""

    def propose(self, proposal: PolicyVersion) -> None:
        """Raises InvalidInput where this version was proposed before."""
        ...

    def approve(self, version: str, by: str, now: datetime) -> None:
        """Once, by someone other than its author. Raises InvalidInput, NotFound."""
        ...

    def activate(self, activation: Activation) -> None:
        """Raises InvalidInput for a version that nobody approved, NotFound."""
        ...

    def get(self, version: str) -> PolicyVersion:
        """Raises NotFound."""
        ...

    def in_force(self) -> PolicyVersion | None:
        """That of the last activation; None before the first."""
        ...

    def versions(self) -> list[PolicyVersion]:
        """Newest first."""
        ...

    def activations(self) -> list[Activation]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Logged:
    """A query as it was asked, decided and charged: what a draft is replayed over."""

    answer_id: str
    request: Request
    granted: Importance
    rung: Rung
    approvals: int
    status: AnswerStatus
    units: Units
    nfe_per_token: int
    cost_nanos: int
    quote_nanos: int
    price_version: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Metered:
    """What the answers that ended in a time were charged, and how long the device took."""

    answers: int
    units: Units
    charged_nanos: int
    device_seconds: float
    currency: str
    first_at: datetime
    """When the first of them was asked."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A measurement of what units take on a machine; `record` as it is shown."""

    model: str
    device: str
    measured_at: datetime
    record: Mapping[str, Any]


class History(Protocol):
    """What was asked and spent. Reads, but for calibrations, which are only added."""

    def logged(self, since: datetime, until: datetime) -> Iterator[Logged]:
        """In the order they were asked, without those still running; read as they are used."""
        ...

    def like(self, rung: Rung, granted: Importance, limit: int) -> list[Units]:
        """Of the latest answers that ran to their end on exactly this rung."""
        ...

    def metered(self, since: datetime, until: datetime) -> Metered | None:
        """None where nothing ended in that time."""
        ...

    def measured(self, adapter_sha256: str) -> list[tuple[Measurement, list[Measured]]]:
        """Whole suites at cap after cap, each the newest, with the questions that pair them."""
        ...

    def add_calibration(self, calibration: Calibration) -> None: ...

    def calibration(self, model: str) -> Calibration | None:
        """The latest of a model."""
        ...


class UnitOfWork(Protocol):
    """One transaction. Leaving without commit() rolls back."""

    @property
    def answers(self) -> Answers: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def raises(self) -> Raises: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def measurements(self) -> Measurements: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def history(self) -> History: ...

    def add_policy(self, version: str, name: str, text: str, now: datetime) -> None:
        """Keep a policy version; keeping it again changes nothing."""
        ...

    def add_prices(self, prices: PriceList, now: datetime) -> None: ...

    def prices(self) -> list[PriceList]: ...

    def spend(self, limit: int) -> list[SpendPoint]:
        """The latest settled charges, oldest first."""
        ...

    def commit(self) -> None: ...


OpenUnitOfWork = Callable[[], AbstractContextManager[UnitOfWork]]
"""Opens a transaction for one pilot; writes are serialised by the database."""
