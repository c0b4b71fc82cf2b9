"""Intervals for rates and for differences of paired rates. Pure.

Every mean that is shown has its n and one of these. Two budgets answer the same questions from the
same noise, so it is the questions on which they disagree that tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

Z_95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of n trials with a 95 % interval; all in [0, 1]."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Second rate less first on the same n questions, with a 95 % interval; all in [-1, 1]."""

    value: float
    low: float
    high: float
    n: int
    gained: int
    """Questions that only the second has right."""
    lost: int
    """Questions that only the first has right."""

    @property
    def shown(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    @property
    def p_value(self) -> float:
        """Two-sided exact McNemar: that chance alone makes as uneven a split of the changes.

        Psychometrika 12 (1947), p. 153; in (0, 1], and 1 where nothing changed.
        """
        changes, fewer = self.gained + self.lost, min(self.gained, self.lost)
        ways = sum(comb(changes, k) for k in range(fewer + 1))
        return min(1.0, 2 * ways / (1 << changes))


def wilson(successes: int, n: int) -> Rate:
    """Wilson's score interval (J. Am. Stat. Assoc. 22, 1927, p. 209); holds near 0 and 1 too."""
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"successes must be from 0 to n and n above 0, got {successes} of {n}")
    p, z2 = successes / n, Z_95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Rate(p, max(0.0, low), min(1.0, high), n)


def paired(first: Sequence[bool], second: Sequence[bool]) -> Difference:
    """How much more the second has right, each place being one question answered twice.

    Interval of Bonett and Price (Stat. Med. 31, 2012, p. 479): Wald's, with one question more in
    each direction of change; it keeps its 95 % in small samples and where nothing changed. Like
    theirs it is drawn towards zero a little, so of few questions `value` is not its middle.
    """
    if len(first) != len(second) or not first:
        raise ValueError(
            f"pairs need the same questions, at least one; got {len(first)} and {len(second)}"
        )
    pairs = list(zip(first, second, strict=True))
    n, gained, lost = len(pairs), pairs.count((False, True)), pairs.count((True, False))
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = Z_95 * sqrt((up + down - (up - down) ** 2) / (n + 2))
    low, high = max(-1.0, up - down - half), min(1.0, up - down + half)
    return Difference((gained - lost) / n, low, high, n, gained, lost)
