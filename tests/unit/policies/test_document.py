"""Policy documents: what is refused says where and why; equal rules have equal versions."""

import json
import random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.affordable import check
from policies.document import PRESETS, parse, parse_written, preset, schema, stored
from policies.errors import InvalidPolicy
from policies.types import AtCeiling, Importance, Window
from tests.unit.policies.policies import PRICES, ceiling, document, policy, rule, written

FULL = (PRESETS.parent.parent / "docs" / "policy-example.yaml").read_text(encoding="utf-8")


def faults(text: str) -> list[str]:
    return [str(fault) for fault in parse_written(text, "p.yaml")[1]]


def test_every_fault_names_file_line_field_value_and_legal_set() -> None:
    text = written().replace("solver: base", "solver: bse").replace("name: test", "nme: test")
    assert faults(text) == [
        "p.yaml, line 1: name: is missing",
        "p.yaml, line 4: rungs.routine.solver: Input should be 'base', 'euler', 'midpoint', "
        "'heun2', 'heun3', 'rk4', 'adaptive_heun', 'fehlberg2', 'bosh3' or 'dopri5', got 'bse'",
        "p.yaml, line 1: nme: unknown field; known here: name, rungs, rules, ceilings, alerts, "
        "reviewing",
    ]


def test_error_carries_the_faults_apart() -> None:
    with pytest.raises(InvalidPolicy) as caught:
        parse(written(critical={"max_nfe_per_token": 5000}), "p.yaml")
    (fault,) = caught.value.faults
    assert (fault.source, fault.line, fault.got) == ("p.yaml", 17, "5000")
    assert fault.field == "rungs.critical.max_nfe_per_token"
    assert "less than or equal to 1000" in fault.problem


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"critical": {"max_nfe_per_token": 5}}, "rungs.critical.max_nfe_per_token", "must not"),
        ({"high": {"review": {"approvals": 2}}}, "rungs.critical.review", "0 approvals"),
        (
            {"critical": {"review": {"approvals": 2, "reviewers": ["kim"]}}},
            "rungs.critical.review.reviewers",
            "1 reviewers cannot give 2 approvals",
        ),
        ({"routine": {"at_ceiling": "step_down"}}, "rungs.routine.at_ceiling", "nothing is below"),
        (
            {"high": {"at_ceiling": "step_down", "max_new_tokens": 4}},
            "rungs.high.at_ceiling",
            "saves nothing: it may write 10 tokens with 30 evaluations, high 4 with 28",
        ),
        ({"rules": [rule(domain=["math"])] * 2}, "rules.1.name", "a-rule names a rule above"),
        ({"rules": [rule()]}, "rules.0.when", "names no condition; known: domain, team"),
        ({"rules": [rule("routine", team=["a"])]}, "rules.0.raise_to", "'standard', 'high' or"),
        ({"rules": [rule(wording=["***"])]}, "rules.0.when.wording.0", "a letter or digit"),
        ({"rules": [rule(team=["a", "a"])]}, "rules.0.when.team", "a stands here again"),
        ({"rules": [rule(domain=["law"])]}, "rules.0.when.domain.0", "'math', 'data' or"),
        (
            {"ceilings": [ceiling("user", "day", "5 USD")] * 2},
            "ceilings.1",
            "user, window day has a limit above",
        ),
        (
            {"ceilings": [ceiling("pilot", "day", "5 USD"), ceiling("user", "day", "1 EUR")]},
            "ceilings.1.limit",
            "another currency than 5 USD",
        ),
        (
            {"ceilings": [ceiling("user", "month", "5 USD"), ceiling("user", "day", "6 USD")]},
            "ceilings.1.limit",
            "6 USD for user, window day never binds: user, window month has 5 USD",
        ),
        (
            {"ceilings": [ceiling("team", "day", "9 USD", "a"), ceiling("pilot", "day", "5 USD")]},
            "ceilings.0.limit",
            "never binds: pilot, window day has 5 USD",
        ),
        ({"ceilings": [ceiling("pilot", "request", "1 USD")]}, "ceilings.0", "use scope request"),
        ({"ceilings": [ceiling("request", "day", "1 USD")]}, "ceilings.0", "window request"),
        ({"ceilings": [ceiling("pilot", "day", "1 USD", "a")]}, "ceilings.0", "has no name"),
        ({"ceilings": [ceiling("importance", "day", "1 USD", "top")]}, "ceilings.0", "routine, st"),
        ({"ceilings": [ceiling("user", "day", 5.5)]}, "ceilings.0.limit", "as 5 USD"),
        ({"ceilings": [ceiling("user", "day", "9999999999 USD")]}, "ceilings.0.limit", "at most"),
        ({"alerts": {"thresholds": [90, 50]}}, "alerts", "must rise"),
        ({"alerts": {"to": ["pigeon"]}}, "alerts.to.0", "'page', 'log', 'webhook' or 'email'"),
        ({"high": {"guidance": True}}, "rungs.high.guidance", "number"),
        ({"high": {"max_new_tokens": "10"}}, "rungs.high.max_new_tokens", "integer"),
    ],
)  # fmt: skip
def test_contradiction_is_refused_at_its_field(
    fields: dict[str, Any], field: str, problem: str
) -> None:
    _, found = parse_written(written(**fields), "p.yaml")
    assert field in [fault.field for fault in found], found
    assert any(problem in fault.problem for fault in found), found


