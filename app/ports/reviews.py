"""Reviews: what waits, who holds it, what was said of it, and what that says of each rung."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from policies.plain import check_plain
from policies.review import ItemKind, ItemState, Lease, OutcomeKind, Settled, Verdict, VerdictKind
from policies.types import Domain, Importance, Review


class ClaimEnd(StrEnum):
    """How a claim ended."""

    VERDICT = "verdict"
    ASKED = "asked"
    RELEASED = "released"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    TAKEN_OVER = "taken_over"


@dataclass(frozen=True, slots=True)
class NewReview:
    """An answer that people are to look at, from the moment it was written."""

    answer_id: str
    kind: ItemKind
    approvals: int
    """By as many different people; 1 for an audit."""
    importance: Importance
    opened_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An answer in the queue or decided; no text."""

    answer_id: str
    kind: ItemKind
    approvals: int
    importance: Importance
    domain: Domain
    requester: str
    team: str
    review: Review
    """Of the decision: who may."""
    state: ItemState
    outcome: OutcomeKind | None
    opened_at: datetime
    due_at: datetime
    decided_at: datetime | None
    lease: Lease | None
    """The claim that was not ended; it may have run out."""
    claim: int
    """Number of the latest claim, from 1; 0 before the first."""
    decided_by: tuple[str, ...]
    """Who gave a verdict, in order."""
    skipped_by: tuple[str, ...]

    @property
    def third(self) -> bool:
        """The first verdicts disagree: one more person decides, or did."""
        return len(self.decided_by) >= self.approvals + (self.state is ItemState.DECIDED)

    def overdue(self, now: datetime) -> bool:
        return self.state is not ItemState.DECIDED and now >= self.due_at


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item that is not decided stands in the queue."""

    state: ItemState
    ahead: int
    """Waiting items before it."""


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Empty fields take everything."""

    importance: Importance | None = None
    domain: Domain | None = None
    team: str = ""
    kind: ItemKind | None = None
    third: bool = False
    """Only those where the first verdicts disagree."""
    state: ItemState | None = ItemState.WAITING
    due_before: datetime | None = None

    def __post_init__(self) -> None:
        check_plain(self.team)


@dataclass(frozen=True, slots=True)
class Claim:
    """An ended claim: who looked at what for how long."""

    answer_id: str
    number: int
    reviewer: str
    began_at: datetime
    ended_at: datetime
    seconds: int
    """Metered while it was live."""
    end: ClaimEnd
    note: str = ""
    nanos: int = 0
    """In the ledger, and so in the cost of the answer; 0 until it is."""


class Reviews(Protocol):
    """Items, claims, verdicts. All are part of the caller's transaction; a claim is one update."""

    def open(self, new: NewReview) -> None: ...

    def get(self, answer_id: str) -> ReviewItem:
        """Raises NotFound."""
        ...

    def find(self, answer_id: str) -> ReviewItem | None: ...

    def queue(self, only: ReviewFilter, limit: int) -> list[ReviewItem]:
        """In the order of policies.review.queue_key."""
        ...

    def places(self, answer_ids: Sequence[str]) -> dict[str, Place]:
        """Of those among them that wait or are asked about; one statement for all."""
        ...

    def count(self, state: ItemState) -> int: ...

    def claim(self, answer_id: str, by: str, now: datetime, lease: timedelta) -> bool:
        """By one conditional update; False where it cannot be claimed. Their own live one goes on.

        A claim that has run out is ended here, as `expired`.
        """
        ...

    def beat(
        self, answer_id: str, by: str, now: datetime, acted_at: datetime, lease: timedelta
    ) -> bool:
        """Lengthens a live claim; False where it is not live or not theirs.

        It is metered up to `acted_at`, when its person last did something.
        """
        ...

    def leave(
        self,
        answer_id: str,
        by: str,
        now: datetime,
        acted_at: datetime | None,
        end: ClaimEnd,
        note: str = "",
    ) -> bool:
        """Ends a claim, live or not, metered up to `acted_at`; False where it is not theirs.

        None: up to the last thing they are known to have done, where another ends it.
        """
        ...

    def expire(self, now: datetime) -> list[str]:
        """Ends every claim that has run out; returns the answers concerned."""
        ...

    def add_verdict(self, answer_id: str, verdict: Verdict) -> str:
        """Its seal, for the audit log.

        The database refuses one without a live claim, a second one, and one by the requester.
        """
        ...

    def verdicts(self, answer_id: str) -> list[Verdict]:
        """In the order they were given."""
        ...

    def set_state(self, answer_id: str, state: ItemState) -> None:
        """Between waiting and asked."""
        ...

    def decide(self, answer_id: str, settled: Settled, now: datetime) -> None:
        """Close the item and, where it was withheld, release or reject the answer."""
        ...

    def claims(self, answer_id: str) -> list[Claim]:
        """Those that have ended, oldest first."""
        ...

    def unbooked(self, limit: int) -> list[Claim]:
        """Ended claims whose time is not in the ledger yet, oldest first."""
        ...

    def mark_booked(self, answer_id: str, number: int, nanos: int, now: datetime) -> None: ...

    def verify(self) -> list[str]:
        """Every verdict and decision that is not as the audit log has it; empty where all are."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reviewer has written and not given yet; only theirs to see."""

    answer_id: str
    reviewer: str
    kind: VerdictKind | None
    correction: str
    reason: str
    saved_at: datetime


