"""A server that goes away while a page is open, a session that ends: told in the reader's words.

What is typed stays, for the same person and for nobody else.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp

from app.services.accounts import Auth
from app.views.launch import application
from app.views.shell import build
from app.views.who import of_accounts
from policies.roles import Role
from policies.types import Window
from tests.actors import LOCAL
from tests.browser.sites import Site
from tests.browser.visits import faults
from tests.pages import now, pages, with_accounts
from tests.people import AIKO
from tests.serving import people, served, sign_in

pytestmark = pytest.mark.browser
LOST = {"en": "connection to the service was lost", "ja": "接続が切れました"}
ALL = (Role.REQUESTER, Role.POLICY_OWNER, Role.BUDGET_OWNER)
YAML = "#draft-text .cm-content"


@dataclass
class Server:
    """Stops and comes back at its own address."""

    app: Callable[[], ASGIApp]
    port: int = 0
    running: ExitStack | None = None

    def start(self) -> str:
        self.running = ExitStack()
        address = self.running.enter_context(served(self.app(), self.port))
        self.port = int(address.rpartition(":")[2])
        return address

    def stop(self) -> None:
        if self.running:
            self.running.close()
        self.running = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, Site]]:
    made = pages(tmp_path)
    door = sign_in(made.uow, now, Auth.LOCAL)

    def app() -> ASGIApp:
        blocks = build(with_accounts(made, door), made.engine.info(), of_accounts(door))
        return application(blocks, door)

    started = Server(app)
    site = Site(started.start(), made, people(made.uow, now, Auth.LOCAL), door)
    yield started, site
    started.stop()


def opened(site: Site, chromium: Browser, path: str, language: str = "ja") -> Page:
    page = site.open(chromium, path, site.member("aiko", *ALL), language)
    page.evaluate("localStorage.setItem('l2d.tour', 'seen')")
    page.reload()
    page.wait_for_selector("#opening", state="detached")
    page.wait_for_timeout(1200)
    return page


@contextmanager
def away(server: Server, page: Page, button: str, language: str = "ja") -> Iterator[None]:
    """The server is gone as a button is pressed; afterwards it is back, and the page with it."""
    server.stop()
    page.click(button)
    expect(page.locator("#connection p:visible")).to_contain_text(LOST[language])
    yield
    server.start()
    expect(page.locator("#connection p:visible")).to_have_count(0, timeout=60_000)


@pytest.mark.parametrize("language", list(LOST))
def test_a_question_typed_while_the_server_goes_is_there_when_it_is_back(
    server: tuple[Server, Site], chromium: Browser, language: str
) -> None:
    started, site = server
    page = opened(site, chromium, "", language)
    page.fill("#question textarea", "How much is 8 times 32?")
    page.locator("#importance label").nth(2).click()
    with away(started, page, "#send", language):
        expect(page.locator(".toast-body:visible")).to_have_count(0)
        assert faults(page) == []
    expect(page.locator("#question textarea")).to_have_value("How much is 8 times 32?")
    expect(page.locator("#importance label").nth(2)).to_have_class(re.compile("selected"))
    page.click("#send")
    expect(page.locator(".answer[aria-busy=false]")).to_be_visible()
    page.context.close()


def test_a_policy_and_a_request_for_more_outlive_a_restart(
    server: tuple[Server, Site], chromium: Browser
) -> None:
    started, site = server
    policy = opened(site, chromium, "policy")
    policy.fill("#draft-note textarea", "二倍にする")
    policy.fill("[data-path='rungs.high.max_nfe_per_token']", "9")
    expect(policy.locator(YAML)).to_contain_text("max_nfe_per_token: 9")
    with away(started, policy, "#draft-propose"):
        pass
    expect(policy.locator("#draft-note textarea")).to_have_value("二倍にする")
    expect(policy.locator(YAML)).to_contain_text("max_nfe_per_token: 9")
    expect(policy.locator("#draft-check ins").first).to_contain_text("9")
    policy.click("#draft-propose")
    expect(policy.locator("#draft-notice .notice.info")).to_be_visible()
    policy.context.close()


def test_who_is_signed_out_elsewhere_is_told_and_finds_the_words_again(
    server: tuple[Server, Site], chromium: Browser
) -> None:
    _, site = server
    page = opened(site, chromium, "")
    page.fill("#question textarea", "How much is 8 times 32?")
    aiko = page.context.cookies()
    page.context.clear_cookies()
    page.click("#send")
    expect(page.locator("#connection p:visible")).to_contain_text("サインインの有効期限")
    page.context.add_cookies(aiko)  # type: ignore[arg-type]
    page.click("#connection p:visible a")
    expect(page.locator("#question textarea")).to_have_value("How much is 8 times 32?")
    page.context.close()


def test_what_was_chosen_and_unchosen_comes_back(
    server: tuple[Server, Site], chromium: Browser
) -> None:
    started, site = server
    page = opened(site, chromium, "compare")
    page.fill("#compare-question textarea", "How much is 8 times 32?")
    page.locator("#blind input").uncheck()
    page.locator("#compare-domain label").nth(2).click()
    with away(started, page, "#compare-send"):
        pass
    expect(page.locator("#compare-question textarea")).to_have_value("How much is 8 times 32?")
    expect(page.locator("#blind input")).not_to_be_checked()
    expect(page.locator("#compare-domain label").nth(2)).to_have_class(re.compile("selected"))
    page.context.close()


def test_nobody_finds_what_another_typed(server: tuple[Server, Site], chromium: Browser) -> None:
    _, site = server
    page = opened(site, chromium, "")
    page.fill("#question textarea", "My secret question")
    (cookie,) = page.context.cookies()
    page.context.clear_cookies()
    page.click("#send")
    expect(page.locator("#connection p:visible")).to_be_visible()
    page.context.add_cookies([{**cookie, "value": site.member("ben", *ALL)}])  # type: ignore[typeddict-item]
    page.click("#connection p:visible a")
    page.wait_for_selector("#opening", state="detached")
    page.wait_for_timeout(2500)
    expect(page.locator("#question textarea")).to_have_value("")
    assert page.evaluate("JSON.stringify({...sessionStorage})").find("secret") < 0
    page.context.close()


@pytest.mark.parametrize(("language", "said"), [("en", "already decided"), ("ja", "判断済み")])
def test_a_press_that_comes_too_late_is_answered_in_the_readers_words(
    server: tuple[Server, Site], chromium: Browser, language: str, said: str
) -> None:
    """Gradio shows no error of a handler that waits in no line."""
    _, site = server
    budgets = site.made.desks.budgets
    wanted = budgets.ask_raise(AIKO, "team:sales", Window.MONTH, 5 * 10**9, "Closing.", 30)
    page = site.open(chromium, "budgets", site.member("emi", Role.BUDGET_OWNER), language)
    expect(page.locator("#raises button[data-do=decline]")).to_be_visible()
    budgets.decide_raise(LOCAL, wanted.id, True)
    page.click("#raises button[data-do=decline]")
    expect(page.locator("#connection p:visible")).to_contain_text(said)
    assert faults(page) == []
    expect(page.locator("#connection p:visible")).to_have_count(0)
    page.context.close()


def test_what_is_typed_in_the_first_second_after_a_reload_stays(
    server: tuple[Server, Site], chromium: Browser
) -> None:
    started, site = server
    page = opened(site, chromium, "")
    page.fill("#question textarea", "How much is 8 times 32?")
    page.locator("#importance label").nth(2).click()
    with away(started, page, "#send"):
        pass
    page.wait_for_selector("#opening", state="detached")
    page.locator("#question textarea").press_sequentially("And 7 times 24?")
    page.wait_for_timeout(1500)
    expect(page.locator("#question textarea")).to_have_value(re.compile("And 7 times 24"))
    expect(page.locator("#importance label").nth(2)).to_have_class(re.compile("selected"))
    page.context.close()


def test_a_question_is_still_there_after_a_look_at_another_page_and_back(
    server: tuple[Server, Site], chromium: Browser
) -> None:
    _, site = server
    page = opened(site, chromium, "")
    page.fill("#question textarea", "How much is 8 times 32?")
    page.locator("#importance label").nth(2).click()
    page.click("#header nav.pages a[href*=dashboard]")
    expect(page.locator("#tiles .tile").first).to_be_visible()
    page.go_back()
    expect(page.locator("#question textarea")).to_have_value("How much is 8 times 32?")
    expect(page.locator("#importance label").nth(2)).to_have_class(re.compile("selected"))
    page.click("#header nav.pages a[href*=compare]")
    page.wait_for_selector("#compare-question")
    page.click("#header nav.pages a >> nth=0")  # by a link the page begins anew
    page.wait_for_selector("#opening", state="detached")
    page.wait_for_timeout(1500)
    expect(page.locator("#question textarea")).to_have_value("")
    page.fill("#question textarea", "My secret question")
    page.click("#header form button")
    expect(page.locator("h1")).to_contain_text("サインイン")
    assert "secret" not in page.evaluate("JSON.stringify({...sessionStorage})")
    page.context.close()
