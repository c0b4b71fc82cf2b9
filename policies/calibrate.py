"""From timed runs to a price list: seconds a unit, their spread, whole nanos. Pure.

Seconds are measurements and floats; they become money once, here, rounded up, and are integers from
then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from statistics import median, quantiles

from policies.errors import InvalidInput
from policies.types import PriceList, Units

HOUR_SECONDS = 3600
KWH_JOULES = 3_600_000


@dataclass(frozen=True, slots=True)
class Timed:
    """One run alone on the device."""

    units: Units
    seconds: float
    joules: float | None = None
    """Of the device while it ran; None where nothing measures it."""


@dataclass(frozen=True, slots=True)
class Round:
    """Four runs that differ in one thing each, so that fixed costs cancel."""

    few: Timed
    """A short question, few tokens, no refinement."""
    many: Timed
    """The same with many tokens."""
    long: Timed
    """A long question with many tokens."""
    refined: Timed
    """The short question with many tokens, each refined."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of n measurements with its quartiles."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds of the device for one more of each unit, and watts while it works."""

    prompt_token: Spread
    decode_token: Spread
    nfe: Spread
    watts: Spread | None


@dataclass(frozen=True, slots=True)
class DeviceCost:
    """What the device costs, in nanos of the currency."""

    hour_nanos: int
    kwh_nanos: int = 0


def rates(rounds: Sequence[Round]) -> Rates:
    """Raises InvalidInput where the runs were too alike to tell units apart."""
    found = [_of_round(each) for each in rounds]
    watts = [w for each in rounds for t in _runs(each) if (w := _watts(t)) is not None]
    prompt, decode, nfe = (_spread([values[i] for values in found]) for i in range(3))
    return Rates(prompt, decode, nfe, _spread(watts) if watts else None)


def price_list(
    measured: Rates, cost: DeviceCost, version: str, currency: str, model: str, since: datetime
) -> PriceList:
    """Whole nanos a unit at the median, rounded up so that a price never hides a cost."""

    def nanos(seconds: Spread) -> int:
        return cost_of(seconds.median, cost, measured.watts.median if measured.watts else 0.0)

    return PriceList(
        version=version,
        currency=currency,
        model=model,
        prompt_token_nanos=nanos(measured.prompt_token),
        decode_token_nanos=nanos(measured.decode_token),
        nfe_nanos=nanos(measured.nfe),
        valid_from=since,
    )


def cost_of(seconds: float, cost: DeviceCost, watts: float = 0.0) -> int:
    """What so much of the device's time costs, with its energy where that is paid for apart."""
    time = Decimal(seconds) * cost.hour_nanos / HOUR_SECONDS
    energy = Decimal(seconds) * Decimal(watts) * cost.kwh_nanos / KWH_JOULES
    return int((time + energy).to_integral_value(ROUND_CEILING))


def _of_round(each: Round) -> tuple[float, float, float]:
    """Differences only: what every run spends to begin is in none of them."""
    more = each.many.units.decode_tokens - each.few.units.decode_tokens
    longer = each.long.units.prompt_tokens - each.many.units.prompt_tokens
    if more < 1 or longer < 1 or each.refined.units.nfe < 1:
        raise InvalidInput(
            f"the runs tell no units apart: {more} more tokens written, {longer} more read, "
            f"{each.refined.units.nfe} evaluations; allow more tokens"
        )
    decode = max(0.0, (each.many.seconds - each.few.seconds) / more)
    prompt = max(0.0, _beyond(each.long, each.many, decode) / longer)
    nfe = max(0.0, _beyond(each.refined, each.many, decode) / each.refined.units.nfe)
    return prompt, decode, nfe


def _beyond(run: Timed, base: Timed, decode: float) -> float:
    """Seconds more than a base run, without those for tokens that it wrote more."""
    written = run.units.decode_tokens - base.units.decode_tokens
    return run.seconds - base.seconds - written * decode


def _runs(each: Round) -> tuple[Timed, ...]:
    return (each.few, each.many, each.long, each.refined)


def _watts(run: Timed) -> float | None:
    return None if run.joules is None or run.seconds <= 0 else run.joules / run.seconds


def _spread(values: Sequence[float]) -> Spread:
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high, len(values))
