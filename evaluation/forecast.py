"""What will be spent if it goes on as of late. Pure; money is whole nanos with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from evaluation.stats import Z_95

FEWEST = 5
"""Whole days below which nothing is foretold."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Nanos that come on top, with a 95 % interval, and a day's mean that it rests on."""

    nanos: int
    low_nanos: int
    high_nanos: int
    daily_nanos: int
    ahead: int
    """Days foretold."""
    n: int
    """Days looked back on, those without any spend among them."""


def forecast(daily: Sequence[int], ahead: int) -> Forecast | None:
    """`daily` are the latest whole days; None where they are too few.

    Days are taken as draws of one kind: the interval holds their scatter and that of their mean,
    not a change of habits. It never goes below nothing.
    """
    n = len(daily)
    if n < FEWEST or ahead < 0:
        return None
    mean = sum(daily) / n
    scatter = sqrt(sum((day - mean) ** 2 for day in daily) / (n - 1))
    half = Z_95 * scatter * sqrt(ahead + ahead**2 / n)
    middle = mean * ahead
    return Forecast(
        nanos=round(middle),
        low_nanos=max(0, round(middle - half)),
        high_nanos=round(middle + half),
        daily_nanos=round(mean),
        ahead=ahead,
        n=n,
    )


def days_until(limit_left: int, daily: int) -> int | None:
    """Whole days until so much is spent at this pace; None where it never is."""
    return limit_left // daily if daily > 0 else None
