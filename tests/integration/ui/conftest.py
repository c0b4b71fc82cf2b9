"""Pages over real SQLite, without and with a server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from tests.pages import Pages, pages, served


@pytest.fixture
def made(tmp_path: Path) -> Pages:
    return pages(tmp_path)


@pytest.fixture
def address(made: Pages) -> Iterator[str]:
    with served(made.demo) as url:
        yield url