class MessageKind(StrEnum):
    QUESTION = "question"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Message:
    """Between a reviewer and the requester."""

    answer_id: str
    kind: MessageKind
    by: str
    text: str
    at: datetime


class LinkKind(StrEnum):
    BASE = "base"
    """What the base model says by itself."""
    MORE = "more"
    """Again, with more compute."""


@dataclass(frozen=True, slots=True)
class Linked:
    """An answer that was run for a reviewer, to be held beside another one."""

    answer_id: str
    of: str
    kind: LinkKind
    by: str
    at: datetime


class NoticeKind(StrEnum):
    """Of a notice."""

    REMINDER = "reminder"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class ReviewNotice:
    """Someone should hear that an answer waits; said once by each channel."""

    answer_id: str
    kind: NoticeKind
    channel: str
    """One of those that budget alerts take too."""
    importance: Importance
    due_at: datetime
    noted_at: datetime


class ReviewNotes(Protocol):
    """What is written beside an item."""

    def save(self, draft: Draft) -> None: ...

    def draft(self, answer_id: str, reviewer: str) -> Draft | None: ...

    def say(self, message: Message) -> None: ...

    def messages(self, answer_id: str) -> list[Message]: ...

    def link(self, linked: Linked) -> None: ...

    def linked(self, answer_id: str) -> list[Linked]:
        """Oldest first."""
        ...

    def note(self, notice: ReviewNotice) -> bool:
        """False where it was noted before."""
        ...

    def take_notices(self, now: datetime) -> list[ReviewNotice]:
        """Those nobody has sent: each goes to one caller, who sends it or gives it back."""
        ...

    def give_back(self, notice: ReviewNotice) -> None: ...


@dataclass(frozen=True, slots=True)
class RungVerdicts:
    """Decided answers of one rung: how many were right as the model wrote them."""

    importance: Importance
    solver: str
    nfe_cap_per_token: int
    decided: int
    approved: int
    """As they were."""
    corrected: int
    rejected: int
    verdicts: int
    """Of all people together."""
    review_seconds: int


@dataclass(frozen=True, slots=True)
class AuditStratum:
    """Answers that went out unreviewed under one policy, and what the audit found among them."""

    policy_version: str
    out: int
    sampled: int
    decided: int
    harmful: int
    """Of the decided ones: corrected or rejected."""


@dataclass(frozen=True, slots=True)
class Marked:
    """How many answers a team asked for at an importance in a month, and what they cost."""

    month: str
    team: str
    importance: Importance
    """As asked."""
    answers: int
    compute_nanos: int
    """Charges less refunds."""
    review_nanos: int
    currency: str


@dataclass(frozen=True, slots=True)
class Past:
    """A decided answer that may be like another: its question, not its answer."""

    answer_id: str
    requester: str
    importance: Importance
    outcome: OutcomeKind
    decided_at: datetime
    question: str


class ReviewFigures(Protocol):
    """What reviews say. Reads only."""

    def by_rung(self) -> list[RungVerdicts]: ...

    def audit(self) -> list[AuditStratum]: ...

    def marked(self) -> list[Marked]:
        """Oldest month first."""
        ...

    def decided(self, limit: int) -> list[Past]:
        """Newest first."""
        ...

    def turnaround(self, importance: Importance, limit: int) -> list[float]:
        """Seconds from written to decided, of the latest that had to be reviewed."""
        ...
