"""The permission walk: a withheld answer's words, over every service and log line."""

import dataclasses
import inspect
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.ports import AnswerStatus, ReviewItem
from app.services.ask import Ask
from app.services.dashboard import Dashboard
from app.services.mine import Mine
from app.services.review import ReviewDesk
from app.services.review_evidence import ReviewEvidence
from app.services.review_figures import ReviewFigures
from app.services.review_waiting import Waiting
from app.services.simulate import Simulate
from policies.errors import PilotError
from policies.review import VerdictKind
from policies.roles import Actor, Role
from storage.unit_of_work import open_writer
from tests.actors import ADMIN, ANN, FINN, SPONSOR, person, requester
from tests.databases import PILOT, START, database, engine_of
from tests.fakes import FakeEngine
from tests.reviews import BOB, CRITICAL, HIGH, MARKER, ReviewWorld

WORDS = ("The", MARKER, "is", "secret")
OUTSIDERS = {
    "who asked": ANN,
    "their team": requester("cleo"),
    "another team": requester("olaf", "finance"),
    "viewer": SPONSOR,
    "budget owner": person("emi", Role.BUDGET_OWNER),
    "policy owner": FINN,
    "admin": ADMIN,
    "who asked, with every role": person("ann", *Role),
}
ENDS = (
    "pending",
    "first verdict",
    "asked",
    "rejected",
    "cancelled",
    "failed",
    "interrupted",
    "rerun",
)
READERS = (Ask, Dashboard, Mine, ReviewDesk, ReviewEvidence, ReviewFigures, Waiting, Simulate)
"""Services that give out anything about answers; each of their methods is walked."""


@pytest.fixture
def world() -> Iterator[ReviewWorld]:
    with database("sqlite") as url:
        engine = engine_of(url)
        world = ReviewWorld(open_writer(engine, PILOT), FakeEngine(words=WORDS))
        world.limit(10**12)
        yield world
        engine.dispose()


def withheld(world: ReviewWorld, end: str) -> str:
    """The id of an answer that came to this end."""
    if end == "cancelled":
        return world.events("key", lambda: world.engine.evaluations > 20, importance=HIGH)[
            -1
        ].row.id  # type: ignore[union-attr]
    if end in ("failed", "interrupted"):
        return _broken_off(world, end)
    answer_id = world.asked(CRITICAL if end == "first verdict" else HIGH)
    if end != "pending":
        world.desk.claim(BOB, answer_id)
    if end == "first verdict":
        world.desk.decide(BOB, answer_id, VerdictKind.APPROVE)
    elif end == "asked":
        world.desk.ask(BOB, answer_id, "Which pens?")
    elif end == "rejected":
        world.desk.decide(BOB, answer_id, VerdictKind.REJECT, reason="no")
    elif end == "rerun":
        return world.evidence.rerun(BOB, answer_id).row.id
    return answer_id


def _broken_off(world: ReviewWorld, end: str) -> str:
    """Its process died, or the model raised, with words written."""

    def fail(evaluation: int) -> None:
        if evaluation == 22:
            raise RuntimeError("broken")

    events = None
    if end == "failed":
        world.engine.before = fail
        with pytest.raises(RuntimeError):
            world.events(importance=HIGH)
    else:
        events = world.ask()(ANN, world.form(importance=HIGH), "key")
        for _ in range(4):
            next(events)
        with world.uow() as unit:
            unit.ledger.expire(world.clock() + timedelta(hours=1))
            unit.commit()
    row = world.only_row()
    assert row.status is AnswerStatus(end)
    return row.id