def test_named_ceiling_may_be_above_that_of_the_others() -> None:
    lines = [ceiling("team", "day", "2 USD"), ceiling("team", "day", "3 USD", "sales")]
    assert len(policy(ceilings=lines).ceilings) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: a\nname: b", "p.yaml, line 2: name: stands here a second time"),
        ("a: &x 1\nb: *x", "p.yaml, line 1: anchors and aliases"),
        ("x: !!python/object:os.system {}", "tags are not taken"),
        ("[" * 5000, "nested deeper than 12"),
        ("a:\n  - b\n c: d", "p.yaml, line 3: not YAML"),
        ('name: "a\\0b"', "control characters are not taken"),
        ('name: "\\ud800"', "p.yaml"),
        ("2026-13-01", "not YAML: month must be in 1..12"),
        ("x" * 200_001, "200001 characters, at most 200000 are read"),
        ("", "a policy is a mapping"),
        ("- a", "a policy is a mapping"),
        ("? [a, b]\n: c", "p.yaml"),
    ],
)
def test_text_that_is_no_plain_yaml_is_refused_with_its_line(text: str, problem: str) -> None:
    (first, *_) = faults(text)
    assert problem in first


def test_policy_round_trips_through_its_canonical_text() -> None:
    """What is stored with every version reads back as the same policy under the same name."""
    full = parse(FULL)
    assert stored(full.text) == full
    assert parse(full.text) == full


def test_version_names_what_is_said_and_nothing_else() -> None:
    plain = policy()
    same = document(high={"guidance": 1.0, "at_ceiling": "refuse"})
    same = {"rungs": dict(reversed(same["rungs"].items())), "name": "test"}
    assert parse("# a comment\n" + yaml.safe_dump(same)).version == plain.version
    assert policy(high={"guidance": 2.0}).version != plain.version
    five = [ceiling("pilot", "day", "5 USD")]
    assert (
        policy(ceilings=five).version
        == policy(ceilings=[ceiling("pilot", "day", "5.00 USD")]).version
    )


def test_version_of_the_shipped_policy_stays() -> None:
    """Answers name it. A field with a default must not change what earlier answers were under."""
    assert preset("pilot").version == "pilot-728e6d22852f"


def test_example_shows_every_field_there_is() -> None:
    forms = (schema(), *schema()["$defs"].values())
    fields = {name for form in forms for name in form.get("properties", {})}
    assert {field for field in fields if f"{field}:" not in FULL} == set()


def test_every_knob_of_the_example_is_read() -> None:
    full = parse(FULL)
    assert full.reviews[Importance.CRITICAL].approvals == 2
    assert full.at_ceiling[Importance.HIGH] is AtCeiling.STEP_DOWN
    assert {c.window for c in full.ceilings} == set(Window)
    assert {c.scope for c in full.ceilings} == {"pilot", "team", "user", "importance", "request"}
    assert full.alerts.thresholds == (50, 75, 90, 100)
    assert len(full.rules) >= 3


def test_rung_dearer_than_its_request_ceiling_is_refused_at_the_prices() -> None:
    limits = [ceiling("request", "request", "0.000000852 USD")]
    text = written(ceilings=limits)  # critical is quoted at 852 nanos for a prompt of one token
    assert check(text, "p.yaml", PRICES)[1] == []
    (fault,) = check(text.replace("852", "851"), "p.yaml", PRICES)[1]
    assert fault.field == "ceilings.0.limit"
    assert fault.line == 22
    assert "critical can never run: one answer is quoted at 852 nanos" in fault.problem


def test_ceiling_in_another_currency_than_the_prices_is_refused() -> None:
    (fault,) = check(written(ceilings=[ceiling("pilot", "day", "5 EUR")]), "p", PRICES)[1]
    assert fault.problem == "is in EUR, the prices are in USD"


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_list_of_faults(text: str) -> None:
    policy, found = parse_written(text, "p.yaml")
    assert (policy is None) == bool(found)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)


@given(
    seed=st.integers(0, 10**6),
    value=st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    ),
)
def test_any_value_in_any_field_is_taken_or_named_as_a_fault(seed: int, value: Any) -> None:
    said = yaml.safe_load(FULL)
    draw, at = random.Random(seed), said
    while True:
        keys = list(at) if isinstance(at, dict) else range(len(at))
        key = draw.choice(list(keys))
        if not isinstance(at[key], dict | list) or not at[key] or draw.random() < 0.2:
            break
        at = at[key]
    at[key] = value
    policy, found = parse_written(json.dumps(said), "p.yaml")
    assert (policy is None) == bool(found)
    assert all(fault.source == "p.yaml" and fault.problem for fault in found)
    if policy is not None:
        assert stored(policy.text) == policy
