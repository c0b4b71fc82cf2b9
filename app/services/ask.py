"""One question from decision to receipt. Orders the steps: decide, hold, run, settle.

A hold outlives its process by its lease at most.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from app.ports import Cancelled, OpenUnitOfWork
from app.services.admission import Admission, AskForm, clean
from app.services.policy import in_force
from app.services.prices import expected_of
from app.services.reading import Receipt, receipt_for
from app.services.run import Event, Limits, Started, Written
from policies.budget import Payer
from policies.decide import decide
from policies.errors import InvalidInput, NotFound
from policies.expected import Expected
from policies.review import readable
from policies.roles import Action, Actor, require
from policies.types import Ceiling, Decision, Importance

__all__ = [
    "Ask", "AskForm", "Event", "Limits", "Preview", "Receipt", "Started", "Written", "clean",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be decided now, and the ceilings it would have to fit under. Nothing is held."""

    decision: Decision
    nfe_per_token: int
    ceilings: tuple[Ceiling, ...]
    expected: Expected | None = None
    """From earlier answers on this rung; None where there are too few."""


@dataclass(frozen=True)
class Ask:
    """The use case."""

    admission: Admission
    """What decides and holds before anything runs, with all that it takes from outside."""
    reader: OpenUnitOfWork
    """For what only reads: it waits for no writer."""

    def preview(self, actor: Actor, form: AskForm) -> Preview:
        """The quote before sending, without waiting for a writer.

        Raises Forbidden, InvalidInput, Unpriced.
        """
        return self._previews(actor, form, (form.importance,))[form.importance]

    def previews(self, actor: Actor, form: AskForm) -> dict[Importance, Preview]:
        """The same for every importance, by the same policy and prices; raises the same."""
        return self._previews(actor, form, tuple(Importance))

    def __call__(
        self,
        actor: Actor,
        form: AskForm,
        idempotency_key: str,
        cancelled: Cancelled = lambda: False,
    ) -> Generator[Event, None, None]:
        """Started, Written…, Receipt. Closing the iterator early cancels, settles to the work done.

        Raises Forbidden, InvalidInput, Unpriced, OverCeiling (with the numbers and the rung that
        would fit), KeyReused, Unavailable. Once Started was given, the answer is settled whatever
        happens.
        """
        admitted = self.admission.one(actor, form, idempotency_key)
        if isinstance(admitted, Receipt):
            yield admitted
            return
        yield from self.admission.run(admitted, cancelled).events()

    def rate(self, actor: Actor, answer_id: str, rating: int) -> None:
        """Thumbs of the person who asked: +1 or -1. Raises Forbidden, InvalidInput, NotFound."""
        require(actor, Action.READ_OWN)
        if rating not in (1, -1):
            raise InvalidInput(f"a rating is 1 or -1, got {rating}", rating=rating)
        with self.admission.uow() as uow:
            row = uow.answers.get(answer_id)
            if row.user != actor.user or not readable(actor, row):
                raise NotFound(f"there is no answer {answer_id} that {actor.user} may rate")
            uow.answers.rate(answer_id, rating, self.admission.clock())
            uow.commit()

    def read(self, actor: Actor, answer_id: str) -> Receipt:
        """A settled or running answer; of one that waits for review its asker gets no text.

        Raises NotFound, also for another's.
        """
        with self.admission.uow() as uow:
            return receipt_for(uow, actor, uow.answers.get(answer_id))

    def recover(self) -> list[str]:
        """Settle what dead processes left behind; returns the answers concerned."""
        with self.admission.uow() as uow:
            expired = uow.ledger.expire(self.admission.clock())
            uow.commit()
        return expired

    def _previews(
        self, actor: Actor, form: AskForm, importances: Sequence[Importance]
    ) -> dict[Importance, Preview]:
        admission = self.admission
        request = admission.request(actor, form)
        with self.reader() as uow:
            policy, prices, now = (
                in_force(uow, admission.policy),
                admission.prices(uow),
                admission.clock(),
            )
            found = {}
            for importance in importances:
                decision = decide(replace(request, importance=importance), policy, prices)
                payer = Payer(request.user, request.team, decision.granted)
                ceilings = uow.ledger.ceilings_of(payer, decision.limits, prices.currency, now)
                found[importance] = Preview(
                    decision,
                    admission.engine.nfe_per_token(decision.plan),
                    tuple(ceilings),
                    expected_of(uow, decision, prices),
                )
        return found
