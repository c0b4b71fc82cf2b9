"""Waiting for a review on the Ask page, in a real browser: place, question, reply, decision."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.services.ask import AskForm
from policies.types import Domain, Importance
from tests.browser.visits import LOOKS, Visits, cut_off, faults, scrolls_sideways, shot
from tests.pages import ANSWER, Pages
from tests.people import AIKO, BEN, CHIKA

pytestmark = pytest.mark.browser
QUESTION = "A technician earns 32 each hour. How much after 8 hours and a tip of 45?"
ASKS, REPLY = "Net or gross?", "Net, please."
TICK = 35_000
"""Milliseconds in which news reaches a page that only waits."""
TITLES = {"en": ("A reviewer has a question", "1 of 1"), "ja": ("から質問があります", "1番目")}


def ask(page: Page, importance: str = "high") -> None:
    page.locator(".tour [data-step]:not([hidden]) [data-tour=skip]").click()
    page.fill("#question textarea", QUESTION)
    page.locator(f"#importance input[value={importance}]").check()
    page.click("#send")
    expect(page.locator("#standing .standing")).to_be_visible()


def review(page: Page, verdict: str, words: str = "") -> None:
    page.click("#queue .entry >> nth=0")
    expect(page.locator("#decide")).to_be_visible()
    page.locator(f"#verdict input[value={verdict}]").check()
    if words:
        page.fill("#reason textarea", words)
    page.click("#send-verdict")
    expect(page.locator("#review-notice .notice.info")).to_be_visible()


@pytest.mark.parametrize("language", list(TITLES))
def test_a_reviewer_asks_the_requester_replies_and_reads_the_answer_at_last(
    visits: Visits, language: str
) -> None:
    asked, place = TITLES[language]
    page = visits("", "aiko", language)
    ask(page)
    expect(page.locator("#standing")).to_contain_text(place)
    expect(page.locator("#reply-panel")).to_be_hidden()
    chika = visits("review", "chika", language)
    review(chika, "ask", ASKS)
    expect(page.locator("#standing")).to_contain_text(ASKS, timeout=TICK)
    expect(page.locator("#standing .mark")).to_contain_text(asked)
    expect(page.locator("#found .item")).to_contain_text(asked)
    shot(page, f"standing-asked-{language}")
    page.click("#send-reply")
    expect(page.locator("#reply-notice [role=alert]")).to_be_visible()
    page.fill("#reply textarea", REPLY)
    page.click("#send-reply")
    expect(page.locator("#reply-notice .notice.info")).to_be_visible()
    expect(page.locator("#reply-panel")).to_be_hidden()
    expect(page.locator("#standing")).to_contain_text(REPLY)
    expect(page.locator("#found .item")).to_contain_text("1")
    expect(page.locator("body")).not_to_contain_text(" ".join(ANSWER))
    shot(page, f"standing-replied-{language}")
    chika.reload()
    chika.wait_for_selector("#queue .entry")
    review(chika, "approve")
    page.fill("#question textarea", "Half a question")
    expect(page.locator(".answer")).to_have_text(" ".join(ANSWER), timeout=TICK)
    expect(page.locator("#question textarea")).to_have_value("Half a question")
    expect(page.locator("#standing .mark.approved")).to_be_visible()
    expect(page.locator("#card .fact.reviewing")).to_be_visible()
    shot(page, f"standing-decided-{language}")


def test_a_half_written_reply_waits_while_another_answer_is_read_and_outlives_a_reload(
    visits: Visits, made: Pages
) -> None:
    desk = made.desks.reviewing.desk
    for key in ("k-1", "k-2"):
        form = AskForm(f"{QUESTION} {key}", Importance.HIGH, Domain.MATH)
        *_, last = made.ask(AIKO, form, key)
        desk.claim(CHIKA, last.row.id)  # type: ignore[union-attr]
        desk.ask(CHIKA, last.row.id, f"{ASKS} {key}")  # type: ignore[union-attr]
    page = visits("", "aiko")
    page.locator(".tour [data-step]:not([hidden]) [data-tour=skip]").click()
    reply = page.locator("#reply textarea")
    for key, begun in (("k-1", "Net, pl"), ("k-2", "Gross")):
        page.locator("#found .item button", has_text=key).click()
        expect(page.locator("#standing")).to_contain_text(f"{ASKS} {key}")
        expect(reply).to_have_value("")
        reply.fill(begun)
    page.wait_for_timeout(1000)  # what is typed is kept by the browser, a moment later
    page.reload()
    page.locator("#found .item button", has_text="k-1").click()
    expect(reply).to_have_value("Net, pl")
    page.click("#send-reply")
    expect(page.locator("#reply-panel")).to_be_hidden()
    page.locator("#found .item button", has_text="k-2").click()
    expect(reply).to_have_value("Gross")


def test_news_of_its_place_moves_nothing_and_takes_no_focus(visits: Visits, made: Pages) -> None:
    *_, last = made.ask(BEN, AskForm(QUESTION, Importance.HIGH, Domain.MATH), "k-b")
    ahead = last.row.id  # type: ignore[union-attr]
    page = visits("", "aiko")
    ask(page)
    expect(page.locator("#standing")).to_contain_text("2 of 2")
    tops = "[...document.querySelectorAll('#standing, #card, #found')].map(e => e.offsetTop)"
    before = page.evaluate(tops)
    page.fill("#search input, #search textarea", "technician")
    desk = made.desks.reviewing.desk
    desk.claim(CHIKA, ahead)
    desk.ask(CHIKA, ahead, ASKS)
    expect(page.locator("#standing")).to_contain_text("1 of 1", timeout=TICK)
    assert page.evaluate(tops) == before
    expect(page.locator("#search input, #search textarea")).to_be_focused()


def test_what_was_opened_from_the_list_says_where_it_stands(visits: Visits, made: Pages) -> None:
    list(made.ask(AIKO, AskForm(QUESTION, Importance.CRITICAL, Domain.MATH), "k-a"))
    page = visits("", "aiko")
    page.locator(".tour [data-step]:not([hidden]) [data-tour=skip]").click()
    expect(page.locator("#found .item")).to_contain_text("number 1 in the queue")
    page.click("#found .item button")
    expect(page.locator("#standing")).to_contain_text(re.compile("1 of 1"))


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    visits: Visits, made: Pages, language: str, width: int, dark: bool
) -> None:
    *_, last = made.ask(AIKO, AskForm(QUESTION, Importance.HIGH, Domain.MATH), "k-a")
    answer_id = last.row.id  # type: ignore[union-attr]
    made.desks.reviewing.desk.claim(CHIKA, answer_id)
    made.desks.reviewing.desk.ask(CHIKA, answer_id, ASKS)
    page = visits("", "aiko", language, width, dark)
    page.locator(".tour [data-step]:not([hidden]) [data-tour=skip]").click()
    page.click("#found .item button")
    expect(page.locator("#reply-panel")).to_be_visible()
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
    shot(page, f"standing-{language}-{width}{'-dark' if dark else ''}")
