"""What a person asked before: found again by its words, read again, and how it came to be."""

from dataclasses import dataclass

from app.ports import AnswerStatus, OpenUnitOfWork, Place, Trace
from app.ports.board import Found
from app.services.reading import Receipt, receipt_for, trace_for
from policies.errors import InvalidInput
from policies.plain import check_plain
from policies.review import ItemState
from policies.roles import Action, Actor, require

SHOWN = 10
WORDS_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A question in the list, and where its review stands, if that concerns who asked."""

    found: Found
    place: Place | None


@dataclass(frozen=True)
class Mine:
    """Own answers only: another's does not exist here, whatever one's roles."""

    reader: OpenUnitOfWork

    def search(self, actor: Actor, words: str = "") -> list[Listed]:
        """The newest whose question or open answer holds every word. Raises InvalidInput."""
        require(actor, Action.READ_OWN)
        if len(words) > WORDS_CHARACTERS:
            raise InvalidInput(
                f"a search has at most {WORDS_CHARACTERS} characters, got {len(words)}",
                reason="search_characters",
                limit=WORDS_CHARACTERS,
            )
        check_plain(words)
        with self.reader() as uow:
            found = uow.board.search(actor.user, words, SHOWN)
            places = uow.reviews.places([each.answer_id for each in found])
        return [Listed(each, _concerning(each, places.get(each.answer_id))) for each in found]

    def read(self, actor: Actor, answer_id: str) -> Receipt:
        """Of one that waits for review without its text. Raises NotFound."""
        with self.reader() as uow:
            return receipt_for(uow, actor, uow.answers.get(answer_id))

    def trace(self, actor: Actor, answer_id: str) -> Trace:
        """Token by token; an empty one where none was kept or nothing may be read yet."""
        with self.reader() as uow:
            return trace_for(uow, actor, uow.answers.get(answer_id))


def _concerning(found: Found, place: Place | None) -> Place | None:
    """A random check of an answer that is out concerns its asker only where they are asked."""
    waits = found.status is AnswerStatus.PENDING_REVIEW
    return place if waits or (place and place.state is ItemState.ASKED) else None
