"""What the requester of a withheld answer may know meanwhile, and their reply to a reviewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from app.ports import Clock, Message, MessageKind, OpenUnitOfWork, ReviewItem, UnitOfWork
from app.services.review_words import REASON_CHARACTERS, check_length, note
from policies.errors import InvalidInput, NotFound
from policies.review import ItemKind, ItemState, OutcomeKind, VerdictKind
from policies.roles import Action, Actor, may

EARLIER, FEWEST = 50, 3
"""Decided answers that an expected time looks back on, and how many it needs."""
GROUNDS = {
    OutcomeKind.CORRECTED: VerdictKind.CORRECT,
    OutcomeKind.REJECTED: VerdictKind.REJECT,
}
"""Whose reasons the requester reads: a note beside another verdict may hold the answer itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the requester of a withheld answer may know of it."""

    kind: ItemKind
    own: bool
    """Whoever looks is its requester, and so may reply."""
    state: ItemState
    outcome: OutcomeKind | None
    ahead: int
    """Items before it in the queue."""
    waiting: int
    opened_at: datetime
    due_at: datetime
    overdue: bool
    expected_at: datetime | None
    """By how long answers of this importance took of late; None where too few were decided."""
    in_review: bool
    """Someone is looking at it now."""
    messages: Sequence[Message]
    reasons: Sequence[str]
    """Why it was corrected or rejected, as reviewers wrote it; only once it is decided."""

    @property
    def concerns_them(self) -> bool:
        """A random check of an answer that is out does only where something is asked."""
        return self.kind is ItemKind.REQUIRED or self.state is ItemState.ASKED


@dataclass(frozen=True)
class Waiting:
    """The use cases of who asked."""

    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock

    def reply(self, actor: Actor, answer_id: str, text: str) -> None:
        """By the requester; the answer is in the queue again, at its old place."""
        if not text.strip():
            raise InvalidInput("a reply needs words", reason="review_reply")
        check_length(text, REASON_CHARACTERS)
        now = self.clock()
        with self.uow() as uow:
            item = uow.reviews.get(answer_id)
            if item.requester != actor.user or not may(actor, Action.READ_OWN):
                raise NotFound(f"there is no answer {answer_id} of {actor.user}")
            if item.state is not ItemState.ASKED:
                raise InvalidInput("no reviewer waits for a reply", reason="review_not_asked")
            uow.review_notes.say(
                Message(answer_id, MessageKind.REPLY, actor.user, text.strip(), now)
            )
            uow.reviews.set_state(answer_id, ItemState.WAITING)
            note(uow, actor.user, "review.reply", item, now)
            uow.commit()

    def standing(self, actor: Actor, answer_id: str) -> Standing:
        """Of one's own withheld answer, or of any for a reviewer. Raises NotFound."""
        now = self.clock()
        with self.reader() as uow:
            item = uow.reviews.get(answer_id)
            own = item.requester == actor.user and may(actor, Action.READ_OWN)
            if not own and not may(actor, Action.REVIEW):
                raise NotFound(f"there is no answer {answer_id} of {actor.user}")
            decided = item.state is ItemState.DECIDED
            verdicts = uow.reviews.verdicts(answer_id) if decided else []
            grounds = GROUNDS.get(item.outcome) if item.outcome else None
            place = uow.reviews.places([answer_id]).get(answer_id)
            return Standing(
                kind=item.kind,
                own=own,
                state=item.state,
                outcome=item.outcome,
                ahead=place.ahead if place else 0,
                waiting=uow.reviews.count(ItemState.WAITING),
                opened_at=item.opened_at,
                due_at=item.due_at,
                overdue=item.overdue(now),
                expected_at=None if decided else _expected(uow, item, now),
                in_review=item.lease is not None and item.lease.live(now),
                messages=uow.review_notes.messages(answer_id),
                reasons=[v.reason for v in verdicts if v.reason and v.kind is grounds],
            )


def _expected(uow: UnitOfWork, item: ReviewItem, now: datetime) -> datetime | None:
    took = uow.review_figures.turnaround(item.importance, EARLIER)
    if len(took) < FEWEST:
        return None
    return max(now, item.opened_at + timedelta(seconds=median(took)))
