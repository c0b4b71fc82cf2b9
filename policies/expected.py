"""What a request will probably cost, from answers that ran on the same rung. Pure.

The quote is what it can cost at most and what is held. This is only said beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from policies.pricing import price
from policies.types import Decision, PriceList, Units

FEWEST = 5
"""Answers below which nothing is expected: the quote alone is said."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Nanos: the median of n earlier answers at today's prices, and where the middle 80 % lie."""

    nanos: int
    low_nanos: int
    high_nanos: int
    n: int


def expected(decision: Decision, earlier: Sequence[Units], prices: PriceList) -> Expected | None:
    """None where too few answers ran on this rung. The prompt is that of this request."""
    if len(earlier) < FEWEST:
        return None
    tokens = decision.quote.units.prompt_tokens
    costs = sorted(price(Units(tokens, u.decode_tokens, u.nfe), prices) for u in earlier)
    tenths = [int(value) for value in quantiles(costs, n=10, method="inclusive")]
    low, middle, high = (min(tenths[i], decision.quote.nanos) for i in (0, 4, 8))
    return Expected(middle, low, high, len(costs))
