"""A session is kept by what its person does, and by nothing that an open page does by itself."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.responses import Response
from starlette.types import Message, Scope

from app.guarded import COOKIE
from app.services.accounts import Auth
from app.services.sign_in import Lengths
from app.views.acted import ADDRESS
from app.views.sign_in_gate import Gate
from policies.roles import Role
from storage.unit_of_work import open_writer
from tests.actors import ADMIN
from tests.databases import PILOT, ManualClock, database, engine_of
from tests.serving import PASSWORD, people, sign_in

IDLE = Lengths().idle
EVENT = "/gradio_api/queue/join"


class Browser:
    """Signed in as ann, in front of a gate with nothing behind it."""

    def __init__(self, gate: Gate, clock: ManualClock, token: str) -> None:
        self.gate, self.clock, self.token = gate, clock, token

    def sends(self, method: str, path: str, accept: str = "*/*") -> int:
        """The status that comes back."""
        headers = {"cookie": f"{COOKIE}={self.token}", "accept": accept, "host": "here"}
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(self.gate(scope, receive, send))
        return int(sent[0]["status"])


@pytest.fixture
def browser() -> Iterator[Browser]:
    with database("sqlite") as url:
        engine = engine_of(url)
        uow, clock = open_writer(engine, PILOT), ManualClock()
        door = sign_in(uow, clock, Auth.LOCAL)
        link = people(uow, clock, Auth.LOCAL).add(ADMIN, "ann", (Role.VIEWER,), "sales")
        token = door.choose_password(link, PASSWORD)
        yield Browser(Gate(Response("behind the gate"), door), clock, token)
        engine.dispose()


def test_an_open_page_that_refreshes_itself_ends_with_its_session(browser: Browser) -> None:
    for _ in range(12):
        browser.clock.advance(IDLE / 12)
        ended = browser.sends("POST", EVENT)
        browser.sends("GET", "/gradio_api/heartbeat/tab")
    assert ended == 401
    assert browser.sends("POST", ADDRESS) == 401  # too late


@pytest.mark.parametrize(
    "act", [("POST", ADDRESS), ("GET", "/dashboard", "text/html")], ids=["keys", "page"]
)
def test_what_a_person_does_begins_the_idle_time_anew(
    browser: Browser, act: tuple[str, str]
) -> None:
    browser.clock.advance(IDLE - timedelta(minutes=2))
    assert browser.sends(*act) in (200, 204)
    browser.clock.advance(IDLE - timedelta(minutes=2))
    assert browser.sends("POST", EVENT) == 200
    browser.clock.advance(timedelta(minutes=2))
    assert browser.sends("POST", EVENT) == 401
