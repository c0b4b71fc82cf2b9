"""Answers under review, as tests of review start from them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.ports import AnswerStatus, Finished, NewReview, OpenUnitOfWork
from app.services.review import ReviewDesk
from app.services.review_evidence import ReviewEvidence
from app.services.review_figures import ReviewFigures
from app.services.review_sweep import Sweep
from app.services.review_time import BookTime
from app.services.review_waiting import Waiting
from policies.pricing import price
from policies.review import ItemKind
from policies.review_time import due_at
from policies.roles import Role
from policies.types import Importance, Units
from tests.actors import person
from tests.databases import PRICES, START, new_answer
from tests.world import World

LEASE = timedelta(minutes=2)
MARKER = "XYZZY-7261"
"""Stands in an answer that must not be seen."""
BOB, EVE, KIM = (person(name, Role.REVIEWER, team="quality") for name in ("bob", "eve", "kim"))
MINUTE_NANOS = 60_000
HIGH, CRITICAL = Importance.HIGH, Importance.CRITICAL


def put_under_review(
    uow: OpenUnitOfWork,
    answer_id: str,
    importance: Importance = HIGH,
    user: str = "ann",
    at: datetime = START,
    kind: ItemKind = ItemKind.REQUIRED,
) -> None:
    """Asked, written, charged, in the queue."""
    new, done = new_answer(answer_id, importance, user, created_at=at), Units(5, 4, 28)
    required = kind is ItemKind.REQUIRED
    status = AnswerStatus.PENDING_REVIEW if required else AnswerStatus.RELEASED
    finished = Finished(status, f"{MARKER} of {answer_id}", done, 7, 0, 0.0, at)
    approvals = new.decision.review.approvals if required else 1
    due = due_at(kind, importance, new.decision.review, at)
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(answer_id, new.decision.quote.nanos, at + LEASE, at)
        unit.ledger.settle(hold, finished, price(done, PRICES))
        unit.reviews.open(NewReview(answer_id, kind, approvals, importance, at, due))
        unit.commit()


@dataclass
class ReviewWorld(World):
    """The services of review over a real database, with a clock that the test moves."""

    sent: list[str] = field(default_factory=list)
    minute_nanos: int = MINUTE_NANOS

    @property
    def book(self) -> BookTime:
        return BookTime(self.uow, self.clock, self.minute_nanos)

    @property
    def desk(self) -> ReviewDesk:
        return ReviewDesk(self.uow, self.uow, self.clock, self.book, LEASE)

    @property
    def waiting(self) -> Waiting:
        return Waiting(self.uow, self.uow, self.clock)

    @property
    def evidence(self) -> ReviewEvidence:
        return ReviewEvidence(
            self.engine, self.uow, self.uow, self.policy, self.clock, self.ids, self.limits
        )

    @property
    def figures(self) -> ReviewFigures:
        return ReviewFigures(self.uow)

    def sweep(self) -> int:
        senders = {"log": lambda notice: self.sent.append(f"{notice.kind} {notice.answer_id}")}
        return Sweep(self.uow, self.policy, self.clock, self.book, senders)()

    def asked(self, importance: Importance = HIGH, key: str = "key") -> str:
        """The id of an answer that waits for review."""
        return self.receipt(key, importance=importance).row.id

    def later(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
