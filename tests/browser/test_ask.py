"""The Ask page in a real browser: ask, watch, look into the answer, ask for more, find it again."""

import re
import threading
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.services.ask import AskForm
from app.views.state import Running
from policies.document import preset
from policies.types import Importance
from tests.browser.visits import LOOKS, SIZES, Visits, cut_off, faults, scrolls_sideways, shot
from tests.pages import ANSWER, Pages, keep_measurements, slow
from tests.people import AIKO, BEN, EVERYONE

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=window.pwned=1>"
PASSES = preset("full").rungs[Importance.STANDARD].max_nfe_per_token
"""A word at standard importance."""
ABOVE = """() => {
  const focused = document.activeElement.closest('label').getBoundingClientRect();
  return focused.bottom <= document.querySelector('#send-row').getBoundingClientRect().top;
}"""
SAID = {
    "en": {"ask": "Ask", "card": "Receipt", "writing": "Writing…", "differs": "Side by side"},
    "ja": {
        "ask": "質問を送る",
        "card": "費用の明細",
        "writing": "作成しています",
        "differs": "並べて比較",
    },
}


def no_tour(page: Page) -> Page:
    page.locator(".tour [data-step]:not([hidden]) [data-tour=skip]").click()
    return page


def ask_example(page: Page, name: str = "math") -> None:
    page.click(f"#example-{name}")
    expect(page.locator("#question textarea")).to_have_value(re.compile(r"\w"))
    expect(page.locator("#quote")).to_contain_text("$")
    page.click("#send")


