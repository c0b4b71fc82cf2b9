"""The Compare page in a real browser: blind until there was a vote, then what each answer cost."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visits import LOOKS, Visits, cut_off, faults, scrolls_sideways
from tests.pages import Pages
from tests.people import AIKO

pytestmark = pytest.mark.browser


def compare(page: Page) -> None:
    page.fill("#compare-question textarea", "How much is 8 times 32?")
    expect(page.locator("#compare-price .value")).to_contain_text("$")
    page.click("#compare-send")
    expect(page.locator(".votes")).to_be_visible()


@pytest.mark.parametrize(("language", "thanks"), [("en", "Thank you"), ("ja", "ありがとう")])
def test_a_vote_comes_before_the_costs_and_is_kept_by_the_pair(
    visits: Visits, made: Pages, language: str, thanks: str
) -> None:
    page = visits("compare", "aiko", language)
    compare(page)
    expect(page.locator("#compared .side")).to_have_count(2)
    expect(page.locator("#compared")).not_to_contain_text("$")
    page.click(".votes button[data-place='1']")
    expect(page.locator("#compare-notice")).to_contain_text(thanks)
    expect(page.locator("#compared .cost")).to_have_count(2)
    expect(page.locator("#compared")).to_contain_text("$")
    rows = made.dashboard.overview(AIKO).answers
    (pair,) = made.dashboard.overview(AIKO).votes
    assert (pair.n, pair.less_better + pair.more_better) == (1, 1)
    assert len({row.seed for row in rows}) == 1


def test_an_example_fills_the_question_and_what_it_is_about(visits: Visits) -> None:
    page = visits("compare", "aiko", "ja")
    expect(page.locator("#compared")).to_contain_text("比較の結果はまだありません")
    page.click("#example-data")
    expect(page.locator("#compare-domain label.selected")).to_contain_text("データ整理")
    expect(page.locator("#compare-price .value")).to_contain_text("$")


def test_open_eyes_see_the_costs_at_once(visits: Visits) -> None:
    page = visits("compare", "aiko")
    page.locator("#blind input").uncheck()
    compare(page)
    expect(page.locator("#compared .cost")).to_have_count(2)


def test_what_reviewers_must_see_first_is_not_offered(visits: Visits) -> None:
    page = visits("compare", "aiko")
    expect(page.locator("#left-out")).to_contain_text("Critical")
    expect(page.locator("#compare-chosen label")).to_have_count(2)


def test_one_alone_is_no_comparison(visits: Visits, made: Pages) -> None:
    page = visits("compare", "aiko", "ja")
    page.fill("#compare-question textarea", "How much?")
    page.locator("#compare-chosen input").first.uncheck()
    page.click("#compare-send")
    expect(page.locator("#compare-notice [role=alert]")).to_contain_text("2〜4")
    assert made.engine.jobs == []


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    visits: Visits, language: str, width: int, dark: bool
) -> None:
    page = visits("compare", "aiko", language, width, dark)
    compare(page)
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
