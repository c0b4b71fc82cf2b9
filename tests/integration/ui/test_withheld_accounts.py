"""Withheld answers where people sign in: every address, event and press, each with its account.

Before anybody decided and between the two approvals of a critical answer; also for nobody at all,
for whoever knows a reviewer's tab, and in the log.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from app.ports import Cancelled, Job, Outcome, Piece
from app.services.accounts import Auth
from app.services.ask import AskForm
from policies.review import VerdictKind
from policies.roles import Action, Actor, Role, may
from policies.types import Domain, Importance
from tests.actors import ADMIN
from tests.fakes import FakeEngine
from tests.integration.ui.gated import Site, routes, site
from tests.integration.ui.walk import (
    FILE,
    Config,
    events,
    heard,
    heard_in_one_tab,
    inputs,
    pressed_all,
)
from tests.samples import MODEL

ANSWER = ("Xyzzy", "quuxly", "frobnitz", "grault")
CORRECTION = "plugh waldoric thudden"
SECRET = re.compile("|".join((*ANSWER, *CORRECTION.split())), re.IGNORECASE)
"""Each word stands nowhere else: one of them is one too many."""
QUESTION = "How much is left?"
ASKER = "aiko"
OUTSIDERS = {
    ASKER: (Role.REQUESTER, "sales"),
    "ben": (Role.REQUESTER, "finance"),
    "vera": (Role.VIEWER, "board"),
    "emi": (Role.BUDGET_OWNER, "finance"),
    "finn": (Role.POLICY_OWNER, "operations"),
    "gus": (Role.ADMIN, "operations"),
}
"""Who asked, another team, who sees figures only, and those who own money, rules and accounts."""
NOBODY = ""
EVERYONE = (*OUTSIDERS, NOBODY)
ENDS_SESSION = "/sign-out"
USUAL = ("metrics", "health", "healthz", "status", "openapi.json", "docs", "debug", ".env")
"""Where other services say something of themselves."""
PAGES = ("", "dashboard", "budgets", "policy", "review", "audit", "compare", "settings")


class SecretEngine(FakeEngine):
    """What matters is a secret; the walk itself may ask for the rest."""

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        withheld = job.importance in (Importance.HIGH, Importance.CRITICAL)
        words = ANSWER if withheld else ("Nothing", "hidden")
        yield from replace(FakeEngine(model=MODEL), words=words).run(job, cancelled)


@dataclass(frozen=True)
class Withheld:
    """A site, a session of each person in it, and three answers that wait."""

    site: Site
    tokens: dict[str, str]
    fresh: str
    approved: str
    """By one of two."""
    corrected: str
    """By one of two, who wrote other words."""

    def browser(self, name: str) -> httpx.Client:
        client = self.site.browser(self.tokens.get(name))
        client.timeout = httpx.Timeout(60)
        return client

    def config(self) -> Config:
        with self.browser("chika") as client:
            found: Config = client.get("/config").json()
        return found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Withheld]:
    engine = SecretEngine(model=MODEL)
    for made in site(tmp_path_factory.mktemp("withheld"), Auth.LOCAL, engine):
        tokens = {
            name: made.member(name, role, team=team) for name, (role, team) in OUTSIDERS.items()
        }
        tokens |= {name: made.member(name, Role.REVIEWER) for name in ("chika", "dan")}
        fresh, approved, corrected = (_asked(made, tokens[ASKER], key) for key in "abc")
        chika = made.door.actor(tokens["chika"])
        _first_verdict(made, chika, approved, VerdictKind.APPROVE)
        _first_verdict(made, chika, corrected, VerdictKind.CORRECT, CORRECTION)
        yield Withheld(made, tokens, fresh, approved, corrected)


def _asked(made: Site, token: str, key: str) -> str:
    form = AskForm(QUESTION, Importance.CRITICAL, Domain.MATH)
    *_, last = made.made.ask(made.door.actor(token), form, key)
    return str(last.row.id)  # type: ignore[union-attr]


def _first_verdict(
    made: Site, reviewer: Actor, answer_id: str, kind: VerdictKind, words: str = ""
) -> None:
    desk = made.made.desks.reviewing.desk
    desk.claim(reviewer, answer_id)
    assert desk.decide(reviewer, answer_id, kind, words) is None  # one of two


@pytest.fixture(autouse=True)
def silent_log(
    here: Withheld, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """Whatever is heard: no log, at any level, and no stream of the server has a word."""
    del here
    with caplog.at_level(logging.DEBUG):
        yield
    assert not SECRET.search(caplog.text)
    assert not SECRET.search(repr([vars(record) for record in caplog.records]))
    assert not SECRET.search("".join(capfd.readouterr()))


def told(said: str) -> list[str]:
    return SECRET.findall(said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "name"),
    [("fresh", name) for name in (ASKER, "ben", "vera", "emi", NOBODY)]
    + [("approved", name) for name in EVERYONE],
)
def test_no_event_and_no_press_gives_an_outsider_a_word(
    here: Withheld, stage: str, name: str
) -> None:
    answer_id, config = getattr(here, stage), here.config()
    with here.browser(name) as client:
        said = heard_in_one_tab(client, config, answer_id, f"{stage}{name}")
    assert told(said) == []
    assert len(said) > 1000  # the server did answer
    if name == NOBODY:
        assert set(re.findall(r'"detail":"[^"]*"', said)) == {'"detail":"sign in first"'}
    else:
        assert bool(FILE.search(said)) is may(
            here.site.door.actor(here.tokens[name]), Action.EXPORT
        )


def test_a_reviewer_does_hear_it_so_the_walk_is_not_deaf(here: Withheld) -> None:
    with here.browser("dan") as client:
        said = pressed_all(client, here.config(), here.fresh, "dans")
    assert set(told(said)) >= set(ANSWER)


def test_the_second_reviewer_hears_nothing_of_the_firsts_words(here: Withheld) -> None:
    """Not what chika wrote, before dan has decided."""
    with here.browser("dan") as client:
        said = heard_in_one_tab(client, here.config(), here.corrected, "dans second")
    assert set(told(said)) == set(ANSWER)


@pytest.mark.parametrize("name", EVERYONE)
def test_no_address_gives_an_outsider_a_word(here: Withheld, name: str) -> None:
    """All that is mounted, as it is found, each page, and where others say how they are."""
    said = ""
    with here.browser(name) as client:
        client.timeout = httpx.Timeout(2)  # some stay open for as long as one listens
        for answer_id in (here.fresh, here.approved, here.corrected):
            found = [
                (method, re.sub(r"\{[^}]+\}", answer_id, path))
                for method, path in routes(here.site.app)
                if path != ENDS_SESSION
            ]
            found += [("GET", f"/{path}") for path in USUAL]
            found += [("GET", f"/{path}?answer={answer_id}&id={answer_id}") for path in PAGES]
            for method, path in found:
                said += _all_of(client, method, path, {"id": answer_id, "session_hash": answer_id})
    assert told(said) == []
    assert len(said) > 100_000


def _all_of(client: httpx.Client, method: str, path: str, body: dict[str, Any]) -> str:
    """Status, headers and what came within the time; a stream is left, or breaks off."""
    said = ""
    given = body if method == "POST" else None
    headers = {"accept": "text/html", "connection": "close"}
    try:
        with client.stream(method, path, headers=headers, json=given) as answer:
            said = f"{answer.status_code} {answer.headers}"
            for piece in answer.iter_text():
                said += piece
    except httpx.TransportError:
        pass
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", [ASKER, "emi", NOBODY])
def test_the_programs_api_gives_an_outsider_a_word_by_no_name(here: Withheld, name: str) -> None:
    """Every event that has a name, by that name, as Gradio's clients call it."""
    said = ""
    config = here.config()
    with here.browser(name) as client:
        said += client.get("/gradio_api/info").text
        for event in events(config):
            call = f"/gradio_api/call/{event['api_name']}"
            begun = client.post(call, json={"data": inputs(config, event, here.approved)})
            said += begun.text
            if begun.status_code == 200:
                said += _all_of(client, "GET", f"{call}/{begun.json()['event_id']}", {})
    assert told(said) == []


