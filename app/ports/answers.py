"""Answers as they are stored, and how each one ends."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.ports.model import ModelInfo
from app.ports.traces import NO_TRACE, Trace
from policies.types import Decision, Domain, Importance, Reason, Request, Review, Units


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
    PENDING_REVIEW = "pending_review"
    """Written and charged; nobody but reviewers may read it until it is decided."""
    REJECTED = "rejected"
    """By reviewers; its text stays theirs."""
    EVIDENCE = "evidence"
    """Run for reviewers, to be held beside another answer; it never goes out."""


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
    review: Review = field(default_factory=Review)
    """Who must approve it; policies.review.readable says who may read its text."""


@dataclass(frozen=True, slots=True)
class AnswerText:
    question: str
    answer: str
    """In the words that went out."""
    original: str = ""
    """What the model wrote, where reviewers corrected it."""


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
    trace: Trace = NO_TRACE


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

    def text(self, answer_id: str) -> AnswerText:
        """Only for who may read it: policies.review.readable comes first."""
        ...

    def question(self, answer_id: str) -> str:
        """Alone, so that nothing of the answer is fetched."""
        ...

    def reasons(self, answer_id: str) -> tuple[Reason, ...]:
        """Of its decision. Raises NotFound."""
        ...

    def rate(self, answer_id: str, rating: int, now: datetime) -> None:
        """+1 or -1, once or changed later."""
        ...

    def latest(self, limit: int) -> list[AnswerRow]: ...
