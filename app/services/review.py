"""Reviewing: the queue, claims, drafts, verdicts.

Every step is one transaction with its entry in the audit log. The database refuses by itself what
must never happen; here people are told why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.ports import (
    ClaimEnd,
    Clock,
    Draft,
    Message,
    MessageKind,
    OpenUnitOfWork,
    ReviewFilter,
    ReviewItem,
    UnitOfWork,
)
from app.services.review_time import BookTime
from app.services.review_words import (
    REASON_CHARACTERS,
    WORDS_CHARACTERS,
    bar_of,
    barred,
    check_length,
    check_text,
    lost,
    note,
)
from policies.errors import Forbidden, InvalidInput, NotFound
from policies.review import Bar, ItemState, Settled, Verdict, VerdictKind, may_review, settle
from policies.roles import Action, Actor, require

LEASE = timedelta(minutes=2)
"""How long a claim lives without a sign of its reviewer's page."""
IDLE = timedelta(minutes=15)
"""How long it lives while the page is open and its reviewer does nothing."""
SHOWN = 200
"""Items of the queue at once."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """An item as one reviewer sees it."""

    item: ReviewItem
    bar: Bar | None
    """What keeps them from claiming it; None where nothing does."""
    overdue: bool
    skipped: bool
    """By them."""


@dataclass(frozen=True)
class ReviewDesk:
    """The use cases of reviewers."""

    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock
    book: BookTime
    lease: timedelta = LEASE
    idle: timedelta = IDLE

    def queue(
        self, actor: Actor, only: ReviewFilter | None = None, limit: int = SHOWN
    ) -> list[QueueEntry]:
        """What matters most first; what they skipped comes last. Raises Forbidden."""
        require(actor, Action.REVIEW)
        now = self.clock()
        with self.reader() as uow:
            items = uow.reviews.queue(only or ReviewFilter(), limit)
        entries = [self.entry(actor, item, now) for item in items]
        return sorted(entries, key=lambda entry: entry.skipped)

    def teams(self, actor: Actor) -> list[str]:
        """Who ever paid for an answer: what a queue can be narrowed to."""
        require(actor, Action.REVIEW)
        with self.reader() as uow:
            return uow.board.names()[0]

    def entry(self, actor: Actor, item: ReviewItem, now: datetime | None = None) -> QueueEntry:
        """An item that was read before, as this reviewer sees it now."""
        at = now or self.clock()
        barred, skipped = bar_of(actor, item, at), actor.user in item.skipped_by
        return QueueEntry(item, barred, item.overdue(at), skipped)

    def claim(self, actor: Actor, answer_id: str) -> ReviewItem:
        """Theirs alone until the lease ends. Raises Forbidden, InvalidInput, NotFound."""
        now = self.clock()
        with self.uow() as uow:
            item = uow.reviews.get(answer_id)
            if bar := bar_of(actor, item, now):
                raise barred(bar, item, actor)
            if item.lease is not None and not item.lease.live(now):
                note(uow, "system", "review.expire", item, now)
            if not uow.reviews.claim(answer_id, actor.user, now, self.lease):
                raise barred(Bar.TAKEN, uow.reviews.get(answer_id), actor)
            item = uow.reviews.get(answer_id)
            note(uow, actor.user, "review.claim", item, now)
            uow.commit()
        return item

    def heartbeat(self, actor: Actor, answer_id: str, idle: timedelta = timedelta(0)) -> bool:
        """The page is open, and `idle` ago its person did something last.

        False where the claim is over, also because they did nothing for too long: then the answer
        is anyone's, the time is metered up to what they did last, and nothing typed is lost.
        """
        now = self.clock()
        acted_at = now - max(idle, timedelta(0))
        if idle >= self.idle:
            self._forgotten(actor, answer_id, now, acted_at)
            return False
        with self.uow() as uow:
            alive = uow.reviews.beat(answer_id, actor.user, now, acted_at, self.lease)
            uow.commit()
        return alive

    def release(self, actor: Actor, answer_id: str) -> None:
        """Back into the queue."""
        self._leave(actor, answer_id, ClaimEnd.RELEASED, "review.release")

    def skip(self, actor: Actor, answer_id: str, reason: str) -> None:
        """Back into the queue, and last in theirs."""
        check_text(reason, REASON_CHARACTERS)
        self._leave(actor, answer_id, ClaimEnd.SKIPPED, "review.skip", reason.strip())

    def take_over(self, actor: Actor, answer_id: str) -> ReviewItem:
        """End another's claim; whoever may review it then holds it, else it is free."""
        require(actor, Action.TAKE_OVER)
        now = self.clock()
        with self.uow() as uow:
            item = uow.reviews.get(answer_id)
            if item.lease is None:
                raise InvalidInput("nobody holds this answer", reason="review_free")
            holder = item.lease.holder
            end = ClaimEnd.TAKEN_OVER
            uow.reviews.leave(answer_id, holder, now, None, end, actor.user)
            note(uow, actor.user, "review.take_over", item, now, holder=holder)
            if bar_of(actor, uow.reviews.get(answer_id), now) is None:
                uow.reviews.claim(answer_id, actor.user, now, self.lease)
            item = uow.reviews.get(answer_id)
            uow.commit()
        self.book()
        return item

    def save(
        self,
        actor: Actor,
        answer_id: str,
        kind: VerdictKind | None,
        correction: str = "",
        reason: str = "",
    ) -> None:
        """Keep what was typed, also when the claim has run out meanwhile."""
        check_length(correction, WORDS_CHARACTERS)
        check_length(reason, REASON_CHARACTERS)
        now = self.clock()
        with self.uow() as uow:
            item = uow.reviews.get(answer_id)
            if not may_review(actor, item.review) or item.requester == actor.user:
                raise Forbidden(
                    f"{actor.user} may not review answer {answer_id}",
                    user=actor.user,
                    action=Action.REVIEW.value,
                )
            draft = Draft(answer_id, actor.user, kind, correction, reason, now)
            uow.review_notes.save(draft)
            uow.commit()

    def decide(
        self,
        actor: Actor,
        answer_id: str,
        kind: VerdictKind,
        correction: str = "",
        reason: str = "",
        source: str = "",
    ) -> Settled | None:
        """Give a verdict; what all of them came to, or None where another person is needed.

        `source` is the rerun whose words are taken over. Raises Forbidden, InvalidInput, NotFound.
        """
        now = self.clock()
        with self.uow() as uow:
            item = self._held(uow, actor, answer_id, now)
            verdict = _verdict(uow, actor, item, kind, correction, reason, source, now)
            seal = uow.reviews.add_verdict(answer_id, verdict)
            details = {"kind": kind.value, "source": verdict.source, "seal": seal}
            uow.reviews.leave(answer_id, actor.user, now, now, ClaimEnd.VERDICT)
            note(uow, actor.user, "review.verdict", item, now, **details)
            settled = settle(item.approvals, uow.reviews.verdicts(answer_id))
            if settled is not None:
                uow.reviews.decide(answer_id, settled, now)
                outcome = settled.outcome.value
                note(uow, actor.user, "review.decide", item, now, outcome=outcome)
            uow.commit()
        self.book()
        return settled

    def ask(self, actor: Actor, answer_id: str, question: str) -> None:
        """Ask the requester; the answer leaves the queue until they reply."""
        check_text(question, REASON_CHARACTERS)
        now = self.clock()
        with self.uow() as uow:
            item = self._held(uow, actor, answer_id, now)
            uow.reviews.leave(answer_id, actor.user, now, now, ClaimEnd.ASKED)
            uow.reviews.set_state(answer_id, ItemState.ASKED)
            said = Message(answer_id, MessageKind.QUESTION, actor.user, question.strip(), now)
            uow.review_notes.say(said)
            note(uow, actor.user, "review.ask", item, now)
            uow.commit()
        self.book()

    def _leave(
        self, actor: Actor, answer_id: str, end: ClaimEnd, action: str, why: str = ""
    ) -> None:
        now = self.clock()
        with self.uow() as uow:
            item = uow.reviews.get(answer_id)
            if not uow.reviews.leave(answer_id, actor.user, now, now, end, why):
                raise lost(item)
            note(uow, actor.user, action, item, now)
            uow.commit()
        self.book()

    def _forgotten(self, actor: Actor, answer_id: str, now: datetime, acted_at: datetime) -> None:
        with self.uow() as uow:
            item = uow.reviews.get(answer_id)
            if not uow.reviews.leave(answer_id, actor.user, now, acted_at, ClaimEnd.EXPIRED):
                return
            note(uow, "system", "review.expire", item, now, idle=actor.user)
            uow.commit()
        self.book()

    def _held(self, uow: UnitOfWork, actor: Actor, answer_id: str, now: datetime) -> ReviewItem:
        """The item, where this person holds it now."""
        item = uow.reviews.get(answer_id)
        bar = bar_of(actor, item, now)
        if bar is not None and bar is not Bar.TAKEN:
            raise barred(bar, item, actor)
        if item.lease is None or item.lease.holder != actor.user or not item.lease.live(now):
            raise lost(item)
        return item


def _verdict(
    uow: UnitOfWork,
    actor: Actor,
    item: ReviewItem,
    kind: VerdictKind,
    correction: str,
    reason: str,
    source: str,
    now: datetime,
) -> Verdict:
    """What they said, complete: a correction has words, a rejection a reason."""
    check_length(reason, REASON_CHARACTERS)
    if kind is VerdictKind.REJECT:
        check_text(reason, REASON_CHARACTERS)
    if kind is not VerdictKind.CORRECT:
        return Verdict(actor.user, kind, now, reason=reason.strip())
    if source:
        if source not in {linked.answer_id for linked in uow.review_notes.linked(item.answer_id)}:
            raise NotFound(f"{source} was not run for answer {item.answer_id}", answer_id=source)
        correction = correction or uow.answers.text(source).answer
    words = correction.strip()
    if not words:
        raise InvalidInput("a correction needs its words", reason="review_words")
    check_length(words, WORDS_CHARACTERS)
    if words == uow.answers.text(item.answer_id).answer.strip():
        raise InvalidInput("the words are those of the answer: approve it", reason="review_same")
    return Verdict(actor.user, kind, now, words, reason.strip(), source)
