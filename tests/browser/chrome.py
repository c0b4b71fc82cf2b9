"""Debian's Chromium under Playwright, and pictures of the pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ARGS = [
    "--no-sandbox",  # needed by root, as in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first that is there: without windows of its own a page costs half of the processor's time."""
INSTALL = "apt-get install -y chromium-headless-shell fonts-noto-cjk"
WIDTHS = {"wide": 1280, "phone": 390}


def chromium_path() -> str:
    """Raises with what to install: a browser test that skips itself proves nothing."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise RuntimeError(f"browser tests need Chromium; install it with: {INSTALL}")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path(), args=ARGS)
        try:
            yield opened
        finally:
            opened.close()


def open_page(
    opened: Browser,
    address: str,
    locale: str = "en-US",
    width: int = WIDTHS["wide"],
    dark: bool = False,
) -> Page:
    """A fresh reader with this browser language, in Tokyo."""
    context = opened.new_context(
        locale=locale,
        timezone_id="Asia/Tokyo",
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#header h1")
    return page


def screenshot(page: Page, file: Path) -> Path:
    """The whole page, however long."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(700)  # charts draw after the page is there
    page.screenshot(path=file, full_page=True)
    return file
