"""A person at a page, in a language and at a width; and what axe finds wrong there."""

from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.people import COOKIE, EVERYONE

LOCALES = {"en": "en-US", "ja": "ja-JP"}
SIZES = {"wide": 1440, "tablet": 820, "phone": 390}
LOOKS = [
    ("en", SIZES["wide"], False),
    ("en", SIZES["tablet"], True),
    ("en", SIZES["phone"], False),
    ("ja", SIZES["wide"], True),
    ("ja", SIZES["tablet"], False),
    ("ja", SIZES["phone"], True),
]
"""Language, width and whether dark: each width in both languages, each also once in the dark."""
SERIOUS = ("serious", "critical")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
SHOTS = ".screenshots"
"""Where pictures go if that folder is there."""


@dataclass
class Visits:
    """Opens pages, and closes them all before the server goes."""

    browser: Browser
    address: str
    opened: list[Page] = field(default_factory=list)

    def __call__(
        self,
        path: str,
        person: str = EVERYONE.user,
        language: str = "en",
        width: int = SIZES["wide"],
        dark: bool = False,
        script: str = "",
    ) -> Page:
        """`script` runs in front of the page's own."""
        context = self.browser.new_context(
            locale=LOCALES[language],
            timezone_id="Asia/Tokyo",
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        context.add_cookies([{"name": COOKIE, "value": person, "url": self.address}])
        page = context.new_page()
        page.add_init_script(script)
        self.opened.append(page)
        page.goto(self.address + path)
        page.wait_for_selector("#header h1", timeout=90_000)
        return page

    def close(self) -> None:
        for page in self.opened:
            page.context.close()


def faults(page: Page) -> list[str]:
    """Serious faults of accessibility, each with its rule and the first places that have it."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


def scrolls_sideways(page: Page) -> bool:
    width = (page.viewport_size or {"width": 0})["width"]
    return bool(page.evaluate("document.documentElement.scrollWidth") > width)


def cut_off(page: Page) -> list[str]:
    """What scrolls sideways inside the page, where nothing shows that there is more."""
    wider = """all => all
        .filter(one => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
        .map(one => one.textContent.slice(0, 80))"""
    found: list[str] = page.locator(".scroll, .sheet").evaluate_all(wider)
    return found


def paste(page: Page, field: str, text: str) -> None:
    """Over all that stands in a field, by the keys that people use."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.locator(field).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+v")


def shot(page: Page, name: str) -> None:
    """A picture of the whole page, where somebody made a folder for pictures."""
    if Path(SHOTS).is_dir():
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
