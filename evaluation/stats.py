"""Intervals for rates. Every mean that is shown has its n and one of these."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of n trials with a 95 % interval; all in [0, 1]."""

    value: float
    low: float
    high: float
    n: int


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
