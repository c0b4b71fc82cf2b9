"""What every step of a review says: why not, what is too long, and its line in the audit log."""

from datetime import datetime

from app.ports import AuditEvent, ReviewItem, UnitOfWork
from policies.errors import Forbidden, InvalidInput, PilotError
from policies.plain import check_plain
from policies.review import Bar, bar_to_claim
from policies.roles import Action, Actor

WORDS_CHARACTERS, REASON_CHARACTERS = 20_000, 2_000


def bar_of(actor: Actor, item: ReviewItem, now: datetime) -> Bar | None:
    """What keeps this person from claiming it now."""
    return bar_to_claim(
        actor, item.requester, item.review, item.state, item.decided_by, item.lease, now
    )


def barred(bar: Bar, item: ReviewItem, actor: Actor) -> PilotError:
    """What keeps them from it, said so that they know what to do."""
    this = f"answer {item.answer_id}"
    if bar in (Bar.ROLE, Bar.NOT_NAMED):
        return Forbidden(
            f"{actor.user} may not review {this}", user=actor.user, action=Action.REVIEW.value
        )
    if bar is Bar.OWN:
        return InvalidInput(f"{actor.user} asked for {this} themselves", reason="review_own")
    if bar is Bar.AGAIN:
        return InvalidInput(f"{actor.user} decided over {this} already", reason="review_again")
    if bar is Bar.DECIDED:
        return InvalidInput(f"{this} is decided already", reason="review_decided")
    if bar is Bar.ASKED:
        return InvalidInput(f"{this} waits for its requester's reply", reason="review_asked")
    holder = item.lease.holder if item.lease else ""
    return InvalidInput(f"{holder} holds {this} now", reason="review_taken", holder=holder)


def lost(item: ReviewItem) -> InvalidInput:
    return InvalidInput(
        f"the claim on answer {item.answer_id} is over; claim it again, the draft is kept",
        reason="review_lost",
    )


def note(
    uow: UnitOfWork, by: str, action: str, item: ReviewItem, now: datetime, **more: str
) -> None:
    """In the audit log; never a word of a question, an answer, a reason."""
    details = {"importance": item.importance.value, "claim": item.claim} | more
    uow.audit.append(AuditEvent(by, action, item.answer_id, details, now))


def check_text(text: str, limit: int) -> None:
    if not text.strip():
        raise InvalidInput("say why, in a few words", reason="review_reason")
    check_length(text, limit)


def check_length(text: str, limit: int) -> None:
    """And that all of it can be seen."""
    if len(text) > limit:
        raise InvalidInput(
            f"the text has {len(text)} characters, at most {limit} are taken",
            reason="review_length",
            characters=len(text),
            limit=limit,
        )
    check_plain(text)
