"""What tests run in processes of their own: racing for a budget, dying amid an answer."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from threading import Event

from app.ports import AnswerStatus, NewAnswer, OpenUnitOfWork, UnitOfWork
from app.services.ask import Receipt
from policies.errors import OverCeiling, Unavailable
from storage.unit_of_work import open_writer
from tests.databases import PILOT, START, Ids, engine_of, new_answer
from tests.overspend_race import patiently
from tests.world import World

LEASE = timedelta(seconds=30)


def reserve_many(uow: OpenUnitOfWork, prefix: str, tries: int) -> int:
    """How many of the tries were granted."""
    granted = 0
    for number in range(tries):
        answer = new_answer(f"{prefix}-{number}")

        def reserve(unit: UnitOfWork, answer: NewAnswer = answer) -> None:
            unit.answers.add(answer, AnswerStatus.RUNNING)
            unit.ledger.reserve(answer.id, answer.decision.quote.nanos, START + LEASE, START)

        try:
            patiently(uow, reserve)
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


def retry_in_process(url: str, name: str, retries: int, result: Connection) -> None:
    """One key from many threads at once; sends the answers given and how often the model ran."""
    engine = engine_of(url)
    world = World(open_writer(engine, PILOT), ids=Ids(name))
    result.send("ready")
    result.recv()

    def retry(_number: int) -> Receipt:
        while True:
            try:
                return world.receipt("same key")
            except Unavailable:  # a server takes so many connections, and no more
                continue

    with ThreadPoolExecutor(retries) as pool:
        receipts = list(pool.map(retry, range(retries)))
    result.send(([(r.row.id, r.replayed) for r in receipts], len(world.engine.jobs)))
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
