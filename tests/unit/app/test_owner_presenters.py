"""What the pages for owners and reviewers say: budgets, policies, reviews, audit."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import money
from app.i18n import texts
from app.ports import AuditEntry, AuditEvent, AuditHead, BudgetRaise, Detail, OpenHold
from app.presenters import audit, budgets, draft, fault_words, policy_changes, prices
from app.presenters.parts import stacked, zone
from app.presenters.worddiff import compared, inline
from app.services.budgets import Funds
from app.services.drafts import Checked
from policies.budget import starts
from policies.changes import changes
from policies.document import parse, parse_written, preset
from policies.readable import yaml_of
from policies.types import Ceiling, Importance, Units, Window
from tests.people import AIKO, EMI
from tests.samples import NOON, PRICES

EN, JA = texts("en"), texts("ja")
TOKYO = zone("Asia/Tokyo")
EVIL = "<img src=x onerror=alert(1)>"
RAISE = BudgetRaise(
    "r-1", "team:sales", Window.MONTH, 10**9, "Closing", "aiko", NOON, NOON + timedelta(days=9)
)
FUNDS = Funds(
    ceilings=[
        Ceiling("pilot", 4_000, 1_000, 2_000, "USD"),
        Ceiling("team:sales", 5_000, 4_900, 0, "USD", Window.DAY, "2025-11-23"),
    ],
    holds=[],
    raises=[RAISE],
    alerts=[],
    prices=[PRICES],
    calibration=None,
    starts=starts("2025-11-24"),
    currency="USD",
    at=NOON,
)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


# --- budgets -------------------------------------------------------------------------------------


def test_a_ceiling_says_what_is_spent_set_aside_and_free_in_words() -> None:
    shown = plain(budgets.ceilings(FUNDS, EN))
    assert "75% spent or set aside" in shown
    assert "Spent $0.000001 Set aside $0.000002 Free $0.000001 Limit $0.000004" in shown


def test_a_day_that_has_passed_holds_nothing_against_today() -> None:
    shown = plain(budgets.ceilings(FUNDS, EN))
    assert "November 24 0% spent or set aside" in shown


def test_the_parts_of_a_bar_are_shares_of_the_whole() -> None:
    shown = stacked({"committed": 1, "held": 2, "free": 1}, 4, "75%")
    assert re.findall(r"flex-grow:(\d+)", shown) == ["2500", "5000", "2500"]


def test_whoever_asked_is_not_shown_the_buttons_to_decide() -> None:
    assert "data-do" in budgets.raises(FUNDS, EMI, TOKYO, EN)
    own = replace(FUNDS, raises=[replace(RAISE, asked_by="emi")])
    assert "data-do" not in budgets.raises(own, EMI, TOKYO, EN)
    assert "data-do" not in budgets.raises(FUNDS, AIKO, TOKYO, EN)


def test_a_request_past_its_end_can_no_longer_be_decided() -> None:
    late = replace(FUNDS, at=RAISE.expires_at)
    assert "data-do" not in budgets.raises(late, EMI, TOKYO, EN)
    assert "期限切れ" in budgets.raises(late, EMI, TOKYO, JA)


def test_what_people_wrote_cannot_become_markup() -> None:
    evil = replace(RAISE, reason=EVIL, asked_by=EVIL, scope=f"team:{EVIL}")
    hold = OpenHold("a", EVIL, EVIL, Importance.HIGH, 5, "USD", Units(), NOON, NOON)
    entry = AuditEntry(1, AuditEvent(EVIL, EVIL, EVIL, {EVIL: EVIL}, NOON), "0" * 64)
    shown = [
        budgets.raises(replace(FUNDS, raises=[evil]), EMI, TOKYO, EN),
        budgets.holds([hold], TOKYO, EN),
        audit.entries([entry], "USD", 10, TOKYO, EN),
        prices.lists([replace(PRICES, version=EVIL, model=EVIL)], NOON, EN),
        inline(EVIL, f"{EVIL}!"),
        compared("a", EVIL),
    ]
    assert not [html for html in shown if "<img" in html]


@pytest.mark.parametrize(
    ("typed", "nanos"),
    [
        ("5", 5 * 10**9),
        (" 1,000.50 ", 1_000_500_000_000),
        ("５．０", 5 * 10**9),  # noqa: RUF001
        ("0.000000001", 1),
        ("-1", None),
        ("1e3", None),
        ("five", None),
        ("", None),
        ("1.0000000001", None),
    ],
)
def test_an_amount_is_read_as_people_type_it_or_not_at_all(typed: str, nanos: int | None) -> None:
    assert money.parse(typed) == nanos


# --- policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pilot", "full"])
def test_a_policy_written_out_again_is_the_same_policy(name: str) -> None:
    first = preset(name)
    assert parse(yaml_of(first.text)).version == first.version


FAULTY = {
    "solver: base": "solver: bas",
    "max_nfe_per_token: 3": "max_nfe_per_token: -3",
    "max_nfe_per_token: 7": "max_nfe_per_token: 0",
    "max_nfe_per_token: 15": "max_nfe_per_token: 5",
    "max_new_tokens: 96": "max_new_tokens: 99999",
    "name: full": "nam: full",
    "rungs:": "rungs: [",
    "approvals: 2": "approvals: many",
    "due_hours: 8": "due_hours: 8, gate: 2",
    "audit_share: 0.05": "audit_share: 5",
    "    max_nfe_per_token: 7": "    max_nfe_per_token: 7\n    checked: true",
    "    max_nfe_per_token: 15": "    max_nfe_per_token: 15\n    checked: on\n    temperature: 1.0",
}


@pytest.mark.parametrize("before", list(FAULTY))
def test_every_common_fault_is_told_in_japanese(before: str) -> None:
    _, found = parse_written(yaml_of(preset("full").text).replace(before, FAULTY[before]), "x")
    text = (yaml_of(preset("full").text)).replace(before, FAULTY[before])
    assert text != yaml_of(preset("full").text)
    assert found
    for fault in found:
        said, original = fault_words.problem(fault.problem, JA)
        assert original == "", fault.problem
        assert re.search(r"[ぁ-ん]", said)


@pytest.mark.parametrize(
    "text",
    ["name: &a full", "name: !x full", 'name: "\\0"', "a: " + "[" * 40 + "]" * 40, "#" * 200_000],
    ids=["anchor", "tag", "control", "nested", "long"],
)
def test_what_is_not_read_at_all_is_told_in_japanese(text: str) -> None:
    _, found = parse_written(text, "x")
    assert found
    assert [fault_words.problem(fault.problem, JA)[1] for fault in found] == [""] * len(found)


def test_a_fault_nobody_foresaw_is_shown_as_it_is_beside_general_words() -> None:
    assert fault_words.problem("eats its own tail", JA)[1] == "eats its own tail"


def test_a_fault_has_its_line_field_and_value() -> None:
    text = yaml_of(preset("full").text).replace("solver: base", "solver: bas")
    found = tuple(parse_written(text, "x")[1])
    shown = plain(draft.checked(Checked(None, found, (), {}), EN))
    assert "Line 3 rungs.routine.solver It must be one of: 'base'" in shown
    assert "Found: 'bas'" in shown


def test_every_field_that_can_change_has_its_words() -> None:
    text = (
        yaml_of(preset("full").text)
        .replace("audit_share: 0.05", "audit_share: 0.1, guidelines: Check the sums.")
        .replace("name: full", "name: other")
    )
    text += """
