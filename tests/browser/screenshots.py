"""Pictures of every page and state: python -m tests.browser.screenshots FOLDER."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from app.services.ask import AskForm
from policies.types import Domain, Importance
from tests.browser.chrome import WIDTHS, browser, open_page, screenshot
from tests.fakes import FakeEngine
from tests.pages import ANSWER, Pages, keep_measurements, pages, served, slow
from tests.samples import MODEL

LOCALES = {"en": "en-US", "ja": "ja-JP"}
RATINGS = (1, 1, -1, None)


def take(folder: Path) -> list[Path]:
    """Ask before, during and after a run and refused, dashboard; wide and phone, en and ja."""
    with tempfile.TemporaryDirectory() as data:
        made = pages(Path(data), FakeEngine(words=ANSWER, model=MODEL))
        _history(made)
        made.engine.before = slow(0.03)
        with served(made.demo) as address, browser() as opened:
            return [
                file
                for language, locale in LOCALES.items()
                for size, width in WIDTHS.items()
                for file in _series(opened, address, locale, width, folder / f"{language}-{size}")
            ]


def _series(opened: Browser, address: str, locale: str, width: int, name: Path) -> list[Path]:
    page = open_page(opened, address, locale, width)
    shots = [_shot(page, name, "ask")]
    page.click("#example-math")
    page.wait_for_timeout(500)
    page.click("#send")
    page.wait_for_selector(".answer[aria-busy=true]:has-text('32')")
    shots.append(_shot(page, name, "ask-running"))
    page.wait_for_selector(".card")
    shots.append(_shot(page, name, "ask-answered"))
    page.fill("#question textarea", "")
    page.click("#send")
    page.wait_for_selector("#notice [role=alert]")
    shots.append(_shot(page, name, "ask-refused"))
    page.goto(f"{address}dashboard")
    page.wait_for_selector("#spend .point")
    shots.append(_shot(page, name, "dashboard"))
    page.context.close()
    return shots


def _shot(page: Page, name: Path, state: str) -> Path:
    return screenshot(page, name.with_name(f"{name.name}-{state}.png"))


def _history(made: Pages) -> None:
    """What a first day leaves behind."""
    keep_measurements(made)
    for number in range(12):
        importance = list(Importance)[number % 4]
        form = AskForm("How many lamps are left?", importance, list(Domain)[number * 3 % 4])
        *_, last = made.ask(form, f"k-{number}")
        rating = RATINGS[number % 4]
        if rating:
            made.ask.rate(last.row.id, rating)  # type: ignore[union-attr]


if __name__ == "__main__":
    take(Path(sys.argv[1]))
