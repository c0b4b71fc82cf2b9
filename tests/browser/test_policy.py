"""The Policy page in a real browser: a draft checked while typed, two people, back again."""

import pytest
from playwright.sync_api import Page, expect

from app.services.ask import AskForm
from policies.types import Domain, Importance
from tests.browser.visits import LOOKS, Visits, faults, scrolls_sideways
from tests.pages import Pages
from tests.people import AIKO, FINN

pytestmark = pytest.mark.browser
DRAFT = """name: careful
rungs:
  routine:  {solver: base,     max_nfe_per_token: 0,  max_new_tokens: 96}
  standard: {solver: midpoint, max_nfe_per_token: 3,  max_new_tokens: 96}
  high:     {solver: midpoint, max_nfe_per_token: 15, max_new_tokens: 96}
  critical: {solver: midpoint, max_nfe_per_token: 31, max_new_tokens: 96}
rules:
  - {name: refunds, when: {wording: [refund]}, raise_to: high, because: Refunds go to customers.}
"""


def write(page: Page, text: str) -> None:
    page.locator("#draft-text .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_draft_is_tried_proposed_approved_by_another_put_in_force_and_rolled_back(
    visits: Visits, made: Pages, language: str
) -> None:
    list(made.ask(AIKO, AskForm("Is a refund due?", Importance.HIGH, Domain.MATH), "k-1"))
    finn = visits("policy", "finn", language)
    write(finn, DRAFT)
    expect(finn.locator("#draft-check .mark.good")).to_be_visible()
    expect(finn.locator("#draft-check .diff")).to_contain_text("15")
    finn.click("#draft-try button, button#draft-try")
    expect(finn.locator("#trial .facts")).to_contain_text("$")
    finn.fill("#draft-note textarea", "More passes")
    finn.click("button#draft-propose")
    expect(finn.locator("#draft-notice .notice.info")).to_be_visible()
    finn.click("#versions button[data-do=compare]")
    expect(finn.locator("#comparison .diff")).to_be_visible()
    expect(finn.locator("#comparison button")).to_have_count(0)  # nobody approves their own
    gen = visits("policy", "gen", language)
    gen.click("#versions button[data-do=compare]")
    gen.click("#comparison button[data-do=approve]")
    gen.click("#comparison button[data-do=activate]")
    expect(gen.locator("#top")).to_contain_text("careful")
    expect(gen.locator("#rules .item")).to_contain_text("Refunds go to customers.")
    first = gen.locator("#versions .item", has_text="full-")
    first.locator("button[data-do=compare]").click()
    gen.click("#comparison button[data-do=rollback]")
    expect(gen.locator("#top strong")).to_have_text("full")


def test_a_fault_is_told_with_line_field_value_and_legal_set_while_typing(visits: Visits) -> None:
    page = visits("policy", "finn", "ja")
    write(page, DRAFT.replace("solver: base", "solver: bas").replace("31", "1"))
    told = page.locator("#draft-check")
    expect(told).to_contain_text("3行目")
    expect(told).to_contain_text("rungs.routine.solver")
    expect(told).to_contain_text("次のいずれか")
    expect(told).to_contain_text("'bas'")
    page.click("button#draft-propose")
    expect(page.locator("#draft-notice")).to_contain_text("誤り")


def test_who_may_only_look_is_offered_nothing_to_change(visits: Visits, made: Pages) -> None:
    made.desks.drafts.desk.propose(FINN, DRAFT, "draft")
    page = visits("policy", "vera")
    expect(page.locator("#rungs .rung")).to_have_count(4)
    expect(page.locator("#draft")).to_be_hidden()
    page.click("#versions button[data-do=compare]")
    expect(page.locator("#comparison .diff")).to_be_visible()
    expect(page.locator("#comparison button")).to_have_count(0)


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    visits: Visits, made: Pages, language: str, width: int, dark: bool
) -> None:
    made.desks.drafts.desk.propose(FINN, DRAFT, "draft")
    page = visits("policy", "gen", language, width, dark)
    page.click("#versions button[data-do=compare]")
    expect(page.locator("#comparison .diff")).to_be_visible()
    assert not scrolls_sideways(page)
    assert faults(page) == []
