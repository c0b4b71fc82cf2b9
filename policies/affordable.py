"""What a policy cannot mean at a price list: rungs that no ceiling lets run, another currency."""

from collections.abc import Iterator

from policies.ceilings import CeilingRule
from policies.contradictions import Contradiction
from policies.document import Policy, parse_written
from policies.pricing import quote
from policies.types import Domain, Importance, Plan, PriceList
from policies.written import Fault, Written, read

SHORTEST_PROMPT = 1
"""Tokens. Whatever is too dear even for this can never run."""


def check(text: str, source: str, prices: PriceList | None) -> tuple[Policy | None, list[Fault]]:
    """A policy and every fault that its document has, also at these prices. Never raises."""
    policy, found = parse_written(text, source)
    if policy is None or prices is None:
        return policy, found
    written = read(text, source)
    assert isinstance(written, Written)  # it was parsed
    return policy, [written.fault(*each) for each in unaffordable(policy, prices)]


def unaffordable(policy: Policy, prices: PriceList) -> list[Contradiction]:
    """Ceilings in another currency, and those under which a rung can never run."""
    return [
        found
        for i, ceiling in enumerate(policy.ceilings)
        for found in _of_ceiling(i, ceiling, policy, prices)
    ]


def _of_ceiling(
    i: int, ceiling: CeilingRule, policy: Policy, prices: PriceList
) -> Iterator[Contradiction]:
    if ceiling.currency != prices.currency:
        yield (
            ("ceilings", i, "limit"),
            f"is in {ceiling.currency}, the prices are in {prices.currency}",
        )
        return
    if ceiling.scope in ("team", "user") and ceiling.name is not None:
        return  # someone may well be meant to have nothing, or only the cheap rungs
    for importance in Importance:
        if ceiling.scope == "importance" and ceiling.name not in (None, importance.value):
            continue
        plan = Plan(Domain.GENERAL, policy.rungs[importance])
        most = quote(plan, SHORTEST_PROMPT, prices).nanos
        if most > ceiling.limit_nanos:
            yield (
                ("ceilings", i, "limit"),
                f"{importance} can never run: one answer is quoted at {most} nanos or more, the "
                f"limit is {ceiling.limit_nanos}; raise it, or give {importance} fewer tokens, "
                "candidates or evaluations",
            )
