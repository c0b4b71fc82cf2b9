"""The Review page in a real browser: a day with two reviewers, keys, drafts, what stays hidden."""

import pytest
from playwright.sync_api import Page, expect

from app.services.ask import AskForm
from policies.review import VerdictKind
from policies.types import Domain, Importance
from tests.browser.visits import LOOKS, SIZES, Visits, cut_off, faults, scrolls_sideways, shot
from tests.pages import ANSWER, Pages
from tests.people import AIKO, BEN, CHIKA, DAN

pytestmark = pytest.mark.browser
QUESTION = "A technician earns 32 each hour. How much after 8 hours and a tip of 45?"
RIGHT = "The technician has earned 301."


def asked(made: Pages, importance: Importance = Importance.CRITICAL, key: str = "k") -> str:
    """An answer that waits; its id."""
    *_, last = made.ask(AIKO, AskForm(QUESTION, importance, Domain.MATH), f"{key}-{importance}")
    return last.row.id  # type: ignore[union-attr]


def open_first(page: Page) -> None:
    page.click("#queue .entry >> nth=0")
    expect(page.locator("#evidence article")).to_be_visible()
    expect(page.locator("#decide")).to_be_visible()


def correct(page: Page, words: str) -> None:
    page.locator("#verdict input[value=correct]").check()
    page.fill("#correction textarea", words)
    expect(page.locator("#changes ins").first).to_be_visible()
    expect(page.locator("#saved [role=status]")).to_be_visible()
    page.click("#send-verdict")
    expect(page.locator("#review-notice .notice.info")).to_be_visible()


def test_before_anything_is_open_the_page_says_what_to_do(visits: Visits, made: Pages) -> None:
    page = visits("review", "chika")
    expect(page.locator("#queue .empty")).to_be_visible()
    expect(page.locator("#evidence")).not_to_contain_text("Choose an answer", use_inner_text=True)
    asked(made)
    page.reload()
    expect(page.locator("#queue .entry")).to_be_visible()
    expect(page.locator("#evidence .empty")).to_contain_text("Choose an answer")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_day_one_asks_two_decide_in_two_browsers_and_the_corrected_answer_is_read(
    visits: Visits, made: Pages, language: str
) -> None:
    requester = visits("", "aiko", language)
    requester.fill("#question textarea", QUESTION)
    requester.locator("#importance input[value=critical]").check()
    requester.click("#send")
    expect(requester.locator(".card")).to_be_visible()
    withheld = " ".join(ANSWER)
    expect(requester.locator("body")).not_to_contain_text(withheld)
    shot(requester, f"day-1-requester-waits-{language}")
    chika, dan = visits("review", "chika", language), visits("review", "dan", language)
    open_first(chika)
    expect(chika.locator("#evidence .sides")).to_contain_text(withheld)
    chika.click("#evidence [data-do=base]")
    expect(chika.locator("#evidence .sides .text")).to_have_count(2)
    shot(chika, f"day-2-first-reviewer-{language}")
    correct(chika, RIGHT)
    open_first(dan)
    expect(dan.locator("#evidence")).not_to_contain_text(RIGHT)  # first verdicts are blind
    dan.keyboard.press("c")
    shot(dan, f"day-3-second-reviewer-{language}")
    correct(dan, RIGHT)
    expect(dan.locator("#queue .entry")).to_have_count(0)
    answer_id = made.dashboard.overview(CHIKA).answers[-1].id
    assert made.ask.read(AIKO, answer_id).text.answer == RIGHT
    requester.reload()
    requester.wait_for_selector("#header h1")
    requester.click("#mine [data-do=open], #mine button >> nth=0")
    expect(requester.locator("body")).to_contain_text(RIGHT)
    shot(requester, f"day-4-requester-reads-{language}")


def test_keys_move_choose_and_stay_off_while_typing(visits: Visits, made: Pages) -> None:
    for importance in (Importance.CRITICAL, Importance.HIGH):
        asked(made, importance)
    page = visits("review", "chika")
    expect(page.locator("#queue .entry")).to_have_count(2)
    page.keyboard.press("j")
    expect(page.locator("#queue .entry >> nth=0")).to_have_attribute("aria-current", "true")
    expect(page.locator("#decide")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("#queue .entry >> nth=1")).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    expect(page.locator("#queue .entry >> nth=0")).to_have_attribute("aria-current", "true")
    page.keyboard.press("r")
    expect(page.locator("#verdict input[value=reject]")).to_be_checked()
    expect(page.locator("#reason textarea")).to_be_focused()
    page.keyboard.type("jack, a car?")
    expect(page.locator("#reason textarea")).to_have_value("jack, a car?")
    expect(page.locator("#verdict input[value=reject]")).to_be_checked()
    expect(page.locator("#keys-help")).to_be_hidden()
    page.locator("#reason textarea").blur()
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.locator("#evidence")).to_contain_text("Again with more compute")


