"""From a request to a decision: which rung, at most how much, why. Pure; rules leave reasons."""

from policies.document import Policy
from policies.pricing import quote
from policies.types import Ceiling, Decision, Importance, Plan, PriceList, Reason, Request


def decide(request: Request, policy: Policy, prices: PriceList) -> Decision:
    """The rung of the importance asked for, quoted at its caps."""
    granted = request.importance
    plan = Plan(request.domain, policy.rungs[granted])
    reasons = (Reason("reason.asked", {"importance": granted.value}),)
    return Decision(
        asked=request.importance,
        granted=granted,
        plan=plan,
        quote=quote(plan, request.prompt_tokens, prices),
        reasons=reasons,
        policy_version=policy.version,
        price_version=prices.version,
    )


def rung_that_fits(
    request: Request, policy: Policy, prices: PriceList, ceiling: Ceiling
) -> Importance | None:
    """The highest lower importance whose worst case fits the headroom: the offer at the ceiling."""
    for importance in reversed(Importance):
        if importance.rank >= request.importance.rank:
            continue
        plan = Plan(request.domain, policy.rungs[importance])
        if quote(plan, request.prompt_tokens, prices).nanos <= ceiling.headroom_nanos:
            return importance
    return None
