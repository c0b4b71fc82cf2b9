"""What does not fit, and under which ceiling: what a refusal says, with every number."""

from collections.abc import Sequence
from dataclasses import asdict

from app.ports import Reservation
from policies.budget import Payer
from policies.errors import OverCeiling, Unavailable
from policies.types import Ceiling, Limit, Window
from storage.counters import Counter


def fits_alone(wanted: Reservation) -> None:
    """Ceilings of a single request: nothing adds up under them. Raises OverCeiling."""
    for limit in wanted.limits:
        if limit.window is Window.REQUEST and wanted.nanos > limit.limit_nanos:
            raise _refusal(request_ceiling(limit), wanted.nanos)


def request_ceiling(limit: Limit) -> Ceiling:
    return Ceiling(limit.scope, limit.limit_nanos, 0, 0, limit.currency, Window.REQUEST)


def comparable(counters: Sequence[Counter], currencies: set[str]) -> None:
    """Without a ceiling nothing runs, and amounts of two currencies cannot be compared.

    Raises Unavailable.
    """
    if not any(counter.account.scope == "pilot" for counter in counters):
        raise Unavailable("this pilot has no budget yet; set its limit first")
    if len(found := currencies | {counter.currency for counter in counters}) > 1:
        raise Unavailable(
            f"prices and budgets are in {', '.join(sorted(found))}; they must use one currency"
        )


def amounts_under(counters: Sequence[Counter], wanted: Sequence[tuple[Payer, int]]) -> list[int]:
    """What comes under each counter of all that is wanted."""
    return [
        sum(nanos for payer, nanos in wanted if counter.account.scope in payer.scopes())
        for counter in counters
    ]


def over(counters: Sequence[Counter], amounts: Sequence[int]) -> OverCeiling:
    """Names the one that lacks most: what fits there fits everywhere."""
    ceilings = [counter.ceiling() for counter in counters]
    lacking = [
        (ceiling.headroom_nanos - amount, place)
        for place, (ceiling, amount) in enumerate(zip(ceilings, amounts, strict=True))
    ]
    _, tightest = min(lacking)
    return _refusal(ceilings[tightest], amounts[tightest])


def _refusal(ceiling: Ceiling, nanos: int) -> OverCeiling:
    window = f"{ceiling.window} {ceiling.window_start}".strip()
    return OverCeiling(
        f"{nanos} nanos do not fit under the ceiling of {ceiling.scope}, {window}: of "
        f"{ceiling.limit_nanos}, {ceiling.committed_nanos} are spent and {ceiling.held_nanos} held",
        **asdict(ceiling),
        quote_nanos=nanos,
        fits="",
    )
