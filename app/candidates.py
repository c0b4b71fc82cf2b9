"""Several answers to one question from several seeds, and the vote among them.

The paper's token search does better than one answer; its reading of the prompt is shared, see
`Sampler`. How an answer is read is the caller's business.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from model.errors import ConfigError
from model.sampler import Row

_SEEDS, _STRIDE = 2**63, 0x61C8864680B583EB
"""Candidates' seeds lie far apart, so that they do not meet those of the next question."""


def candidates(row: Row, n: int) -> list[Row]:
    """n rows of one prompt; the first keeps the row's seed, so one candidate is the row itself."""
    if n < 1:
        raise ConfigError(f"candidates must be at least 1, got {n}")
    return [replace(row, seed=(row.seed + i * _STRIDE) % _SEEDS) for i in range(n)]


@dataclass(frozen=True, slots=True)
class Vote:
    """Which of the candidates speaks for all."""

    winner: int
    """Its place: of the answers given most often the earliest, so that ties go to its seed."""
    votes: tuple[int, ...]
    """For each candidate, how many gave its answer; 0 where no answer could be read."""


def vote(texts: Sequence[str], extract: Callable[[str], Hashable | None]) -> Vote:
    """Majority of what `extract` reads in each text; None gives no answer and does not vote."""
    answers = [extract(text) for text in texts]
    counts = Counter(answer for answer in answers if answer is not None)
    votes = tuple(counts[answer] for answer in answers)
    return Vote(votes.index(max(votes)), votes)
