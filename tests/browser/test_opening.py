"""A page that is not there yet says so, in the reader's language, from its first byte on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.services.accounts import Auth
from policies.roles import Role
from tests.browser.sites import Site, site
from tests.browser.visits import LOCALES, faults

pytestmark = pytest.mark.browser
SCRIPTS, READINGS = "**/assets/*.js", "**/gradio_api/**"
SAID = {"en": "the page is opening", "ja": "ページを開いています"}
PAGES = ("", "dashboard", "settings")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, Auth.LOCAL) as there:
        yield there


def held(there: Site, chromium: Browser, held_back: str, language: str, path: str) -> Page:
    """A page that gets none of `held_back` until `unroute_all`."""
    token = there.member("aiko", Role.REQUESTER, Role.ADMIN)
    page = there.open(chromium, "settings", token, language)
    page.route(held_back, lambda _route: None)  # answered never
    page.goto(f"{there.address}/{path}", wait_until="commit")
    return page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", list(LOCALES))
def test_a_page_without_its_readings_says_that_it_opens(
    opened: Site, chromium: Browser, language: str, path: str
) -> None:
    page = held(opened, chromium, READINGS, language, path)
    expect(page.locator("#opening")).to_contain_text(SAID[language])
    expect(page.locator("#opening")).to_have_css("opacity", "1")
    assert faults(page) == []
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    expect(page.locator("#header h1")).to_be_visible()
    expect(page.locator("#opening")).to_have_count(0)
    page.context.close()


def test_it_says_so_before_any_script_came(opened: Site, chromium: Browser) -> None:
    page = held(opened, chromium, SCRIPTS, "ja", "?lang=en")
    expect(page.locator("#opening")).to_contain_text(SAID["en"])
    expect(page.locator("#opening .late")).to_have_css("opacity", "1")
    page.context.close()
