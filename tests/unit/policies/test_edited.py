"""A form changes a policy's text: what it says is kept or replaced, and nothing else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.document import PRESETS, parse
from policies.edited import (
    PATHS,
    RULE,
    RUNG,
    TOP,
    changed,
    opened,
    value_at,
    with_rule,
    without_rule,
)
from policies.errors import InvalidInput
from policies.types import Importance

EXAMPLE = (PRESETS.parents[1] / "docs" / "policy-example.yaml").read_text(encoding="utf-8")
FULL = (PRESETS / "full.yaml").read_text(encoding="utf-8")


def shown(text: str) -> list[tuple[str, str]]:
    """Every field as a form has it, untouched."""
    document = opened(text)
    assert document is not None
    rules = range(len(document.get("rules", [])))
    paths = [
        *TOP,
        *(f"rungs.{i}.{field}" for i in Importance for field in RUNG),
        *(f"rules.{n}.{field}" for n in rules for field in RULE),
    ]
    return [(path, typed(value_at(document, path))) for path in paths]


def typed(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else ""
    return "" if value is None else str(value)


@pytest.mark.parametrize("text", [EXAMPLE, FULL])
def test_a_form_that_was_not_touched_changes_no_letter(text: str) -> None:
    assert changed(text, shown(text)) == text


def test_a_change_reaches_the_policy_and_nothing_else_moves() -> None:
    text = changed(EXAMPLE, [("rungs.high.steady", "4"), ("rules.0.raise_to", "high")])
    before, after = yaml.safe_load(EXAMPLE), yaml.safe_load(text)
    assert (after["rungs"]["high"]["steady"], after["rules"][0]["raise_to"]) == (4, "high")
    after["rungs"]["high"]["steady"], after["rules"][0]["raise_to"] = 2, "critical"
    assert after == before
    assert parse(text).ceilings == parse(EXAMPLE).ceilings
    assert "#" not in text  # comments are lost: the page says so


@pytest.mark.parametrize(
    ("path", "said", "value"),
    [
        ("rungs.high.max_nfe_per_token", "\uff19", 9),
        ("rungs.high.guidance", "2", 2.0),
        ("rungs.high.gate", "0.5", 0.5),
        ("rungs.high.gate", "", None),
        ("rungs.high.checked", "true", True),
        ("rungs.high.checked", "", None),
        ("rungs.high.checked", "perhaps", "perhaps"),
        ("rungs.high.steady", "two", "two"),
        ("rungs.high.review.approvals", "", None),
        ("rungs.routine.review.approvals", "1", 1),
        ("rules.0.when.wording", "契約*解除\n\n  penalt* ", ["契約*解除", "penalt*"]),
        ("reviewing.guidelines", "One line.\nAnother.\n", "One line.\nAnother.\n"),
    ],
)
def test_what_is_typed_becomes_what_yaml_would_have(path: str, said: str, value: object) -> None:
    text = changed(EXAMPLE, [(path, said)])
    assert value_at(yaml.safe_load(text), path) == value


def test_a_review_without_anything_in_it_goes() -> None:
    fields = [(f"rungs.high.review.{name}", "") for name in ("approvals", "due_hours", "reviewers")]
    assert "review" not in yaml.safe_load(changed(FULL, fields))["rungs"]["high"]


def test_a_rule_is_added_filled_in_and_taken_away() -> None:
    text = with_rule(FULL)
    filled = [
        ("rules.0.name", "refunds"),
        ("rules.0.because", "Refunds go out as they are."),
        ("rules.0.when.wording", "refund*"),
        ("rules.0.raise_to", "critical"),
    ]
    (rule,) = parse(changed(text, filled)).rules
    assert (rule.name, rule.raise_to, rule.when.wording) == ("refunds", "critical", ("refund*",))
    assert parse(without_rule(text, 0)).version == parse(FULL).version
    assert without_rule(FULL, 3) == FULL
    assert changed(FULL, [("rules.7.name", "gone")]) == FULL


@pytest.mark.parametrize(
    "text", ["", "- a list", "rungs: 3", "{broken", "rungs: {high: 3}", "x: &a 1"]
)
def test_what_a_form_cannot_show_is_left_to_the_text(text: str) -> None:
    assert opened(text) is None
    with pytest.raises(InvalidInput):
        changed(text, [])


@pytest.mark.parametrize(
    "path", ["version", "rungs.high", "rungs.top.gate", "rules.-1.name", "a.b"]
)
def test_a_form_reaches_no_field_but_its_own(path: str) -> None:
    with pytest.raises(InvalidInput):
        changed(FULL, [(path, "1")])


@given(st.sampled_from([p for p, _ in shown(EXAMPLE)]), st.text(max_size=40))
def test_whatever_is_typed_the_text_stays_one_that_opens(path: str, said: str) -> None:
    assert PATHS.fullmatch(path)
    assert opened(changed(EXAMPLE, [(path, said)])) is not None or not said.isprintable()