def test_who_asks_by_the_queue_hears_how_far_it_is_and_no_word(here: Withheld) -> None:
    config = here.config()
    (ask,) = [event for event in events(config) if event["api_name"] == "ask"]
    given = [QUESTION, "critical", "math", *[None] * (len(ask["inputs"]) - 3)]
    with here.browser(ASKER) as client:
        said = heard(client, ask["id"], given, "asks")
        begun = client.post("/gradio_api/call/ask", json={"data": given}).json()
        said += _all_of(client, "GET", f"/gradio_api/call/ask/{begun['event_id']}", {})
    assert "process_completed" in said
    assert "event: complete" in said
    assert told(said) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [ASKER, "vera", NOBODY])
def test_who_knows_a_reviewers_tab_hears_no_word_of_what_is_open_there(
    here: Withheld, name: str
) -> None:
    config, tab = here.config(), f"open-{name}"
    with here.browser("dan") as client:
        said = pressed_all(client, config, here.fresh, tab)
    assert set(told(said)) >= set(ANSWER)
    with here.browser(name) as client:
        said = heard_in_one_tab(client, config, here.fresh, tab)
        said += _all_of(client, "GET", f"/gradio_api/heartbeat/{tab}", {})
    assert told(said) == []
    assert set(re.findall(r'"detail":"([^"]*)"', said)) == {
        "this tab belongs to someone else; load the page again" if name else "sign in first"
    }


def test_who_is_no_reviewer_any_more_hears_nothing_of_what_their_tab_has_open(
    here: Withheld,
) -> None:
    token, config = here.site.member("eve", Role.REVIEWER), here.config()
    with here.site.browser(token) as client:
        client.timeout = httpx.Timeout(60)
        assert set(told(pressed_all(client, config, here.fresh, "eves"))) >= set(ANSWER)
        here.site.people.set_roles(ADMIN, "eve", [Role.VIEWER])
        said = ""
        for event in events(config):
            given = inputs(config, event, "other words")
            corrects = ["correct" if each == "approve" else each for each in given]
            said += heard(client, event["id"], corrects, "eves")
    assert told(said) == []
