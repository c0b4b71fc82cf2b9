"""The pages in a real browser: ask, watch, get the receipt, find it on the dashboard."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.services.ask import AskForm
from tests.browser.chrome import WIDTHS, browser, chromium_path, open_page
from tests.fakes import FakeEngine
from tests.pages import ANSWER, Pages, keep_measurements, pages, served, slow
from tests.samples import MODEL

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
EVIL = "<img src=x onerror=window.pwned=1>"
WORDS = {
    "en-US": {"ask": "Ask", "card": "Receipt", "writing": "Writing…", "status": "Answered"},
    "ja-JP": {
        "ask": "質問を送る",
        "card": "費用の明細",
        "writing": "作成しています",
        "status": "回答済み",
    },
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def made(tmp_path: Path) -> Pages:
    return pages(tmp_path, FakeEngine(words=ANSWER, model=MODEL, before=slow(0.02)))


@pytest.fixture
def address(made: Pages) -> Iterator[str]:
    with served(made.demo) as url:
        yield url


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Visit]:
    """Opens pages, and closes them before the server goes."""
    opened: list[Page] = []

    def go(path: str = "", locale: str = "en-US", width: int = WIDTHS["wide"]) -> Page:
        opened.append(open_page(chromium, address + path, locale, width))
        return opened[-1]

    yield go
    for page in opened:
        page.context.close()


def eventually(claim: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if claim():
            return True
        time.sleep(0.05)
    return claim()


def ask_example(page: Page, name: str = "math") -> None:
    page.click(f"#example-{name}")
    expect(page.locator("#question textarea")).to_have_value(re.compile(r"\w"))
    expect(page.locator("#quote")).to_contain_text("$")
    page.click("#send")


@pytest.mark.parametrize("locale", list(WORDS))
def test_a_question_becomes_an_answer_a_receipt_a_point_and_a_row(
    visit: Visit, made: Pages, locale: str
) -> None:
    keep_measurements(made)
    said = WORDS[locale]
    page, board = visit("", locale), visit("dashboard", locale)
    expect(page.locator("#send")).to_have_text(said["ask"])
    expect(board.locator("#no-spend .empty")).to_be_visible()
    ask_example(page)
    expect(page.locator(".answer[aria-busy=true]")).to_contain_text("8 times")
    expect(page.locator(".meter")).to_contain_text(said["writing"])
    expect(page.locator(".answer[aria-busy=false]")).to_have_text(" ".join(ANSWER))
    expect(page.locator(".card")).to_contain_text(said["card"])
    price = page.locator(".fact.price .value").inner_text()
    page.click("#rate-up")
    expect(page.locator("#thanks .notice")).to_be_visible()
    expect(board.locator("#answers tbody tr")).to_have_count(1, timeout=15_000)  # by its timer
    expect(board.locator("#spend .scatterlayer .point")).to_have_count(1)
    row = board.locator("#answers tbody tr")
    expect(row).to_contain_text(said["status"])
    expect(row.locator(".price .money")).to_have_attribute("title", price)
    ask_example(page, "data")
    expect(page.locator("#send")).to_be_enabled()
    board.click("#refresh")
    expect(board.locator("#answers tbody tr")).to_have_count(2)
    expect(board.locator("#spend .scatterlayer .point")).to_have_count(2)
    expect(board.locator("#quality .scatterlayer .trace")).to_have_count(4)


def test_the_address_forces_the_language_of_everything(visit: Visit) -> None:
    page = visit("?lang=ja")
    expect(page.locator("#send")).to_have_text("質問を送る")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.locator("#question")).to_contain_text("質問")
    expect(page.locator("#importance")).to_contain_text("最重要")
    page.click("#send")
    expect(page.locator("#notice")).to_contain_text("先に質問を入力")
    page.click("#header nav.pages a >> nth=1")
    expect(page.locator("#top")).to_contain_text("ダッシュボード")


def test_a_double_click_asks_once(visit: Visit, made: Pages) -> None:
    page = visit()
    page.click("#example-math")
    expect(page.locator("#question textarea")).to_have_value(re.compile(r"\w"))
    page.dblclick("#send")
    expect(page.locator(".card")).to_be_visible()
    expect(page.locator("#send")).to_be_enabled()
    assert len(made.engine.jobs) == 1


def test_stop_ends_the_work_and_charges_what_was_done(visit: Visit, made: Pages) -> None:
    page = visit()
    ask_example(page)
    expect(page.locator(".answer")).to_contain_text("8 times")
    page.click("#stop")
    expect(page.locator(".card")).to_contain_text("Stopped.")
    done = made.engine.evaluations
    assert done < 7 * len(ANSWER)
    overview = made.dashboard.overview()
    assert overview.answers[0].units.nfe == done
    assert overview.ceilings[0].held_nanos == 0
    expect(page.locator("#send")).to_be_enabled()


def test_a_closed_tab_ends_the_work_and_gives_the_hold_back(visit: Visit, made: Pages) -> None:
    page = visit()
    ask_example(page)
    expect(page.locator(".answer")).to_contain_text("8 times")
    page.close()
    assert eventually(lambda: made.dashboard.overview().ceilings[0].held_nanos == 0)
    assert made.engine.evaluations < 7 * len(ANSWER)
    assert made.dashboard.overview().answers[0].status == "cancelled"


@pytest.mark.parametrize(
    ("typed", "said"), [("", "Please type"), ("y" * 4001, "4001 characters"), ("a\x07b", "1 invis")]
)
def test_a_bad_question_is_told_beside_it_and_stays_typed(
    visit: Visit, typed: str, said: str
) -> None:
    page = visit()
    page.fill("#question textarea", typed)
    page.click("#send")
    expect(page.locator("#notice [role=alert]")).to_contain_text(said)
    expect(page.locator("#question textarea")).to_have_value(typed)
    expect(page.locator("#send")).to_be_enabled()


def test_over_the_ceiling_one_click_takes_the_rung_that_fits(visit: Visit, made: Pages) -> None:
    with made.uow() as unit:
        unit.ledger.set_limit("pilot", 200_000, "USD")
        unit.commit()
    page = visit()
    ask_example(page)
    expect(page.locator("#notice [role=alert]")).to_contain_text("With importance Routine")
    page.click("#lower")
    expect(page.locator("#importance label.selected")).to_contain_text("Routine")
    expect(page.locator("#quote")).to_contain_text("without refinement")
    page.click("#send")
    expect(page.locator(".card")).to_contain_text("none at this importance")


def test_nothing_typed_or_written_becomes_markup(visit: Visit, made: Pages) -> None:
    made.engine.words = (EVIL, "<b>bold</b>", "# not a heading")
    page = visit()
    page.fill("#question textarea", f"What is {EVIL}?")
    page.click("#send")
    expect(page.locator(".card")).to_be_visible()
    expect(page.locator(".answer")).to_have_text(" ".join(made.engine.words))
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize("path", ["", "dashboard"])
@pytest.mark.parametrize("locale", list(WORDS))
def test_a_phone_never_scrolls_sideways(visit: Visit, made: Pages, locale: str, path: str) -> None:
    keep_measurements(made)
    list(made.ask(AskForm("How much?"), "k-1"))
    page = visit(path, locale, WIDTHS["phone"])
    page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTHS["phone"]


def test_pages_load_nothing_from_elsewhere(chromium: Browser, address: str) -> None:
    asked: list[str] = []
    context = chromium.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for path in ("", "dashboard"):
        page.goto(address + path)
        page.wait_for_selector("#header h1")
    context.close()
    abroad = [u for u in asked if not u.startswith((address, "data:", "blob:"))]
    assert abroad == []


def test_without_chromium_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match="apt-get install -y chromium"):
        chromium_path()
