"""HEAD, by which a page asks whether its server is back: what GET answers, without its body."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.presenters.frame import PAGES
from app.services.accounts import Auth
from policies.roles import Role
from tests.integration.ui.gated import Site, site


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("heads")
    yield from site(folder, Auth.LOCAL)


@pytest.mark.parametrize("page", [address for address, _ in PAGES.values()])
def test_every_page_answers_to_head_as_to_get_but_without_a_body(local: Site, page: str) -> None:
    with local.browser(local.member("ada", Role.ADMIN, Role.REVIEWER)) as browser:
        head, whole = browser.head(page[1:]), browser.get(page[1:])
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_head_of_what_is_no_page_is_not_run(local: Site) -> None:
    with local.browser(local.member("ada", Role.ADMIN)) as browser:
        assert browser.head("/gradio_api/queue/status").status_code == 405
    with local.browser() as stranger:
        assert stranger.head("/settings").status_code == 401
