"""The Audit page in a real browser: who did what, filtered, exported, and a chain that tells."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text

from policies.types import Window
from tests.browser.visits import LOOKS, Visits, cut_off, faults, paste, scrolls_sideways
from tests.pages import Pages
from tests.people import AIKO, EMI

pytestmark = pytest.mark.browser


def a_raise(made: Pages) -> None:
    asked = made.desks.budgets.ask_raise(AIKO, "pilot", Window.WHOLE, 10**9, "Closing.", 30)
    made.desks.budgets.decide_raise(EMI, asked.id, True)


@pytest.mark.parametrize(("language", "granted"), [("en", "Granted more"), ("ja", "増額を承認")])
def test_what_was_done_is_listed_filtered_and_exported(
    visits: Visits, made: Pages, language: str, granted: str, tmp_path: Path
) -> None:
    a_raise(made)
    page = visits("audit", "finn", language)
    expect(page.locator("#log tbody tr")).to_have_count(4)
    expect(page.locator("#log tbody tr >> nth=0")).to_contain_text(granted)
    page.locator("#audit-by input, #audit-by textarea").press_sequentially("emi")
    expect(page.locator("#log tbody tr")).to_have_count(1)
    page.click("#export")
    with page.expect_download() as saving:
        page.click("#save")
    saving.value.save_as(tmp_path / "log.csv")
    lines = (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "number,at,by,action,subject,details,hash"
    assert [line.split(",")[2:4] for line in lines[1:]] == [["emi", "raise.grant"]]


def test_a_pasted_name_filters_as_a_typed_one_does(visits: Visits, made: Pages) -> None:
    a_raise(made)
    page = visits("audit", "finn")
    expect(page.locator("#log tbody tr")).to_have_count(4)
    paste(page, "#audit-by input, #audit-by textarea", "emi")
    expect(page.locator("#log tbody tr")).to_have_count(1)


def test_a_row_changed_behind_the_app_is_found(visits: Visits, made: Pages, tmp_path: Path) -> None:
    a_raise(made)
    page = visits("audit", "finn")
    page.click("#check")
    expect(page.locator("#chain .mark")).to_have_text("Whole")
    database = create_engine(f"sqlite:///{tmp_path / 'pilot.db'}")
    with database.begin() as connection:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log'"
        for name in connection.execute(text(guards)).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(text("UPDATE audit_log SET \"by\" = 'mallory' WHERE number = 2"))
    database.dispose()
    page.click("#check")
    expect(page.locator("#chain .mark")).to_have_text("Broken")
    expect(page.locator("#chain")).to_contain_text("Entry 2")


def test_who_may_not_read_it_is_told_for_whom_it_is(visits: Visits, made: Pages) -> None:
    a_raise(made)
    page = visits("audit", "aiko")
    expect(page.locator("#header .closed")).to_contain_text("policy owner")
    expect(page.locator("#log")).to_be_hidden()
    assert "raise" not in page.inner_text("body")


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    visits: Visits, made: Pages, language: str, width: int, dark: bool
) -> None:
    a_raise(made)
    page = visits("audit", "finn", language, width, dark)
    page.click("#check")
    expect(page.locator("#chain .mark")).to_be_visible()
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
