"""The same question at two to four importances: paired by the same noise, seen blind if wanted.

Each answer is one like any other, with its own hold and charge. A vote is kept by pairs of answers,
beside ratings, which say something else. What a reviewer must see first is not offered.
"""

import random
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from app.ports import AnswerRow, Cancelled, PairVote, Preferred
from app.services.ask import Ask, AskForm, Preview, Receipt
from app.services.batch import Batch
from policies.errors import InvalidInput, NotFound
from policies.review import readable
from policies.roles import Action, Actor, require
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
        previews = self.ask.previews(actor, form)
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
        """Receipts in the order shown, blind ones at random. One decision: all fit, or none is run.

        Raises InvalidInput, and what `Batch` raises.
        """
        order = self._chosen(actor, form, importances)
        if blind:
            self.shuffle(order)
        seed = self.ask.admission.new_seed() if form.seed is None else form.seed
        wanted = [(replace(form, importance=i, seed=seed), f"{key}-{i}") for i in order]
        ended, shown = dict[int, Receipt](), 0
        with closing(Batch(self.ask.admission)(actor, wanted, cancelled)) as batch:
            for at, receipt in batch:
                ended[at] = receipt
                while shown in ended:  # the order of ending would tell a cheap one from a dear one
                    yield ended[shown]
                    shown += 1

    def vote(
        self, actor: Actor, shown: Sequence[str], vote: Vote, best: int = 0, blind: bool = True
    ) -> None:
        """On the answers in the order shown, once. Raises Forbidden, InvalidInput, NotFound."""
        require(actor, Action.READ_OWN)
        if len(set(shown)) < FEWEST or len(set(shown)) < len(shown):
            raise InvalidInput(f"a vote is on {FEWEST} answers or more, got {list(shown)}")
        if vote is Vote.BEST and not 0 <= best < len(shown):
            raise InvalidInput(f"one of {len(shown)} answers is the best, got {best}")
        with self.ask.admission.uow() as uow:
            rows = [uow.answers.get(answer_id) for answer_id in shown]
            for row in rows:
                if row.user != actor.user or not readable(actor, row):
                    raise NotFound(f"there is no answer {row.id} that {actor.user} may vote on")
            uow.board.votes.add(
                _pairs(rows, vote, rows[best].id, blind, self.ask.admission.clock())
            )
            uow.commit()

    def _chosen(
        self, actor: Actor, form: AskForm, importances: Sequence[Importance]
    ) -> list[Importance]:
        offers = [o for o in self.offers(actor, form) if o.importance in importances]
        if not FEWEST <= len(offers) <= MOST:
            raise InvalidInput(
                f"{FEWEST} to {MOST} importances can be compared, got {len(offers)}",
                reason="compare_count",
                fewest=FEWEST,
                most=MOST,
            )
        return [offer.importance for offer in offers]


def _pairs(
    rows: Sequence[AnswerRow], vote: Vote, best: str, blind: bool, at: datetime
) -> list[PairVote]:
    """The best is better than each of the others; among those nothing was said."""
    pairs = combinations(sorted(rows, key=lambda row: row.granted.rank), 2)
    return [
        PairVote(less.id, more.id, _preferred(vote, more.id == best), blind, at)
        for less, more in pairs
        if vote is not Vote.BEST or best in (less.id, more.id)
    ]


def _preferred(vote: Vote, more: bool) -> Preferred:
    if vote is Vote.BEST:
        return Preferred.MORE if more else Preferred.LESS
    return Preferred.TIE if vote is Vote.TIE else Preferred.BAD