def test_filters_stay_in_the_link_and_narrow_the_queue_of_whoever_opens_it(
    visits: Visits, made: Pages
) -> None:
    for asker, domain in ((AIKO, Domain.MATH), (BEN, Domain.DATA)):
        list(made.ask(asker, AskForm(QUESTION, Importance.HIGH, domain), asker.user))
    page = visits("review", "chika", "ja")
    expect(page.locator("#queue .entry")).to_have_count(2)
    page.click("#filter-team input")
    page.get_by_role("option", name="finance").click()
    expect(page.locator("#queue .entry")).to_have_count(1)
    expect(page.locator("#queue .entry")).to_contain_text("ben")
    page.wait_for_url("**/review?team=finance")
    again = visits("review?team=finance&kind=required", "dan")
    expect(again.locator("#queue .entry")).to_have_count(1)
    expect(again.locator("#filter-team input")).to_have_value("finance")
    expect(again.locator("#filter-kind input")).to_have_value("Asked for by the policy")
    again.click("#filter-domain input")
    again.get_by_role("option", name="Math").click()
    expect(again.locator("#queue .empty")).to_be_visible()
    again.wait_for_url("**/review?team=finance&kind=required&domain=math")


@pytest.mark.parametrize(("width", "columns"), [(SIZES["wide"], 2), (SIZES["phone"], 1)])
def test_a_rerun_stands_beside_the_answer_with_what_differs_and_what_each_cost(
    visits: Visits, made: Pages, width: int, columns: int
) -> None:
    asked(made)
    made.engine.words = (*ANSWER[:-1], "302")
    page = visits("review", "chika", width=width)
    open_first(page)
    page.keyboard.press("e")
    expect(page.locator("#evidence .sides .text")).to_have_count(2)
    left, right = page.locator("#evidence .sides section").all()
    expect(left.locator("mark")).to_have_text("301")
    expect(right.locator("mark")).to_have_text("302")
    for side in (left, right):
        expect(side.locator(".work")).to_contain_text("refinement passes")
        expect(side.locator(".work .money")).to_contain_text("$")
    a, b = left.bounding_box(), right.bounding_box()
    assert a
    assert b
    assert (b["y"] == a["y"], b["x"] == a["x"]) == (columns == 2, columns == 1)
    shot(page, f"rerun-{width}")
    right.locator("[data-do=take]").click()
    expect(page.locator("#correction textarea")).to_have_value(" ".join(made.engine.words))


def test_a_draft_is_there_after_the_tab_was_closed(visits: Visits, made: Pages) -> None:
    asked(made)
    page = visits("review", "chika")
    open_first(page)
    page.keyboard.press("c")
    page.fill("#correction textarea", RIGHT)
    expect(page.locator("#saved")).to_contain_text("Draft saved")
    page.close()
    again = visits("review", "chika")
    open_first(again)
    expect(again.locator("#correction textarea")).to_have_value(RIGHT)
    expect(again.locator("#verdict input[value=correct]")).to_be_checked()


def test_what_another_holds_can_be_read_and_not_decided(visits: Visits, made: Pages) -> None:
    made.desks.reviewing.desk.claim(DAN, asked(made))
    page = visits("review", "chika")
    expect(page.locator("#queue .entry")).to_contain_text("dan has it")
    page.click("#queue .entry")
    expect(page.locator("#evidence article")).to_be_visible()
    expect(page.locator("#decide")).to_be_hidden()


def test_a_rejection_without_a_reason_is_refused_and_keeps_the_form(
    visits: Visits, made: Pages
) -> None:
    asked(made)
    page = visits("review", "chika", "ja")
    open_first(page)
    page.keyboard.press("r")
    page.click("#send-verdict")
    expect(page.locator("#review-notice [role=alert]")).to_contain_text("理由")
    expect(page.locator("#decide")).to_be_visible()


def test_nobody_but_reviewers_gets_a_word_of_it(visits: Visits, made: Pages) -> None:
    asked(made)
    for person in ("aiko", "ben", "vera", "emi"):
        page = visits("review", person)
        expect(page.locator("#header .closed")).to_be_visible()
        expect(page.locator("#queue")).to_be_hidden()
        assert "How much after 8 hours" not in page.content()
        assert " ".join(ANSWER) not in page.content()


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    visits: Visits, made: Pages, language: str, width: int, dark: bool
) -> None:
    *_, last = made.ask(BEN, AskForm(QUESTION, Importance.HIGH, Domain.MATH), "k-1")
    earlier = last.row.id  # type: ignore[union-attr]
    made.desks.reviewing.desk.claim(DAN, earlier)
    made.desks.reviewing.desk.decide(DAN, earlier, VerdictKind.APPROVE, reason="Checked.")
    asked(made)
    page = visits("review", "chika", language, width, dark)
    open_first(page)
    page.keyboard.press("c")
    page.fill("#correction textarea", RIGHT)
    expect(page.locator("#changes ins").first).to_be_visible()
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