rules:
  - name: refunds
    when: {domain: [math], team: [sales], role: [requester], language: [latin],
           wording: [refund], longer_than: 5}
    raise_to: high
    because: Refunds go to customers.
ceilings:
  - {scope: pilot, window: day, limit: 1 USD}
  - {scope: user, window: day, limit: 0.2 USD}
  - {scope: team, name: sales, window: month, limit: 0.5 USD}
  - {scope: request, window: request, limit: 0.1 USD}
alerts: {thresholds: [60, 90], to: [log]}
"""
    shown = plain(policy_changes.diff(changes(preset("full"), parse(text)), JA))
    fields = re.findall(r"[a-z_]+[./][a-z_./]+", shown)
    assert fields == []
    assert "各利用者：1日ごと" in shown  # noqa: RUF001


def test_a_difference_is_said_in_words_both_ways() -> None:
    text = yaml_of(preset("full").text).replace("max_nfe_per_token: 7", "max_nfe_per_token: 9")
    shown = plain(policy_changes.diff(changes(preset("full"), parse(text)), JA))
    assert "重要：推敲回数 7 9" in shown  # noqa: RUF001


# --- words ---------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_a_diff_has_both_texts_in_it(before: str, after: str) -> None:
    shown = inline(before, after)
    assert unescape(re.sub(r"<ins>.*?</ins>|</?del>", "", shown, flags=re.DOTALL)) == before
    assert unescape(re.sub(r"<del>.*?</del>|</?ins>", "", shown, flags=re.DOTALL)) == after


def test_texts_with_little_in_common_are_not_marked() -> None:
    alike = compared("the answer is 5", "the answer is 6")
    assert alike == ("the answer is <mark>5</mark>", "the answer is <mark>6</mark>")
    other = "Nobody can tell without more numbers."
    assert compared("the answer is 5", other) == ("the answer is 5", other)


# --- audit ---------------------------------------------------------------------------------------


def test_a_broken_chain_names_the_entry() -> None:
    head = AuditHead(7, "a" * 64)
    shown = plain(audit.chain(["audit entry 3: its hash differs"], head, NOON, TOKYO, JA))
    assert "不整合" in shown
    assert "3番の記録" in shown


def test_an_entry_says_what_was_done_in_the_readers_words() -> None:
    details: dict[str, Detail] = {"limit_nanos": 5 * 10**9, "currency": "USD"}
    event = AuditEvent("emi", "budget.limit", "team:sales", details, NOON)
    shown = plain(audit.entries([AuditEntry(4, event, "b" * 64)], "USD", 10, TOKYO, JA))
    assert "emiさん 上限を設定 チーム「sales」の予算 上限：$5.00" in shown  # noqa: RUF001
