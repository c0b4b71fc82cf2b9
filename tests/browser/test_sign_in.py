"""Signing in, acting as someone and signing out in a real browser, through the gate."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.services.accounts import Auth
from tests.browser.sites import site
from tests.browser.visits import SIZES, faults, scrolls_sideways, shot
from tests.serving import PASSWORD

pytestmark = pytest.mark.browser
LINES = """node => {
  const text = document.createRange();
  text.selectNodeContents(node);
  return new Set([...text.getClientRects()].map(each => each.top)).size;
}"""
"""Of text in a node."""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with site(tmp_path_factory.mktemp("local"), Auth.LOCAL) as made:
        yield made.address, made.people.first_admin() or ""


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with site(tmp_path_factory.mktemp("off"), Auth.OFF) as made:
        yield made.address


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_the_first_admin_chooses_a_password_asks_signs_out_and_in_again(
    local: tuple[str, str], page: Page
) -> None:
    url, link = local
    page.goto(url)
    assert page.url.startswith(f"{url}/sign-in")
    page.goto(f"{url}/welcome?link={link}")
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("button")
    expect(page.locator("#header .person")).to_contain_text("admin")
    page.fill("#question textarea", "How much is 8 times 32, and 45 more?")
    page.click("#send")
    expect(page.locator("#answer")).to_contain_text("301", timeout=30_000)
    page.click("#header .person button")
    expect(page.locator("h1")).to_contain_text("Sign in")
    page.goto(url + "/dashboard")
    page.fill("#name", "Admin")
    page.fill("#password", PASSWORD)
    page.click("button")
    expect(page).to_have_url(re.compile(r"/dashboard(\?|$)"))
    expect(page.locator("#header h1")).to_be_visible()


def test_one_acts_as_someone_else_without_sign_in(off: str, page: Page) -> None:
    page.goto(off + "/dashboard")
    expect(page.locator("#act-as")).to_have_value("local")
    page.select_option("#act-as", "vera")
    page.click("#header .person button")
    expect(page.locator("#act-as")).to_have_value("vera")
    expect(page).to_have_url(re.compile(r"/dashboard(\?|$)"))
    expect(page.locator("#header nav.pages")).not_to_contain_text("Ask")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_switch_of_persons_stays_on_one_line_on_a_phone(
    off: str, chromium: Browser, language: str
) -> None:
    context = chromium.new_context(viewport={"width": SIZES["phone"], "height": 800})
    page = context.new_page()
    page.goto(f"{off}/?lang={language}")
    for part in ("label", "button"):
        lines = page.locator(f"#header .person {part}").evaluate(LINES)
        assert lines == 1, part
    button, bar = (page.locator(f"#header {each}").bounding_box() for each in ("button", "header"))
    assert button
    assert bar
    assert button["x"] + button["width"] <= bar["x"] + bar["width"]
    shot(page, f"switch-{language}")
    context.close()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [SIZES["wide"], SIZES["phone"]])
@pytest.mark.parametrize("dark", [False, True])
def test_the_sign_in_page_is_readable_by_everyone(
    local: tuple[str, str], chromium: Browser, language: str, width: int, dark: bool
) -> None:
    context = chromium.new_context(
        locale={"en": "en-US", "ja": "ja-JP"}[language],
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        bypass_csp=True,  # for the checker's own script
    )
    page = context.new_page()
    page.goto(local[0] + "/sign-in")
    page.fill("#name", "nobody")
    page.fill("#password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_be_visible()
    expect(page.locator("#name")).to_have_value("nobody")
    assert page.locator("html").get_attribute("lang") == language
    assert faults(page) == []
    assert not scrolls_sideways(page)
    shot(page, f"sign-in-{language}-{width}{'-dark' if dark else ''}")
    context.close()
