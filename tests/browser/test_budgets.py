"""The Budgets page in a real browser: limits in plain words, and a raise that takes two people."""

import re

import pytest
from playwright.sync_api import expect

from app.services.ask import AskForm
from policies.types import Domain, Importance, Window
from tests.browser.visits import LOOKS, Visits, cut_off, faults, scrolls_sideways
from tests.pages import Pages
from tests.people import AIKO, EMI

pytestmark = pytest.mark.browser
SAID = {
    "en": {"used": "spent or set aside", "sent": "Another person decides", "granted": "Granted"},
    "ja": {"used": "を使用・確保", "sent": "申請しました", "granted": "承認済み"},
}


def a_first_day(made: Pages) -> None:
    list(made.ask(AIKO, AskForm("How much?", Importance.HIGH, Domain.MATH), "k-1"))
    made.desks.budgets.ask_raise(AIKO, "team:sales", Window.MONTH, 5 * 10**9, "Closing.", 30)


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("#raise-amount textarea, #raise-amount input", typed, "金額は")
        for typed in (
            "",
            "0",
            "-1",
            "1e309",
            "NaN",
            "1.0000000001",
            "x" * 100_000,
            "🎉",
            "\u202eabc",
        )
    ]
    + [("#raise-days input", typed, "日数は1〜") for typed in ("", "0", "-1", "0.2", "1e308")]
    + [("#raise-reason textarea", typed, "理由") for typed in ("", " ", "x" * 100_000)],
)
def test_what_cannot_be_asked_for_is_told_beside_the_form_and_stays_typed(
    visits: Visits, field: str, typed: str, told: str
) -> None:
    page = visits("budgets", "aiko", "ja")
    page.fill("#raise-amount textarea, #raise-amount input", "5")
    page.fill("#raise-reason textarea", "決算")
    page.fill(field, typed)
    page.click("#raise-send")
    expect(page.locator("#raise-notice [role=alert]")).to_contain_text(told)
    expect(page.locator(".toast-body")).to_have_count(0)
    expect(page.locator(field)).to_have_value(typed)


@pytest.mark.parametrize("language", list(SAID))
def test_one_person_asks_for_more_and_another_grants_it(visits: Visits, language: str) -> None:
    said = SAID[language]
    page = visits("budgets", "aiko", language)
    expect(page.locator("#ceilings .window")).to_contain_text(said["used"])
    page.fill("#raise-amount input, #raise-amount textarea", "2.50")
    page.fill("#raise-reason textarea", "Quarter-end closing")
    page.click("#raise-send")
    expect(page.locator("#raise-notice .notice")).to_contain_text(said["sent"])
    expect(page.locator("#raises .item")).to_contain_text("Quarter-end closing")
    expect(page.locator("#raises button")).to_have_count(0)
    owner = visits("budgets", "emi", language)
    owner.click("#raises button[data-do=grant]")
    expect(owner.locator("#raises .mark.granted")).to_have_text(said["granted"])
    expect(owner.locator("#ceilings .window")).to_contain_text(re.compile(r"\$7\.50"))
    expect(page.locator("#raises .mark.granted")).to_be_visible(timeout=15_000)  # by its timer


def test_a_bad_amount_is_told_beside_the_form_and_stays_typed(visits: Visits) -> None:
    page = visits("budgets", "aiko", "ja")
    page.fill("#raise-amount input, #raise-amount textarea", "five")
    page.click("#raise-send")
    expect(page.locator("#raise-notice [role=alert]")).to_contain_text("数字で入力")
    typed = page.locator("#raise-amount input, #raise-amount textarea")
    expect(typed).to_have_value("five")


def test_nobody_is_offered_to_decide_over_their_own_request(visits: Visits, made: Pages) -> None:
    made.desks.budgets.ask_raise(EMI, "pilot", Window.WHOLE, 10**9, "Mine.", 30)
    page = visits("budgets", "emi")
    expect(page.locator("#raises .item")).to_contain_text("another person decides")
    expect(page.locator("#raises button")).to_have_count(0)


def test_a_viewer_reads_and_cannot_ask(visits: Visits, made: Pages) -> None:
    a_first_day(made)
    page = visits("budgets", "vera")
    expect(page.locator("#raises .item")).to_be_visible()
    expect(page.locator("#raise-form")).to_be_hidden()
    names = page.locator("#header nav.pages a")
    expect(names).to_have_text(["Dashboard", "Budgets", "Policy", "Settings"])


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    visits: Visits, made: Pages, language: str, width: int, dark: bool
) -> None:
    a_first_day(made)
    page = visits("budgets", "emi", language, width, dark)
    expect(page.locator("#raises button").first).to_be_visible()
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
