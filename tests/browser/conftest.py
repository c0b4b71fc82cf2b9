"""One Chromium for a file of tests; pages of its own for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chrome import browser
from tests.browser.visits import Visits
from tests.pages import Pages, pages, served

expect.set_options(timeout=20_000)  # a busy machine fails no test


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def made(tmp_path: Path) -> Pages:
    return pages(tmp_path)


@pytest.fixture
def visits(chromium: Browser, made: Pages) -> Iterator[Visits]:
    with served(made.demo) as address:
        opened = Visits(chromium, address)
        yield opened
        opened.close()
