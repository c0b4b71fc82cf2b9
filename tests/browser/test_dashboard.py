"""The Dashboard in a real browser: charts, filters in the link, points to read, figures to take."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.services.ask import AskForm
from policies.document import preset
from policies.types import Domain, Importance
from tests.browser.visits import LOOKS, Visits, cut_off, faults, scrolls_sideways, shot
from tests.pages import Pages, keep_measurements
from tests.people import AIKO, BEN

pytestmark = pytest.mark.browser
CAP = preset("full").rungs[Importance.STANDARD].max_nfe_per_token
"""Passes a word at standard importance."""


@pytest.fixture(autouse=True)
def history(made: Pages) -> None:
    keep_measurements(made)
    for number in range(8):
        who = (AIKO, BEN)[number % 2]
        importance = (Importance.ROUTINE, Importance.STANDARD)[number % 2]
        form = AskForm(f"Question {number} of {who.user}?", importance, Domain.MATH)
        list(made.ask(who, form, f"k-{number}"))


def board(visits: Visits, path: str = "dashboard", *looks: object) -> Page:
    page = visits(path, *(looks or ("aiko",)))  # type: ignore[arg-type]
    expect(page.locator("#quality .scatterlayer .point").first).to_be_visible(timeout=30_000)
    expect(page.locator("#answers tbody tr").first).to_be_visible()
    return page


def test_filters_narrow_everything_and_stay_in_the_link(visits: Visits) -> None:
    page = board(visits)
    expect(page.locator("#answers tbody tr")).to_have_count(8)
    page.click("#filter-importance input")
    page.locator("[role=option]", has_text="Routine").click()
    expect(page.locator("#answers tbody tr")).to_have_count(4)
    expect(page).to_have_url(re.compile("importance=routine"))
    again = visits(page.url.removeprefix(visits.address), "vera")
    expect(again.locator("#answers tbody tr")).to_have_count(4)
    expect(again.locator("#filter-importance input")).to_have_value("Routine")


def test_a_point_opens_its_answers_and_only_ones_own_are_read(visits: Visits) -> None:
    page = board(visits)
    page.click(f"#points button[data-point='{CAP}.']")
    expect(page.locator("#behind li")).to_have_count(4)
    expect(page.locator("#behind")).not_to_contain_text("Question 1 of ben?")
    page.click("#points button[data-point='0.']")
    expect(page.locator("#behind")).to_contain_text("Question 0 of aiko?")


def test_another_requester_reads_figures_alone(visits: Visits) -> None:
    page = board(visits, "dashboard?point=0.", "ben")
    expect(page.locator("#behind li")).to_have_count(4)
    expect(page.locator("#behind")).to_contain_text("not yours to read")
    expect(page.locator("#behind")).not_to_contain_text("Question")


def test_a_press_on_the_chart_is_a_press_on_its_button(visits: Visits) -> None:
    page = board(visits)
    page.evaluate(
        "cap => document.querySelector('#quality .js-plotly-plot')"
        ".emit('plotly_click', {points: [{id: cap + '.math'}]})",
        CAP,
    )
    expect(page.locator("#behind h3")).to_contain_text(
        f"up to {CAP} refinement passes a word: Math"
    )


def test_figures_are_to_be_had_as_data_and_as_a_picture(visits: Visits, tmp_path: Path) -> None:
    page = board(visits)
    with page.expect_download() as data:
        page.click("#quality-panel .take a[download]")
    file = tmp_path / "quality.csv"
    data.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.reader(text))
    assert len(rows) == 21
    with page.expect_download() as picture:
        page.click("#quality-panel [data-picture]")
    assert picture.value.suggested_filename == "quality.png"


def test_a_link_with_nonsense_shows_the_page(visits: Visits) -> None:
    page = visits(
        "dashboard?importance=x&period=%3Cb%3E&team=%3Cimg%3E&point=zz&by=q", "aiko", "ja"
    )
    expect(page.locator("#no-spend")).to_contain_text("まだ費用は発生していません")
    expect(page.locator("#filter-importance input")).to_have_value("すべて")
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_reads_well_at_every_width_in_light_and_dark(
    visits: Visits, language: str, width: int, dark: bool
) -> None:
    page = board(visits, "dashboard", "aiko", language, width, dark)
    page.wait_for_timeout(1500)
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
    shot(page, f"dashboard-{language}-{width}{'-dark' if dark else ''}")


def test_no_english_word_in_the_japanese_charts(visits: Visits) -> None:
    page = board(visits, "dashboard", "aiko", "ja")
    page.wait_for_timeout(1500)
    drawn = " ".join(page.locator(".js-plotly-plot text").all_text_contents())
    english = set(re.findall(r"[A-Za-z]{3,}", drawn)) - {"USD", "sales", "finance"}
    assert english == set()
