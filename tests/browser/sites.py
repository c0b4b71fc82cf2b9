"""The whole application in a browser, with its gate: people sign in, or act as others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from app.guarded import COOKIE
from app.services.accounts import Auth, People
from app.services.sign_in import SignIn
from app.views.launch import application
from app.views.shell import build
from app.views.who import of_accounts
from policies.roles import Role
from tests.actors import ADMIN
from tests.browser.visits import LOCALES, SIZES
from tests.pages import Pages, now, pages, with_accounts
from tests.serving import PASSWORD, people, served, sign_in


@dataclass(frozen=True)
class Site:
    """A served application and what is behind it."""

    address: str
    made: Pages
    people: People
    door: SignIn

    def member(self, name: str, *roles: Role, team: str = "sales") -> str:
        """A new account with a password; a session's token."""
        link = self.people.add(ADMIN, name, roles or (Role.REQUESTER,), team)
        return self.door.choose_password(link, PASSWORD)

    def open(
        self,
        browser: Browser,
        path: str,
        token: str,
        language: str = "en",
        width: int = SIZES["wide"],
        dark: bool = False,
    ) -> Page:
        """A page in a browser of its own, in Tokyo. Whoever opens it closes its context."""
        context = browser.new_context(
            locale=LOCALES[language],
            timezone_id="Asia/Tokyo",
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
        )
        context.add_cookies([{"name": COOKIE, "value": token, "url": self.address}])
        page = context.new_page()
        page.goto(f"{self.address}/{path}")
        page.wait_for_selector("#header h1", timeout=90_000)
        return page


@contextmanager
def site(folder: Path, auth: Auth) -> Iterator[Site]:
    made = pages(folder)
    door = sign_in(made.uow, now, auth)
    blocks = build(with_accounts(made, door), made.engine.info(), of_accounts(door))
    with served(application(blocks, door)) as address:
        yield Site(address, made, people(made.uow, now, auth), door)