def eventually(claim: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if claim():
            return True
        time.sleep(0.05)
    return claim()


@pytest.mark.parametrize("language", list(SAID))
def test_a_question_becomes_an_answer_with_receipt_token_view_and_rating(
    visits: Visits, made: Pages, language: str
) -> None:
    made.engine.before = slow(0.03)
    said = SAID[language]
    page = no_tour(visits("", "aiko", language))
    expect(page.locator("#send")).to_have_text(said["ask"])
    ask_example(page)
    expect(page.locator(".meter")).to_contain_text(said["writing"])
    expect(page.locator(".answer[aria-busy=false]")).to_have_text(" ".join(ANSWER))
    expect(page.locator("#card .card")).to_contain_text(said["card"])
    page.click("#how")
    expect(page.locator("#tokens .words .changed").first).to_be_visible()
    page.click("#rate-up")
    expect(page.locator("#thanks .notice")).to_be_visible()
    expect(page.locator("#found .item")).to_have_count(1)


@pytest.mark.parametrize("width", SIZES.values())
def test_the_way_to_send_is_in_sight_without_scrolling(visits: Visits, width: int) -> None:
    page = no_tour(visits("", "aiko", "ja", width))
    expect(page.locator("#send")).to_be_in_viewport(ratio=1)
    page.mouse.wheel(0, 300)
    expect(page.locator("#send")).to_be_in_viewport(ratio=1)
    page.locator("#domain input").last.focus()
    assert page.evaluate(ABOVE), "what has the focus hides behind the way to send"


def test_more_compute_stands_beside_the_first_answer(visits: Visits, made: Pages) -> None:
    page = no_tour(visits("", "aiko"))
    page.click("#example-point")
    expect(page.locator("section.difference")).to_be_visible(timeout=30_000)
    first, second = made.engine.jobs
    assert first.seed == second.seed
    assert first.question == second.question
    assert (first.importance, second.importance) == (Importance.ROUTINE, Importance.STANDARD)
    expect(page.locator(".side")).to_have_count(2)


def test_the_tour_is_shown_once_and_escape_ends_it(visits: Visits) -> None:
    page = visits("", "aiko", "ja")
    expect(page.locator(".tour")).to_be_visible()
    page.click(".tour [data-step]:not([hidden]) [data-tour=next]")
    expect(page.locator(".tour [data-step]:not([hidden])")).to_contain_text("重要度")
    page.keyboard.press("Escape")
    expect(page.locator(".tour")).to_be_hidden()
    page.reload()
    page.wait_for_selector("#quote .value")
    expect(page.locator(".tour")).to_be_hidden()


def test_the_domain_is_told_from_the_question_and_can_be_changed(
    visits: Visits, made: Pages
) -> None:
    page = no_tour(visits("", "aiko"))
    page.fill("#question textarea", "Please list the following alphabetically: river, apple.")
    expect(page.locator("#domain label.selected")).to_contain_text("From the question: Data")
    page.locator("#domain label", has_text="Business").click()
    page.click("#send")
    expect(page.locator("#card .card")).to_be_visible()
    assert made.engine.jobs[0].plan.domain == "business"


def test_earlier_questions_are_found_and_opened(visits: Visits, made: Pages) -> None:
    for number, words in enumerate(("pens in a box", "lamps in a crate")):
        list(made.ask(AIKO, AskForm(f"How many {words}?", Importance.STANDARD), f"k-{number}"))
    list(made.ask(BEN, AskForm("How many secrets?", Importance.STANDARD), "k-b"))
    page = no_tour(visits("", "aiko"))
    expect(page.locator("#found .item")).to_have_count(2)
    page.fill("#search input, #search textarea", "lamps")
    expect(page.locator("#found .item")).to_have_count(1)
    page.click("#found .item button")
    expect(page.locator("#answer .asked")).to_contain_text("lamps in a crate")
    expect(page.locator("#card .card")).to_be_visible()
    page.fill("#search input, #search textarea", "x" * 100_000)
    expect(page.locator("#found [role=alert]")).to_contain_text("200")
    page.fill("#search input, #search textarea", "secrets")
    expect(page.locator("#found")).to_contain_text("Nothing found")


def test_a_double_press_runs_once(visits: Visits, made: Pages) -> None:
    made.engine.before = slow(0.02)
    page = no_tour(visits("", "aiko"))
    page.click("#example-math")
    expect(page.locator("#question textarea")).to_have_value(re.compile(r"\w"))
    page.dblclick("#send")
    expect(page.locator("#card .card")).to_be_visible()
    assert len(made.engine.jobs) == 1


def test_stop_ends_the_work_and_charges_what_was_done(visits: Visits, made: Pages) -> None:
    made.engine.before = slow(0.1)
    page = no_tour(visits("", "aiko"))
    ask_example(page)
    expect(page.locator(".answer")).to_contain_text("8 times")
    page.click("#stop")
    expect(page.locator("#card .card")).to_contain_text("Stopped.")
    assert made.engine.evaluations < PASSES * len(ANSWER)
    assert made.dashboard.overview(EVERYONE).answers[0].units.nfe == made.engine.evaluations
    assert made.dashboard.ceilings(EVERYONE)[0].held_nanos == 0


def test_a_closed_tab_stops_the_compute_within_one_evaluation(
    visits: Visits, made: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.engine.before = slow(0.15)
    at: list[int] = []
    stop = Running.stop

    def stopping(running: Running, session: str) -> None:
        at.append(made.engine.evaluations)
        stop(running, session)

    monkeypatch.setattr(Running, "stop", stopping)
    page = no_tour(visits("", "aiko"))
    ask_example(page)
    expect(page.locator(".answer")).to_contain_text("8 times")
    page.close()
    assert eventually(lambda: made.dashboard.ceilings(EVERYONE)[0].held_nanos == 0)
    assert made.dashboard.overview(EVERYONE).answers[0].status == "cancelled"
    assert made.engine.evaluations - at[0] <= 1
    assert made.engine.evaluations < PASSES * len(ANSWER)


@pytest.mark.parametrize(
    ("typed", "said"), [("", "Please type"), ("y" * 4001, "4001 characters"), ("a\x07b", "1 invis")]
)
def test_a_bad_question_is_told_beside_it_and_stays_typed(
    visits: Visits, typed: str, said: str
) -> None:
    page = no_tour(visits("", "aiko"))
    page.fill("#question textarea", typed)
    page.click("#send")
    expect(page.locator("#notice [role=alert]")).to_contain_text(said)
    expect(page.locator("#question textarea")).to_have_value(typed)
    expect(page.locator("#send")).to_be_enabled()


def test_nothing_typed_or_written_becomes_markup(visits: Visits, made: Pages) -> None:
    made.engine.words = (EVIL, "<b>bold</b>", "# not a heading")
    page = no_tour(visits("", "aiko"))
    page.fill("#question textarea", f"What is {EVIL}?")
    page.click("#send")
    expect(page.locator("#card .card")).to_be_visible()
    expect(page.locator(".answer")).to_have_text(" ".join(made.engine.words))
    page.click("#how")
    expect(page.locator("#tokens .words").last).to_contain_text("<b>bold</b>")
    assert page.evaluate("window.pwned") is None


def test_a_critical_answer_waits_and_shows_no_word_of_it(visits: Visits) -> None:
    page = no_tour(visits("", "aiko", "ja"))
    ask_example(page, "invoice")
    expect(page.locator(".answer")).to_contain_text("確認待ち")
    expect(page.locator("body")).not_to_contain_text("plus 45")


def test_who_may_not_ask_is_told_so_in_words(visits: Visits) -> None:
    page = visits("", "vera", "ja")
    expect(page.locator("body")).to_contain_text("この役割では利用できないページです")
    expect(page.locator("#send")).to_be_hidden()
    expect(page.locator("body")).not_to_contain_text("Traceback")


def test_twenty_ask_at_once_and_each_sees_only_their_own(visits: Visits, made: Pages) -> None:
    """Over the pages' own wire; meanwhile the page answers a reader who only types."""
    from gradio_client import Client

    made.engine.before = slow(0.02)
    made.engine.echo = True
    patient = {"timeout": 120}
    clients = [Client(visits.address, verbose=False, httpx_kwargs=patient) for _ in range(20)]
    got: dict[int, str] = {}

    def ask(number: int) -> None:
        question = f"number{number}end"
        answer, *_ = clients[number].predict(question, "standard", "general", api_name="/ask")
        got[number] = answer

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    page = no_tour(visits("", "aiko"))
    for thread in threads:
        thread.start()
    began = time.monotonic()
    page.fill("#question textarea", "How many pens?")
    expect(page.locator("#quote")).to_contain_text("is set aside")
    responsive = time.monotonic() - began
    for thread in threads:
        thread.join(60)
    assert len(got) == 20
    assert all(f"number{number}end" in answer for number, answer in got.items())
    assert all(answer.count("number") == 1 for answer in got.values())
    assert responsive < 10  # a busy machine; without load it is well under one


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_reads_well_at_every_width_in_light_and_dark(
    visits: Visits, made: Pages, language: str, width: int, dark: bool
) -> None:
    keep_measurements(made)
    page = no_tour(visits("", "aiko", language, width, dark))
    ask_example(page, "data")
    expect(page.locator("#card .card")).to_be_visible()
    page.click("#how")
    expect(page.locator("section.tokens")).to_be_visible()
    page.wait_for_timeout(500)
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
    shot(page, f"ask-{language}-{width}{'-dark' if dark else ''}")
