"""The same question at two to four importances: paired by the same noise, seen blind if wanted.

Each answer is one like any other, with its own hold and charge; a vote rates what was asked. What
a reviewer must see first cannot be compared, so it is not offered.
"""

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.ports import Cancelled
from app.services.ask import Ask, AskForm, Preview, Receipt
from policies.errors import InvalidInput
from policies.roles import Actor
from policies.types import Importance

FEWEST, MOST = 2, 4
Shuffle = Callable[[list[Importance]], None]


def _at_random(order: list[Importance]) -> None:
    random.SystemRandom().shuffle(order)


class Vote(StrEnum):
    BEST = "best"
    TIE = "tie"
    BAD = "bad"
    """None of them is of use."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An importance that can be compared, and the most its answer can cost."""

    importance: Importance
    preview: Preview


@dataclass(frozen=True)
class SideBySide:
    ask: Ask
    shuffle: Shuffle = _at_random

    def offers(self, actor: Actor, form: AskForm) -> list[Offer]:
        """Least important first; none that rules would raise to another or reviewers must see."""
        previews = {i: self.ask.preview(actor, replace(form, importance=i)) for i in Importance}
        return [
            Offer(i, p)
            for i, p in previews.items()
            if p.decision.granted is i and not p.decision.review.approvals
        ]

    def __call__(
        self,
        actor: Actor,
        form: AskForm,
        importances: Sequence[Importance],
        key: str,
        blind: bool,
        cancelled: Cancelled = lambda: False,
    ) -> Generator[Receipt, None, None]:
        """Receipts as they come, blind ones in random order. All must fit, or none is run.

        Raises InvalidInput, and what `Ask` raises.
        """
        chosen = self._chosen(actor, form, importances)
        order = [offer.importance for offer in chosen]
        if blind:
            self.shuffle(order)
        seed = self.ask.new_seed() if form.seed is None else form.seed
        for importance in order:
            each = replace(form, importance=importance, seed=seed)
            for event in self.ask(actor, each, f"{key}-{importance}", cancelled):
                if isinstance(event, Receipt):
                    yield event

    def vote(self, actor: Actor, shown: Sequence[str], vote: Vote, best: int = 0) -> None:
        """Rates the answers shown: the best one up, all of a tie up, all of what is no use down."""
        if vote is Vote.BEST and not 0 <= best < len(shown):
            raise InvalidInput(f"one of {len(shown)} answers is the best, got {best}")
        rated = [shown[best]] if vote is Vote.BEST else shown
        for answer_id in rated:
            self.ask.rate(actor, answer_id, -1 if vote is Vote.BAD else 1)

    def _chosen(
        self, actor: Actor, form: AskForm, importances: Sequence[Importance]
    ) -> list[Offer]:
        offers = [o for o in self.offers(actor, form) if o.importance in importances]
        if not FEWEST <= len(offers) <= MOST:
            raise InvalidInput(
                f"{FEWEST} to {MOST} importances can be compared, got {len(offers)}",
                reason="compare_count",
                fewest=FEWEST,
                most=MOST,
            )
        worst = sum(offer.preview.decision.quote.nanos for offer in offers)
        room = [c.headroom_nanos for offer in offers for c in offer.preview.ceilings]
        if room and worst > min(room):
            raise InvalidInput(
                f"all together may cost {worst} nanos, {min(room)} are left",
                reason="compare_too_dear",
            )
        return offers
