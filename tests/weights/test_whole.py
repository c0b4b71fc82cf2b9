"""One person, a real browser, the real model: a question becomes an answer, a price, a point."""

import re

import pytest
from playwright.sync_api import expect

from app.bootstrap import Pilot
from app.commands.serving import desks
from app.services.accounts import LOCAL
from app.views.shell import build
from tests.browser.chrome import browser, open_page
from tests.pages import served
from tests.people import Cookies


@pytest.mark.browser
def test_a_question_is_answered_priced_and_on_the_dashboard(pilot: Pilot) -> None:
    with (
        served(build(desks(pilot), pilot.engine.info(), Cookies())) as address,
        browser() as chromium,
    ):
        page = open_page(chromium, address)
        page.click("#example-math")
        expect(page.locator("#question textarea")).to_have_value(re.compile(r"\w"))
        page.click("#send")
        expect(page.locator("#card")).to_contain_text("Receipt", timeout=180_000)
        (row,) = pilot.dashboard.overview(LOCAL).answers
        text = pilot.ask.read(LOCAL, row.id).text.answer
        expect(page.locator("#answer")).to_contain_text(text.splitlines()[-1])
        expect(page.locator("#card")).to_contain_text(str(row.units.nfe))
        board = open_page(chromium, address + "dashboard")
        expect(board.locator("#answers tbody tr")).to_have_count(1)
        expect(board.locator("#spend .scatterlayer .point")).to_have_count(1)
        quality = board.locator("#quality .scatterlayer .point")
        assert quality.count() >= 4, "the recorded measurements of the shipped adapter are plotted"


def test_the_shipped_measurements_are_of_the_shipped_adapter(pilot: Pilot) -> None:
    shown = pilot.dashboard.overview(LOCAL).measurements
    whole = {m.budget: m for m in shown if m.domain is None}
    assert {0, 3, 7, 15} <= set(whole)
    assert all(m.shipped for m in whole.values())
    assert all(m.adapter_sha256 == pilot.engine.info().adapter_sha256 for m in whole.values())
    best = max(whole.values(), key=lambda m: m.accuracy)
    assert best.ci_low > whole[0].ci_high, "the path beats the base model beyond both intervals"
