"""What people preferred when they saw answers of two rungs to the same question side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.ports.slice import Slice
from policies.types import Importance


class Preferred(StrEnum):
    """Of the answer with less compute and the one with more."""

    LESS = "less"
    MORE = "more"
    TIE = "tie"
    """As good as each other."""
    BAD = "bad"
    """Both of no use."""


@dataclass(frozen=True, slots=True)
class PairVote:
    """Of one person, over two of their answers to the same question."""

    less_id: str
    more_id: str
    preferred: Preferred
    blind: bool
    """Given before it was said which is which."""
    voted_at: datetime


@dataclass(frozen=True, slots=True)
class PairCount:
    """How often which of two rungs was preferred, blind."""

    less: Importance
    less_cap: int
    """Evaluations a token its rung allowed."""
    more: Importance
    more_cap: int
    less_better: int
    more_better: int
    ties: int
    bad: int
    seen: int
    """Votes of those who saw which is which: counted here and nowhere else."""

    @property
    def n(self) -> int:
        """Blind votes."""
        return self.less_better + self.more_better + self.ties + self.bad


class Votes(Protocol):
    def add(self, votes: Sequence[PairVote]) -> None:
        """The first vote on a pair stands; another changes nothing."""
        ...

    def pairs(self, chosen: Slice, window: int) -> list[PairCount]:
        """Of the newest `window` votes those that belong to it; least compute first.

        A slice of one importance keeps pairs that have it on either side.
        """
        ...
