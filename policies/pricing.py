"""What units cost: whole nanos, multiplied and added only, so a quote is a true upper bound."""

from collections.abc import Iterable
from datetime import datetime

from policies.errors import Unpriced
from policies.types import Plan, PriceList, Quote, Units


def price(units: Units, prices: PriceList) -> int:
    """Nanos of the price list's currency for these units, exact."""
    return (
        units.prompt_tokens * prices.prompt_token_nanos
        + units.decode_tokens * prices.decode_token_nanos
        + units.nfe * prices.nfe_nanos
    )


def worst_case(plan: Plan, prompt_tokens: int) -> Units:
    """The most units a plan can use: every token it may write at its cap, one reading."""
    return Units(prompt_tokens, plan.rung.most_tokens, plan.rung.most_nfe)


def quote(plan: Plan, prompt_tokens: int, prices: PriceList) -> Quote:
    units = worst_case(plan, prompt_tokens)
    return Quote(units, price(units, prices), prices.currency)


def in_force(lists: Iterable[PriceList], model: str, now: datetime) -> PriceList:
    """The latest list valid for a model. Raises Unpriced: what has no price does not run."""
    valid = [p for p in lists if p.model == model and p.valid_from <= now]
    if not valid:
        raise Unpriced(f"no price is valid for model {model} at {now.isoformat()}", model=model)
    return max(valid, key=lambda p: (p.valid_from, p.version))
