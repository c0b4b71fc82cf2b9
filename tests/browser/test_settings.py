"""The Settings page in a real browser: language and time zone, password, sessions, accounts."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.ports import Client
from app.services.accounts import Auth
from policies.roles import Role
from tests.browser.sites import Site, site
from tests.browser.visits import LOOKS, Visits, cut_off, faults, scrolls_sideways, shot
from tests.serving import PASSWORD

pytestmark = pytest.mark.browser
NEW = "quite another password"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("settings"), Auth.LOCAL) as made:
        yield made


@pytest.fixture
def opened(here: Site, chromium: Browser) -> Iterator["Opened"]:
    made = Opened(here, chromium)
    yield made
    for context in made.contexts:
        context.close()


class Opened:
    """Settings pages of people with accounts."""

    def __init__(self, here: Site, chromium: Browser) -> None:
        self.here, self.chromium = here, chromium
        self.contexts: list[BrowserContext] = []

    def __call__(self, token: str, path: str = "settings", *look: object) -> Page:
        page = self.here.open(self.chromium, path, token, *look)  # type: ignore[arg-type]
        self.contexts.append(page.context)
        return page


def choose(page: Page, box: str, typed: str) -> None:
    page.fill(f"#{box} input", typed)
    page.get_by_role("option", name=re.compile(typed)).first.click()


def test_language_and_time_zone_hold_on_every_page_and_in_every_browser(
    here: Site, opened: Opened
) -> None:
    token = here.member("ren", Role.REQUESTER, Role.POLICY_OWNER)
    page = opened(token)
    expect(page.locator("#example")).to_contain_text("It is")
    page.get_by_label("日本語").check()
    choose(page, "zone", "New York")
    page.click("#save-display")
    expect(page.locator("#header nav.pages")).to_contain_text("設定")
    expect(page.locator("#language input[value=ja]")).to_be_checked()
    expect(page.locator("#zone input")).to_have_value(re.compile("ニューヨーク"))
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    elsewhere = opened(here.door.sign_in("ren", PASSWORD), "audit")
    expect(elsewhere.locator("#header nav.pages")).to_contain_text("監査ログ")
    with here.made.uow() as uow:
        *_, entry = uow.audit.entries()
    hour = entry.event.at.astimezone(ZoneInfo("America/New_York"))
    expect(elsewhere.locator("#log")).to_contain_text(f"{hour:%-H:%M}")
    forced = opened(token, "settings?lang=en")
    expect(forced.locator("#header nav.pages")).to_contain_text("Settings")


def test_one_changes_ones_password_and_ends_ones_sessions(here: Site, opened: Opened) -> None:
    here.member("kai")
    here.door.sign_in("kai", PASSWORD, Client("Safari", "iPhone", "203.0.113.9"))
    page = opened(here.door.sign_in("kai", PASSWORD))
    items = page.locator("#sessions .item")
    expect(items).to_have_count(3)
    this = items.filter(has_text="This browser")
    expect(this).to_contain_text("In use now")
    expect(this.locator("button")).to_have_count(0)
    phone = items.filter(has_text="Safari on iPhone, from 203.0.113.9")
    phone.get_by_role("button").click()
    expect(phone).to_have_count(0)
    page.click("#sessions [data-do=others]")
    expect(items).to_have_count(1)
    for name, said in (("current", "wrong"), ("new", NEW), ("again", NEW)):
        page.fill(f"#password-{name} input", said)
    page.click("#password-change")
    expect(page.locator("#password-notice")).to_contain_text("current password is wrong")
    expect(page.locator("#password-new input")).to_have_value(NEW)
    page.fill("#password-current input", PASSWORD)
    page.click("#password-change")
    expect(page.locator("#password-notice .info")).to_be_visible()
    expect(page.locator("#password-new input")).to_have_value("")
    assert here.door.sign_in("kai", NEW)
    page.reload()
    expect(page.locator("#who")).to_contain_text("kai")  # still signed in


def test_an_admin_adds_changes_locks_and_unlocks_and_the_link_works_once(
    here: Site, opened: Opened, chromium: Browser
) -> None:
    page = opened(here.member("ada", Role.ADMIN, team="desk"))
    page.fill("#account-name input", "mio")
    page.fill("#account-new-team input", "legal")
    page.click("#account-add")
    link = page.locator("#account-notice input").input_value()
    assert link.startswith(here.address + "/welcome?link=")
    row = page.locator("#account-list tr", has_text="mio")
    expect(row).to_contain_text("No password chosen yet")
    row.locator("button").click()
    page.locator("#account-roles").get_by_label("Reviewer").check()
    page.fill("#account-team input", "quality")
    page.click("#account-save")
    expect(row).to_contain_text("requester, reviewer")
    expect(row).to_contain_text("quality")
    assert link not in page.content()
    guest = chromium.new_context()
    welcome = guest.new_page()
    welcome.goto(link)
    welcome.fill("#password", PASSWORD)
    welcome.fill("#again", PASSWORD)
    welcome.click("button")
    expect(welcome.locator("#header .person")).to_contain_text("mio")
    page.click("#account-lock")
    expect(row).to_contain_text("Locked")
    expect(page.locator("#account-link")).to_be_hidden()
    welcome.reload()
    expect(welcome.locator("h1")).to_contain_text("Sign in")
    page.click("#account-lock")
    expect(row).to_contain_text("Active")
    guest.close()


def test_what_cannot_be_is_said_in_the_readers_words(here: Site, opened: Opened) -> None:
    page = opened(here.member("yui", Role.ADMIN), "settings", "ja")
    page.fill("#account-name input", "two words")
    page.click("#account-add")
    expect(page.locator("#account-notice")).to_contain_text("空白は使えません")
    page.fill("#account-name input", "yui")
    page.fill("#account-new-team input", "legal")
    page.click("#account-add")
    expect(page.locator("#account-notice")).to_contain_text("すでにあります")


def test_only_who_manages_accounts_sees_them(here: Site, opened: Opened) -> None:
    page = opened(here.member("rin", Role.REVIEWER))
    expect(page.locator("#who")).to_contain_text("rin")
    expect(page.locator("#accounts")).to_be_hidden()
    assert "account-name" not in page.locator("body").inner_text()


def test_where_nobody_signs_in_there_is_no_password(visits: Visits) -> None:
    page = visits("settings", "aiko")
    expect(page.locator("#who")).to_contain_text("Nobody signs in here")
    expect(page.locator("#own")).to_be_hidden()
    expect(page.locator("#accounts")).to_be_hidden()
    expect(visits("settings").locator("#accounts")).to_contain_text("L2D_AUTH=off")


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_it_fits_every_width_and_axe_finds_nothing_serious(
    here: Site, opened: Opened, language: str, width: int, dark: bool
) -> None:
    name = f"sora{width}{language}{dark}".lower()
    page = opened(here.member(name, Role.ADMIN), "settings", language, width, dark)
    page.locator("#account-list tr", has_text=name).locator("button").click()
    expect(page.locator("#account-save")).to_be_visible()
    page.click("#account-link")
    expect(page.locator("#account-notice .link")).to_be_visible()
    page.wait_for_timeout(600)
    shot(page, f"settings-{language}-{width}{'-dark' if dark else ''}")
    assert not scrolls_sideways(page)
    assert cut_off(page) == []
    assert faults(page) == []
