"""Many at once, and some who die: threads, processes and SIGKILL on one file."""

import multiprocessing
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine

from app.ports import AnswerStatus, OpenUnitOfWork
from app.services.ask import Event, Receipt
from policies.errors import KeyReused
from policies.pricing import price
from policies.types import Units
from tests import overspend
from tests.databases import PRICES, START, Ids, broken_invariants, set_limit
from tests.workers import answer_then_hang, reserve_in_process, reserve_many
from tests.world import World

QUOTE = 2410


def test_sixteen_threads_are_granted_exactly_what_fits(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 100 * QUOTE + QUOTE - 1)
    with ThreadPoolExecutor(16) as pool:
        granted = sum(pool.map(lambda n: reserve_many(uow, f"t{n}", 30), range(16)))
    assert granted == 100
    with uow() as unit:
        assert unit.ledger.ceilings()[0].held_nanos == 100 * QUOTE
    assert broken_invariants(uow) == []


def test_processes_are_granted_exactly_what_fits(url: str, uow: OpenUnitOfWork) -> None:
    set_limit(uow, 50 * QUOTE)
    spawn = multiprocessing.get_context("spawn")
    racers = []
    for name in ("p1", "p2", "p3"):
        here, there = spawn.Pipe()
        process = spawn.Process(target=reserve_in_process, args=(url, name, 30, there))
        process.start()
        racers.append((process, here))
    for _, here in racers:
        assert here.recv() == "ready"
    for _, here in racers:
        here.send("go")
    granted = [here.recv() for _, here in racers]
    for process, _ in racers:
        process.join(20)
        assert process.exitcode == 0
    assert sum(granted) == 50
    assert broken_invariants(uow) == []


def test_killed_process_loses_nothing_settled_and_is_charged_what_it_recorded(
    url: str, uow: OpenUnitOfWork
) -> None:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    child = spawn.Process(target=answer_then_hang, args=(url, there))
    child.start()
    assert here.recv() == "hanging"
    child.kill()
    child.join(20)
    assert child.exitcode == -signal.SIGKILL
    world = World(uow)
    half, whole = sorted(world.rows(), key=lambda row: row.status, reverse=True)
    assert (whole.status, half.status) == (AnswerStatus.RELEASED, AnswerStatus.RUNNING)
    assert world.broken() == []
    assert world.ask().recover() == []  # the lease still runs
    world.clock.now = START + timedelta(seconds=30)
    assert world.ask().recover() == [half.id]
    row = next(row for row in world.rows() if row.id == half.id)
    assert (row.status, row.units) == (AnswerStatus.INTERRUPTED, Units(5, 2, 6))
    assert next(row for row in world.rows() if row.id == whole.id) == whole
    assert world.charges() == [whole.cost_nanos, price(Units(5, 2, 6), PRICES)]
    assert world.ceiling().held_nanos == 0
    assert world.broken() == []


def test_hundred_parallel_retries_are_one_run_and_one_charge(uow: OpenUnitOfWork) -> None:
    world, together = World(uow), Barrier(100)

    def submit(_retry: int) -> list[Event]:
        together.wait()
        return world.events("same key")

    with ThreadPoolExecutor(100) as pool:
        streams = list(pool.map(submit, range(100)))
    ends = [stream[-1] for stream in streams]
    assert all(isinstance(end, Receipt) for end in ends)
    assert sum(not end.replayed for end in ends if isinstance(end, Receipt)) == 1
    assert len({end.row.id for end in ends if isinstance(end, Receipt)}) == 1
    assert len(world.engine.jobs) == len(world.charges()) == 1
    assert world.broken() == []


def test_parallel_submits_of_one_key_with_other_bodies_run_once(uow: OpenUnitOfWork) -> None:
    world, together = World(uow), Barrier(8)

    def submit(seed: int) -> bool:
        together.wait()
        try:
            world.events("same key", seed=seed)
        except KeyReused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(submit, range(8))) == 1
    assert len(world.engine.jobs) == 1


def test_parallel_questions_of_many_people_all_settle(uow: OpenUnitOfWork) -> None:
    world = World(uow, ids=Ids("many"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: world.receipt(f"key {n}", user=f"user {n % 4}"), range(40)))
    assert len(world.charges()) == 40
    assert world.ceiling().held_nanos == 0
    assert world.broken() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_no_race_spends_more_than_any_ceiling(url: str, engine: Engine, seed: int) -> None:
    """A short form; the long one is `python -m tests.overspend`."""
    race = overspend.Race(seed, processes=3, threads=4, submits=12, kills=1)
    overspend.run(race, url)
    assert overspend.faults(engine) == []
    assert 0 < overspend.admitted(engine) < 3 * 4 * 12 * 0.9  # some were let in, some refused
