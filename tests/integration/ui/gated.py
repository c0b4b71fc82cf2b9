"""The whole application behind its gate, for direct HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.routing import Mount, Route

from app.guarded import COOKIE
from app.ports import AnswerRow
from app.services.accounts import Auth, People
from app.services.sign_in import SignIn
from app.views.launch import application
from app.views.shell import build
from app.views.sign_in_gate import Gate
from app.views.who import of_accounts
from policies.roles import Role
from tests.actors import ADMIN
from tests.fakes import FakeEngine
from tests.pages import Pages, now, pages, with_accounts
from tests.serving import PASSWORD, people, served, sign_in


@dataclass(frozen=True)
class Site:
    """A served application and what is behind it."""

    url: str
    app: Gate
    made: Pages
    people: People
    door: SignIn

    def browser(self, token: str | None = None) -> httpx.Client:
        cookies = {COOKIE: token} if token else {}
        return httpx.Client(base_url=self.url, cookies=cookies, timeout=20)

    def member(self, name: str, *roles: Role, team: str = "sales") -> str:
        """A session of someone who may be there from another test."""
        roles = roles or (Role.REQUESTER,)
        if name in {account.user for account in self.people.all(ADMIN)}:
            self.people.enable(ADMIN, name)
            self.people.set_roles(ADMIN, name, roles)
            link = self.people.link(ADMIN, name)
        else:
            link = self.people.add(ADMIN, name, roles, team)
        return self.door.choose_password(link, PASSWORD)

    def latest(self) -> AnswerRow:
        with self.made.uow() as uow:
            return uow.answers.latest(1)[0]


def site(folder: Path, auth: Auth, engine: FakeEngine | None = None) -> Iterator[Site]:
    made = pages(folder, engine)
    door = sign_in(made.uow, now, auth)
    app = application(build(with_accounts(made, door), made.engine.info(), of_accounts(door)), door)
    assert isinstance(app, Gate)
    with served(app) as url:
        yield Site(url, app, made, people(made.uow, now, auth), door)


def routes(app: Gate) -> list[tuple[str, str]]:
    """Method and path of everything that is mounted, also within."""

    def walk(found: list[object], before: str) -> Iterator[tuple[str, str]]:
        for route in found:
            if isinstance(route, Mount):
                yield from walk(list(route.routes), before + route.path)
            elif isinstance(route, Route):
                for method in sorted(route.methods or ()):
                    yield method, before + route.path
            elif hasattr(route, "original_router"):  # FastAPI's include_router
                yield from walk(list(route.original_router.routes), before)

    return list(walk(list(app._app.routes), ""))  # type: ignore[attr-defined]
