"""The Policy page in a real browser: a draft checked while typed, two people, back again."""

import pytest
from playwright.sync_api import Page, expect

from app.services.ask import AskForm
from policies.document import parse, preset
from policies.types import Domain, Importance
from tests.browser.visits import LOOKS, Visits, cut_off, faults, paste, scrolls_sideways, shot
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


def text_of(page: Page) -> str:
    return page.locator("#draft-text .cm-content").inner_text()


def test_the_form_and_the_text_say_the_same(visits: Visits) -> None:
    page = visits("policy", "finn")
    write(page, "# mine\n" + DRAFT)
    form, check = page.locator("#draft-form"), page.locator("#draft-check")
    expect(form.locator("[data-path='rungs.high.max_nfe_per_token']")).to_have_value("15")
    assert "# mine" in text_of(page)
    form.locator("[data-path='rungs.high.max_nfe_per_token']").fill("12")
    form.locator("[data-path='rungs.critical.review.approvals']").select_option("2")
    expect(page.locator("#draft-text .cm-content")).to_contain_text("approvals: 2")
    assert "max_nfe_per_token: 12" in text_of(page)
    assert "# mine" not in text_of(page)
    expect(check.locator(".mark.good")).to_be_visible()
    form.locator("[data-path='rungs.critical.max_nfe_per_token']").fill("many")
    expect(check).to_contain_text("rungs.critical.max_nfe_per_token")
    expect(form.locator("[data-path='rungs.critical.max_nfe_per_token']")).to_have_value("many")
    form.locator("[data-path='rungs.critical.max_nfe_per_token']").fill("20")
    expect(check.locator(".mark.good")).to_be_visible()


def test_what_is_pasted_undone_or_cut_is_heard_as_if_it_were_typed(visits: Visits) -> None:
    page = visits("policy", "finn")
    text, form = "#draft-text .cm-content", page.locator("#draft-form")
    passes = form.locator("[data-path='rungs.high.max_nfe_per_token']")
    before = str(preset("full").rungs[Importance.HIGH].max_nfe_per_token)
    expect(passes).to_have_value(before)
    paste(page, text, DRAFT.replace("15", "14"))
    expect(passes).to_have_value("14")
    expect(page.locator("#draft-check .mark.good")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(passes).to_have_value(before)
    page.keyboard.press("Control+Shift+z")
    expect(passes).to_have_value("14")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    expect(form.locator("table")).to_have_count(0)
    page.keyboard.press("Control+v")
    expect(passes).to_have_value("14")
    paste(page, "#draft-form [data-path='rungs.high.max_nfe_per_token']", "13")
    expect(page.locator(text)).to_contain_text("max_nfe_per_token: 13")
    page.keyboard.press("Control+z")
    expect(page.locator(text)).to_contain_text("max_nfe_per_token: 14")
    passes.fill("")  # as an extension or a keyboard on a phone clears it
    expect(page.locator("#draft-check .mark.fault").first).to_be_visible()
    expect(page.locator("button#draft-propose")).to_be_enabled()


def test_rules_are_added_filled_in_and_removed_in_the_form(visits: Visits, made: Pages) -> None:
    page = visits("policy", "finn")
    write(page, DRAFT)
    form, check = page.locator("#draft-form"), page.locator("#draft-check")
    expect(form.locator(".rule")).to_have_count(1)
    form.locator("[data-do=add]").click()
    expect(form.locator(".rule")).to_have_count(2)
    expect(check.locator(".mark.fault").first).to_be_visible()
    form.locator("[data-path='rules.1.name']").fill("contracts")
    form.locator("[data-path='rules.1.because']").fill("Contracts bind us.")
    form.locator("[data-path='rules.1.when.wording']").fill("contract*\npenalt*")
    form.locator("[data-path='rules.1.when.domain']").get_by_label("Business").check()
    form.locator("[data-path='rules.1.raise_to']").select_option("critical")
    expect(check.locator(".mark.good")).to_be_visible()
    form.locator("[data-rule='0']").click()
    expect(form.locator(".rule")).to_have_count(1)
    expect(page.locator("button#draft-propose")).to_be_enabled()
    page.click("button#draft-propose")
    expect(page.locator("#draft-notice .notice.info")).to_be_visible()
    newest = made.desks.drafts.desk.history(FINN)[0].version
    (rule,) = parse(newest.source).rules
    assert (rule.name, rule.when.wording) == ("contracts", ("contract*", "penalt*"))
    assert (rule.when.domain, rule.raise_to) == ((Domain.BUSINESS,), Importance.CRITICAL)


NUMBERS = """() => {
  const tops = query => [...document.querySelectorAll('#draft-text ' + query)]
    .map(each => each.getBoundingClientRect().top);
  const lines = tops('.cm-content > .cm-line');
  const numbers = tops('.cm-lineNumbers > .cm-gutterElement:not([style*="hidden"])');
  return lines.map((top, i) => Math.abs(top - numbers[i]));
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_line_numbers_stand_beside_their_lines(visits: Visits, width: int) -> None:
    page = visits("policy", "finn", width=width)
    page.locator("#draft-text .cm-line").first.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # the editor measures its lines once they are in view, not before
    off = page.evaluate(NUMBERS)
    assert off
    assert max(off) < 2, off
    write(page, DRAFT)
    page.wait_for_timeout(1000)
    assert max(page.evaluate(NUMBERS)) < 2


def test_a_text_that_is_no_policy_closes_the_form_and_says_so(visits: Visits) -> None:
    page = visits("policy", "finn", "ja")
    write(page, "rungs: 3")
    expect(page.locator("#draft-form")).to_contain_text("フォームは現在使用できません")
    write(page, DRAFT)
    expect(page.locator("#draft-form table").first).to_be_visible()


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
    page.click("#versions button[data-do=load] >> nth=0")
    expect(page.locator("#draft-form .rule")).to_have_count(1)
    page.click("#draft-form summary")
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
    shot(page, f"policy-{language}-{width}{'-dark' if dark else ''}")
