"""What services need from outside, in the policies' words. Adapters are in gateways and storage."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from policies.types import (
    Ceiling,
    Decision,
    Domain,
    Hold,
    Importance,
    Plan,
    PriceList,
    Request,
    Units,
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

    def run_batch(self, jobs: Sequence[Job], cancelled: Cancelled) -> list[Outcome]:
        """The same answers as one at a time, faster; for measurement. All jobs share one rung."""
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


class Ledger(Protocol):
    """Money. All are part of the caller's transaction; reserve is one conditional update."""

    def ceilings(self) -> list[Ceiling]: ...

    def set_limit(self, scope: str, limit_nanos: int, currency: str) -> None:
        """Create a scope's budget or change its limit; never below what is committed and held."""
        ...

    def reserve(self, answer_id: str, nanos: int, expires_at: datetime, now: datetime) -> Hold:
        """Hold the worst case under every ceiling. Raises OverCeiling, and then holds nothing.

        Fails closed: a pilot without a budget, or with one in another currency, is Unavailable.
        """
        ...

    def heartbeat(self, hold: Hold, done: Units, expires_at: datetime) -> bool:
        """Record work done and lengthen the lease; False where the hold is settled already."""
        ...

    def settle(self, hold: Hold, finished: Finished, cost_nanos: int) -> bool:
        """Turn the hold into a charge, give the rest back, close the answer.

        False if settled already.
        """
        ...

    def expire(self, now: datetime) -> list[str]:
        """Settle every hold past its lease to the work recorded; returns the answers concerned."""
        ...

    def verify(self) -> list[str]:
        """Every broken invariant, naming the row; empty when all hold."""
        ...


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


class UnitOfWork(Protocol):
    """One transaction. Leaving without commit() rolls back."""

    @property
    def answers(self) -> Answers: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def measurements(self) -> Measurements: ...

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
