"""The one way an answer's text comes out: policies.review.readable says yes first."""

from app.ports import NO_TRACE, AnswerRow, AnswerText, Trace, UnitOfWork
from policies.errors import NotFound
from policies.review import readable
from policies.roles import Actor


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