def calls(world: ReviewWorld, actor: Actor, answer_id: str) -> dict[str, Callable[[], Any]]:
    """Every public method of the services that know of answers, as this person may call it."""
    ask, desk, waiting = world.ask(), world.desk, world.waiting
    dashboard = Dashboard(world.engine, world.uow, world.clock)
    mine = Mine(world.uow)
    simulate = Simulate(world.uow, START.tzinfo, "a" * 64, lambda r: r.max_nfe_per_token)  # type: ignore[arg-type]
    everything = dashboard.overview(SPONSOR).chosen
    approve = VerdictKind.APPROVE
    return {
        "Ask.__call__": lambda: list(ask(actor, world.form(importance=HIGH), "key")),
        "Ask.preview": lambda: ask.preview(actor, world.form(importance=HIGH)),
        "Ask.previews": lambda: ask.previews(actor, world.form(importance=HIGH)),
        "Ask.rate": lambda: ask.rate(actor, answer_id, 1),
        "Ask.read": lambda: ask.read(actor, answer_id),
        "Ask.recover": ask.recover,
        "Dashboard.behind": lambda: dashboard.behind(actor, everything, 7),
        "Dashboard.ceilings": lambda: dashboard.ceilings(actor),
        "Dashboard.first_day": lambda: dashboard.first_day(1),
        "Dashboard.overview": lambda: dashboard.overview(actor),
        "Dashboard.pulse": lambda: dashboard.pulse(actor),
        "Mine.read": lambda: mine.read(actor, answer_id),
        "Mine.search": lambda: [mine.search(actor, words) for words in ("", MARKER, "secret")],
        "Mine.trace": lambda: mine.trace(actor, answer_id),
        "ReviewDesk.ask": lambda: desk.ask(actor, answer_id, "What?"),
        "ReviewDesk.claim": lambda: desk.claim(actor, answer_id),
        "ReviewDesk.decide": lambda: desk.decide(actor, answer_id, approve),
        "ReviewDesk.entry": lambda: desk.entry(actor, _item(world, answer_id)),
        "ReviewDesk.heartbeat": lambda: desk.heartbeat(actor, answer_id),
        "ReviewDesk.queue": lambda: desk.queue(actor),
        "ReviewDesk.release": lambda: desk.release(actor, answer_id),
        "ReviewDesk.save": lambda: desk.save(actor, answer_id, approve),
        "ReviewDesk.skip": lambda: desk.skip(actor, answer_id, "no"),
        "ReviewDesk.teams": lambda: desk.teams(actor),
        "ReviewDesk.take_over": lambda: desk.take_over(actor, answer_id),
        "ReviewEvidence.base": lambda: world.evidence.base(actor, answer_id),
        "ReviewEvidence.of": lambda: world.evidence.of(actor, answer_id),
        "ReviewEvidence.rerun": lambda: world.evidence.rerun(actor, answer_id),
        "ReviewFigures.inflation": lambda: world.figures.inflation(actor),
        "ReviewFigures.missed_harm": lambda: world.figures.missed_harm(actor),
        "ReviewFigures.quality": lambda: world.figures.quality(actor),
        "Simulate.__call__": lambda: simulate(actor, world.policy, START, START.replace(year=2026)),
        "Waiting.reply": lambda: waiting.reply(actor, answer_id, "The blue ones"),
        "Waiting.standing": lambda: waiting.standing(actor, answer_id),
    }


def _item(world: ReviewWorld, answer_id: str) -> ReviewItem:
    with world.uow() as unit:
        return unit.reviews.get(answer_id)


def test_the_walk_takes_every_method_of_the_services_that_know_of_answers(
    world: ReviewWorld,
) -> None:
    found = {
        f"{service.__name__}.{name}"
        for service in READERS
        for name, method in vars(service).items()
        if inspect.isfunction(method) and (not name.startswith("_") or name == "__call__")
        if name not in {field.name for field in dataclasses.fields(service)}
    }
    assert found == set(calls(world, ANN, ""))


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_no_service_gives_an_outsider_a_word_however_the_answer_ended(
    world: ReviewWorld, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer_id = withheld(world, end)
        world.engine = FakeEngine(words=("nothing",))  # for what the walk itself asks
        for who, actor in OUTSIDERS.items():
            for name, call in calls(world, actor, answer_id).items():
                try:
                    given = repr(call())
                except PilotError as err:
                    given = f"{err!r} {err} {err.values}"
                assert MARKER not in given, f"{name} for {who}"
                assert "secret" not in given, f"{name} for {who}"
        world.ask().recover()
        world.sweep()
    assert MARKER not in caplog.text
    assert MARKER not in repr([vars(record) for record in caplog.records])


def test_a_reviewer_sees_it_so_the_walk_is_not_blind(world: ReviewWorld) -> None:
    answer_id = withheld(world, "pending")
    for call in ("Ask.read", "ReviewEvidence.of", "Mine.read"):
        assert MARKER in repr(calls(world, BOB, answer_id)[call]())


def test_a_released_answer_is_its_askers_and_not_another_teams(world: ReviewWorld) -> None:
    answer_id = world.asked()
    world.desk.claim(BOB, answer_id)
    world.desk.decide(BOB, answer_id, VerdictKind.APPROVE)
    for who, actor in OUTSIDERS.items():
        given = ""
        try:
            given = repr(world.ask().read(actor, answer_id))
        except PilotError:
            assert actor.user != "ann"
        assert (MARKER in given) is (actor.user == "ann"), who


def test_error_of_the_database_holds_no_word(world: ReviewWorld) -> None:
    """Its message may end in a log: parameters are left out of it."""
    answer_id = withheld(world, "pending")
    with world.uow() as unit, pytest.raises(Exception, match="constraint") as failure:
        unit._connection.exec_driver_sql(  # type: ignore[attr-defined]
            f"INSERT INTO review_drafts SELECT answer_id, 'bob', pilot_id, 'x', answer, NULL, NULL "
            f"FROM answer_bodies WHERE answer_id = '{answer_id}'"
        )
    assert MARKER not in repr(failure.value) + str(failure.value)
