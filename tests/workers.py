"""What tests run in processes of their own: racing for a budget, dying amid an answer."""

from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from threading import Event

from app.ports import AnswerStatus, OpenUnitOfWork
from policies.errors import OverCeiling
from storage.unit_of_work import open_writer
from tests.databases import PILOT, START, Ids, engine_of, new_answer
from tests.world import World

LEASE = timedelta(seconds=30)


def reserve_many(uow: OpenUnitOfWork, prefix: str, tries: int) -> int:
    """How many of the tries were granted."""
    granted = 0
    for number in range(tries):
        answer = new_answer(f"{prefix}-{number}")
        try:
            with uow() as unit:
                unit.answers.add(answer, AnswerStatus.RUNNING)
                unit.ledger.reserve(answer.id, answer.decision.quote.nanos, START + LEASE, START)
                unit.commit()
        except OverCeiling:
            continue
        granted += 1
    return granted


def reserve_in_process(url: str, prefix: str, tries: int, result: Connection) -> None:
    engine = engine_of(url)
    uow = open_writer(engine, PILOT)
    result.send("ready")
    result.recv()
    result.send(reserve_many(uow, prefix, tries))
    engine.dispose()


def answer_then_hang(url: str, parent: Connection) -> None:
    """One answer to its end; of a second, seven evaluations, the first six of them recorded."""
    world = World(open_writer(engine_of(url), PILOT), ids=Ids("child"))
    world.receipt("whole")

    def hang(evaluation: int) -> None:
        if evaluation == 8:
            parent.send("hanging")
            Event().wait()

    world.engine = replace(world.engine, before=hang)
    world.receipt("half")
