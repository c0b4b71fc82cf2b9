"""Withheld answers over the wire: every event of every page, called past the page, by everyone."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from app.ports import Cancelled, Job, Outcome, Piece
from app.services.ask import AskForm
from policies.review import VerdictKind
from policies.roles import Actor
from policies.types import Domain, Importance
from tests.fakes import FakeEngine
from tests.integration.ui.walk import FILE, heard, heard_in_one_tab, heard_of_all, pressed_all
from tests.pages import Pages, pages, served
from tests.people import AIKO, BEN, CHIKA, COOKIE, DAN, EMI, EVERYONE, FINN, VERA
from tests.reviews import MARKER
from tests.samples import MODEL

OUTSIDERS = [AIKO, BEN, EMI, FINN, VERA]
"""Who asked, another team, and those who own money, rules or nothing."""
QUESTION = "How much is left?"


class SecretEngine(FakeEngine):
    """What matters is a secret; the walk itself may ask for the rest."""

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        withheld = job.importance in (Importance.HIGH, Importance.CRITICAL)
        words = ("The", MARKER, "is", "secret") if withheld else ("Nothing", "secret")
        yield from replace(FakeEngine(model=MODEL), words=words).run(job, cancelled)


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return pages(tmp_path_factory.mktemp("withheld"), SecretEngine(model=MODEL))


@pytest.fixture
def server(made: Pages) -> Iterator[str]:
    with served(made.demo) as address:
        yield address.rstrip("/")


def asked(made: Pages, importance: Importance, key: str) -> str:
    form = AskForm(QUESTION, importance, Domain.MATH)
    *_, last = made.ask(AIKO, form, key)
    return str(last.row.id)  # type: ignore[union-attr]


def browser(server: str, person: Actor) -> httpx.Client:
    return httpx.Client(cookies={COOKIE: person.user}, timeout=60, base_url=server)


def heard_of_all_events(made: Pages, server: str, person: Actor, answer_id: str) -> str:
    with browser(server, person) as client:
        return heard_of_all(client, made.demo.config, answer_id, f"{answer_id}{person.user}")


@pytest.mark.slow
def test_no_event_of_any_page_gives_an_outsider_a_word_of_a_withheld_answer(
    made: Pages, server: str
) -> None:
    pending, rejected = asked(made, Importance.CRITICAL, "one"), asked(made, Importance.HIGH, "two")
    made.desks.reviewing.desk.claim(CHIKA, rejected)
    made.desks.reviewing.desk.decide(CHIKA, rejected, VerdictKind.REJECT, reason="no")
    for person, answer_id in ((AIKO, pending), (AIKO, rejected), (BEN, pending), (VERA, pending)):
        said = heard_of_all_events(made, server, person, answer_id)
        assert len(said) > 1000  # the server did answer
        assert MARKER not in said, person.user


def test_no_page_as_it_is_served_holds_a_word(made: Pages, server: str) -> None:
    asked(made, Importance.CRITICAL, "one")
    paths = ("", "dashboard", "budgets", "policy", "review", "config", "gradio_api/info")
    for person in (*OUTSIDERS, CHIKA):
        with browser(server, person) as client:
            for path in paths:
                assert MARKER not in client.get(f"/{path}", follow_redirects=True).text


def test_a_program_that_asks_hears_how_far_it_is_and_no_word(made: Pages, server: str) -> None:
    (ask,) = [e for e in made.demo.config["dependencies"] if e["api_name"] == "ask"]
    rest = [None] * (len(ask["inputs"]) - 3)
    with browser(server, AIKO) as client:
        for importance in ("high", "critical"):
            said = heard(client, ask["id"], [QUESTION, importance, "math", *rest], importance)
            assert MARKER not in said
            assert "process_completed" in said
        assert "Nothing secret" in heard(
            client, ask["id"], [QUESTION, "routine", "math", *rest], "routine"
        )


@pytest.mark.slow
def test_whoever_presses_what_they_never_saw_hears_no_word_nor_finds_one_in_a_file(
    made: Pages, server: str
) -> None:
    """Each press on that answer, then every event in the tab that pressed, then every file told."""
    pending = asked(made, Importance.CRITICAL, "one")
    for person in (AIKO, BEN, FINN):
        with browser(server, person) as client:
            said = heard_in_one_tab(client, made.demo.config, pending, f"tab-{person.user}")
        assert FILE.search(said) or person is not FINN  # who may export the audit log did
        assert MARKER not in said, person.user
    with browser(server, CHIKA) as client:  # so a press does arrive
        assert MARKER in pressed_all(client, made.demo.config, pending, "tab-chika")


@pytest.mark.slow
def test_the_asker_with_every_role_reads_nothing_either(made: Pages, server: str) -> None:
    form = AskForm(QUESTION, Importance.CRITICAL, Domain.MATH)
    *_, last = made.ask(EVERYONE, form, "own")
    answer_id = last.row.id  # type: ignore[union-attr]
    assert MARKER not in heard_of_all_events(made, server, EVERYONE, answer_id)
    evidence = made.desks.reviewing.evidence.of(DAN, answer_id)
    assert MARKER in json.dumps(evidence.text.answer)
