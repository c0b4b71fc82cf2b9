"""The one way an answer's text comes out: policies.review.readable says yes first."""

from dataclasses import dataclass

from app.ports import NO_TRACE, AnswerRow, AnswerText, Trace, UnitOfWork
from policies.errors import NotFound
from policies.review import readable
from policies.roles import Actor


@dataclass(frozen=True, slots=True)
class Receipt:
    """A settled answer: what is on the card is what is in the ledger."""

    row: AnswerRow
    text: AnswerText
    replayed: bool = False
    """True where an idempotency key came back and nothing ran again."""
    review_seconds: int = 0
    """Of its reviewers' time, in claims that have ended."""
    review_nanos: int = 0
    """Of that, what is in the ledger by now: a part of the row's cost, and of no quote."""

    @property
    def compute_nanos(self) -> int:
        """What was quoted and charged for computing, less refunds."""
        return self.row.cost_nanos - self.review_nanos


def receipt_for(uow: UnitOfWork, actor: Actor, row: AnswerRow, replayed: bool = False) -> Receipt:
    """With the texts that this person may read. Raises NotFound as `text_for`."""
    text, claims = text_for(uow, actor, row), uow.reviews.claims(row.id)
    reviewed = sum(claim.seconds for claim in claims), sum(claim.nanos for claim in claims)
    return Receipt(row, text, replayed, *reviewed)


def text_for(uow: UnitOfWork, actor: Actor, row: AnswerRow) -> AnswerText:
    """The texts that this person may read; of a withheld answer its asker gets the question alone.

    Raises NotFound for anyone else, as if there were no such answer.
    """
    if readable(actor, row):
        return uow.answers.text(row.id)
    if row.user == actor.user:
        return AnswerText(uow.answers.question(row.id), "")
    raise NotFound(f"there is no answer {row.id} that {actor.user} may read", answer_id=row.id)


def trace_for(uow: UnitOfWork, actor: Actor, row: AnswerRow) -> Trace:
    """How the answer came to be, word by word; nothing where its text may not be read."""
    return uow.traces.get(row.id) if readable(actor, row) else NO_TRACE
