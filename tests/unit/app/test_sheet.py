"""Figures to take along: nothing in a file runs in a spreadsheet, and nothing is lost."""

import base64
import csv
import io
import re

import pytest

from app.i18n import texts
from app.ports.board import By, Spend
from app.presenters import sheets
from app.presenters.sheet import Sheet, as_csv, take
from policies.types import Units
from tests.samples import measured

EN, JA = texts("en"), texts("ja")


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(evil: str) -> None:
    (_, (cell,)) = csv.reader(io.StringIO(as_csv(Sheet("s", ["a"], [[evil]])), newline=""))
    assert cell == f"'{evil}"


def test_numbers_stay_numbers_also_below_zero() -> None:
    assert as_csv(Sheet("s", ["a", "b"], [[-5, 0.25]])).splitlines()[1] == "-5,0.25"


def test_the_file_behind_the_link_has_every_row_and_opens_in_japanese() -> None:
    days = [Spend(f"2026-11-{d:02}", d, Units(1, 2, 3), 10 * d) for d in range(1, 31)]
    html = take(sheets.spend(days, "USD", JA), "spend", JA)
    (body,) = re.findall(r"base64,([^\"]+)", html)
    raw = base64.b64decode(body)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0][0] == "日付"
    assert len(rows) == 31
    assert rows[-1][2:4] == ["300", "4650"]


def test_names_from_outside_cannot_become_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    found = [Spend(evil, 1, Units(1, 1, 1), 5)]
    shown = take(sheets.parts(found, By.TEAM, "USD", EN), "parts", EN)
    assert "<img" not in shown


def test_importances_and_domains_are_said_in_the_readers_words() -> None:
    found = [Spend("high", 1, Units(1, 1, 1), 5)]
    assert sheets.names(found, By.IMPORTANCE, JA) == ["重要"]
    assert sheets.names(found, By.TEAM, JA) == ["high"]


def test_without_rows_there_is_nothing_to_take() -> None:
    assert take(sheets.quality([], EN), "quality", EN) == ""


def test_quality_has_a_row_for_every_point_with_its_interval_and_n() -> None:
    sheet = sheets.quality(measured(), EN)
    assert len(sheet.rows) == 20
    assert sheet.rows[0][1:7] == ["All questions", 0, 0.42, 0.34, 0.5, 408]
