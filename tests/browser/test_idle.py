"""An open page whose person does nothing keeps no answer from others; a look at it does."""

import pytest
from playwright.sync_api import expect

from app.services.ask import AskForm
from app.views.review import REFRESH_SECONDS
from policies.types import Domain, Importance
from tests.browser.visits import Visits, faults
from tests.pages import Pages
from tests.people import AIKO, DAN

pytestmark = pytest.mark.browser
TICK = (REFRESH_SECONDS + 15) * 1000
LONG_AGO = "window.l2dActed = Date.now() - 16 * 60 * 1000"


def test_an_idle_page_gives_its_answer_back_and_keeps_the_draft(
    visits: Visits, made: Pages
) -> None:
    list(made.ask(AIKO, AskForm("How many pens?", Importance.HIGH, Domain.MATH), "k-idle"))
    page = visits("review", "chika")
    page.click("#queue .entry >> nth=0")
    expect(page.locator("#decide")).to_be_visible()
    page.locator("#verdict input[value=reject]").check()
    page.fill("#reason textarea", "made up")
    expect(page.locator("#saved [role=status]")).to_be_visible()
    page.evaluate(LONG_AGO)
    page.keyboard.press("Shift")  # a key counts as much as a click
    assert page.evaluate("Date.now() - window.l2dActed") < 60_000
    page.evaluate(LONG_AGO)
    expect(page.locator("#review-notice .notice")).to_be_visible(timeout=TICK)
    (entry, *_) = made.desks.reviewing.desk.queue(DAN)
    assert entry.item.lease is None
    page.click("#queue .entry >> nth=0")
    expect(page.locator("#reason textarea")).to_have_value("made up")
    assert faults(page) == []
