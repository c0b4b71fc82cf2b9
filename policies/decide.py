"""From a request to a decision: which rung, at most how much, why. Pure; rules leave reasons."""

from collections.abc import Iterator
from dataclasses import replace

from policies.ceilings import limits_of
from policies.document import Policy
from policies.pricing import quote
from policies.rules import demands, reason
from policies.types import (
    AtCeiling,
    Decision,
    Importance,
    Plan,
    PriceList,
    Reason,
    Request,
)


def decide(request: Request, policy: Policy, prices: PriceList) -> Decision:
    """The rung of the importance asked for, or of the highest that a rule demands."""
    asked = request.importance
    found = demands(request, policy.rules)
    granted = max([asked, *(d.importance for d in found)], key=lambda i: i.rank)
    reasons = [Reason("reason.asked", {"importance": asked.value})]
    reasons += [reason(demand, asked) for demand in found]
    if approvals := policy.reviews[granted].approvals:
        reasons.append(Reason("reason.review", {"approvals": approvals}))
    return _decision(request, policy, prices, granted, tuple(reasons))


def steps_down(request: Request, policy: Policy, prices: PriceList) -> Iterator[Decision]:
    """What the policy lets run instead where the decision does not fit, most important first.

    Ends at a rung that refuses at the ceiling, and at what a rule demands: a ceiling saves compute,
    it does not undo a rule. Who must approve stays as it was decided.
    """
    first = decide(request, policy, prices)
    floor = max((d.importance.rank for d in demands(request, policy.rules)), default=0)
    last = first
    while last.at_ceiling is AtCeiling.STEP_DOWN and last.granted.rank > floor:
        lower = list(Importance)[last.granted.rank - 1]
        stepped = Reason(
            "reason.stepped_down", {"wanted": first.granted.value, "importance": lower.value}
        )
        decision = _decision(request, policy, prices, lower, (*first.reasons, stepped))
        last = replace(decision, review=first.review)
        yield last


def offers(request: Request, policy: Policy, prices: PriceList) -> Iterator[Decision]:
    """What the asker could ask for instead, most important first. Rules apply to these as well."""
    last = decide(request, policy, prices).granted
    for importance in reversed(list(Importance)[: request.importance.rank]):
        decision = decide(replace(request, importance=importance), policy, prices)
        if decision.granted.rank < last.rank:
            last = decision.granted
            yield decision


def _decision(
    request: Request,
    policy: Policy,
    prices: PriceList,
    granted: Importance,
    reasons: tuple[Reason, ...],
) -> Decision:
    plan = Plan(request.domain, policy.rungs[granted])
    return Decision(
        asked=request.importance,
        granted=granted,
        plan=plan,
        quote=quote(plan, request.prompt_tokens, prices),
        reasons=reasons,
        policy_version=policy.version,
        price_version=prices.version,
        limits=limits_of(policy.ceilings, request.team, request.user, granted),
        review=policy.reviews[granted],
        at_ceiling=policy.at_ceiling[granted],
    )
