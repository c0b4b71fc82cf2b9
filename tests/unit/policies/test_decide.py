"""Decisions: rules only raise, every reason is kept, ceilings and steps down follow the policy."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.ceilings import limits_of, over_request_limit
from policies.decide import decide, offers, steps_down
from policies.types import Domain, Importance, Limit, Reason, Review, Window
from tests.unit.policies.policies import PRICES, QUOTES, ceiling, policy, request, rule

ROUTINE, STANDARD, HIGH, CRITICAL = Importance
DOWN = {"at_ceiling": "step_down"}


@pytest.mark.parametrize(
    ("when", "matched"),
    [
        ({"domain": ["math"]}, "domain=math"),
        ({"domain": ["data", "business"]}, None),
        ({"team": ["legal", "sales"]}, "team=sales"),
        ({"team": ["legal"]}, None),
        ({"role": ["admin"]}, None),
        ({"role": ["requester"]}, "role=requester"),
        ({"wording": ["refund*"]}, "wording=refund*"),
        ({"wording": ["refunds"]}, None),
        ({"longer_than": 21}, "longer_than=22"),
        ({"longer_than": 22}, None),
        ({"language": ["latin"]}, "language=latin"),
        ({"language": ["japanese"]}, None),
        ({"domain": ["math"], "team": ["sales"]}, "domain=math, team=sales"),
        ({"domain": ["math"], "team": ["legal"]}, None),
    ],
)
def test_rule_applies_where_all_its_conditions_hold(
    when: dict[str, Any], matched: str | None
) -> None:
    decision = decide(
        request(question="How do refunded go on?"), policy(rules=[rule(**when)]), PRICES
    )
    assert decision.granted is (STANDARD if matched is None else HIGH)
    assert [r.values["matched"] for r in decision.reasons[1:]] == ([matched] if matched else [])


def test_highest_rule_counts_and_every_reason_is_kept() -> None:
    rules = [
        rule("standard", "small", team=["sales"]),
        rule("critical", "big", domain=["math"]),
        rule("high", "other", domain=["data"]),
    ]
    decision = decide(request(), policy(rules=rules, critical={"review": {"approvals": 2}}), PRICES)
    said = {"because": "it matters"}
    assert (decision.asked, decision.granted) == (STANDARD, CRITICAL)
    assert decision.reasons == (
        Reason("reason.asked", {"importance": "standard"}),
        Reason(
            "reason.rule_met",
            said | {"importance": "standard", "rule": "small", "matched": "team=sales"},
        ),
        Reason(
            "reason.rule",
            said | {"importance": "critical", "rule": "big", "matched": "domain=math"},
        ),
        Reason("reason.review", {"approvals": 2}),
    )
    assert decision.review == Review(2)
    assert decision.plan.rung.max_nfe_per_token == 15


@given(
    asked=st.sampled_from(Importance),
    raises=st.lists(st.sampled_from(["standard", "high", "critical"]), max_size=4),
    domains=st.lists(st.sampled_from([d.value for d in Domain]), min_size=4, max_size=4),
)
def test_no_rule_lowers_importance(
    asked: Importance, raises: list[str], domains: list[str]
) -> None:
    rules = [rule(r, f"r{i}", domain=[domains[i]]) for i, r in enumerate(raises)]
    decision = decide(request(asked), policy(rules=rules), PRICES)
    assert decision.granted.rank >= asked.rank
    assert decision.granted is asked or decision.granted.value in raises


def test_line_with_a_name_goes_before_the_line_for_all() -> None:
    lines = policy(
        ceilings=[
            ceiling("pilot", "month", "9 USD"),
            ceiling("team", "day", "2 USD"),
            ceiling("team", "day", "3 USD", "sales"),
            ceiling("user", "day", "1 USD", "bob"),
            ceiling("importance", "whole", "4 USD", "high"),
            ceiling("request", "request", "0.5 USD"),
        ]
    ).ceilings
    usd = 10**9
    assert limits_of(lines, "sales", "ann", HIGH) == (
        Limit("pilot", Window.MONTH, 9 * usd, "USD"),
        Limit("team:sales", Window.DAY, 3 * usd, "USD"),
        Limit("importance:high", Window.WHOLE, 4 * usd, "USD"),
        Limit("request", Window.REQUEST, usd // 2, "USD"),
    )
    assert [limit.scope for limit in limits_of(lines, "legal", "bob", ROUTINE)] == [
        "pilot", "team:legal", "user:bob", "request",
    ]  # fmt: skip


def test_decision_carries_the_limits_of_the_importance_granted() -> None:
    lines = [ceiling("importance", "day", "1 USD", "high")]
    raised = decide(request(), policy(ceilings=lines, rules=[rule(team=["sales"])]), PRICES)
    assert [limit.scope for limit in raised.limits] == ["importance:high"]


@pytest.mark.parametrize(("nanos", "fits"), [(259, False), (260, True), (261, True)])
def test_request_limit_holds_to_the_nano(nanos: int, fits: bool) -> None:
    assert QUOTES["standard"] == 260
    lines = [
        ceiling("request", "request", "5 USD"),
        ceiling("user", "request", f"0.{nanos:09d} USD"),
    ]
    over = over_request_limit(decide(request(), policy(ceilings=lines), PRICES))
    assert (over is None) == fits
    assert over is None or over.scope == "user:ann"


def test_steps_down_go_on_until_a_rung_refuses() -> None:
    three = policy(critical=DOWN, high=DOWN, standard={"at_ceiling": "refuse"})
    stepped = list(steps_down(request(CRITICAL), three, PRICES))
    assert [d.granted for d in stepped] == [HIGH, STANDARD]
    assert [d.quote.nanos for d in stepped] == [QUOTES["high"], QUOTES["standard"]]
    last = stepped[-1]
    assert (last.asked, last.plan.rung) == (CRITICAL, three.rungs[STANDARD])
    assert last.reasons[-1] == Reason(
        "reason.stepped_down", {"wanted": "critical", "importance": "standard"}
    )
    assert list(steps_down(request(CRITICAL), policy(), PRICES)) == []


def test_a_step_down_never_undoes_a_rule() -> None:
    ruled = policy(critical=DOWN, high=DOWN, standard=DOWN, rules=[rule(team=["sales"])])
    assert [d.granted for d in steps_down(request(CRITICAL), ruled, PRICES)] == [HIGH]
    assert list(steps_down(request(ROUTINE), ruled, PRICES)) == []


def test_a_step_down_does_not_escape_review() -> None:
    reviewed = policy(
        critical=DOWN | {"review": {"approvals": 2}}, high={"review": {"approvals": 1}}
    )
    (stepped,) = steps_down(request(CRITICAL), reviewed, PRICES)
    assert (stepped.granted, stepped.review) == (HIGH, Review(2))


def test_offer_is_only_what_would_run_less_when_asked_for() -> None:
    """A rule would raise routine and standard to high again: there is nothing to offer."""
    ruled = policy(rules=[rule(team=["sales"])])
    assert [d.asked for d in offers(request(CRITICAL), ruled, PRICES)] == [HIGH]
    assert list(offers(request(HIGH), ruled, PRICES)) == []
    plain = list(offers(request(CRITICAL), policy(), PRICES))
    assert [d.asked for d in plain] == [HIGH, STANDARD, ROUTINE]
    assert [d.quote.nanos for d in plain] == [QUOTES[d.asked] for d in plain]
