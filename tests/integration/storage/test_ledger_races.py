"""Many at once, and some who die: threads, processes and SIGKILL on one file."""

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from app.ports import AnswerStatus, OpenUnitOfWork
from app.services.ask import Event, Receipt
from policies.errors import KeyReused
from policies.pricing import price
from policies.types import Units
from tests import overspend_race
from tests.actors import requester
from tests.databases import PRICES, START, Ids, broken_invariants, set_limit
from tests.overspend_rules import Race
from tests.workers import answer_then_hang, reserve_in_process, reserve_many, retry_in_process
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


def together(work: Callable[..., None], url: str, processes: int, each: int) -> list[Any]:
    """What processes say who begin at the same moment."""
    spawn = multiprocessing.get_context("spawn")
    racers = []
    for name in range(processes):
        here, there = spawn.Pipe()
        process = spawn.Process(target=work, args=(url, f"p{name}", each, there))
        process.start()
        racers.append((process, here))
    for _, here in racers:
        assert here.recv() == "ready"
    for _, here in racers:
        here.send("go")
    said = [here.recv() for _, here in racers]
    for process, _ in racers:
        process.join(20)
        assert process.exitcode == 0
    return said


def test_processes_are_granted_exactly_what_fits(url: str, uow: OpenUnitOfWork) -> None:
    set_limit(uow, 50 * QUOTE)
    assert sum(together(reserve_in_process, url, processes=3, each=30)) == 50
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
    world, at_once = World(uow), Barrier(100)

    def submit(_retry: int) -> list[Event]:
        at_once.wait()
        return world.events("same key")

    with ThreadPoolExecutor(100) as pool:
        streams = list(pool.map(submit, range(100)))
    ends = [stream[-1] for stream in streams]
    assert all(isinstance(end, Receipt) for end in ends)
    assert sum(not end.replayed for end in ends if isinstance(end, Receipt)) == 1
    assert len({end.row.id for end in ends if isinstance(end, Receipt)}) == 1
    assert len(world.engine.jobs) == len(world.charges()) == 1
    assert world.broken() == []


def test_hundred_retries_from_four_processes_are_one_run_and_one_charge(
    url: str, uow: OpenUnitOfWork
) -> None:
    said = together(retry_in_process, url, processes=4, each=25)
    given = [receipt for receipts, _ in said for receipt in receipts]
    assert len(given) == 100
    assert len({answer_id for answer_id, _ in given}) == 1
    assert sum(not replayed for _, replayed in given) == 1
    assert sum(runs for _, runs in said) == 1
    assert len(World(uow).charges()) == 1
    assert broken_invariants(uow) == []


def test_parallel_submits_of_one_key_with_other_bodies_run_once(uow: OpenUnitOfWork) -> None:
    world, at_once = World(uow), Barrier(8)

    def submit(seed: int) -> bool:
        at_once.wait()
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
        list(
            pool.map(
                lambda n: world.receipt(f"key {n}", actor=requester(f"user {n % 4}")), range(40)
            )
        )
    assert len(world.charges()) == 40
    assert world.ceiling().held_nanos == 0
    assert world.broken() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_no_race_spends_more_than_any_ceiling(url: str, seed: int) -> None:
    """A short form; the long one is `python -m tests.overspend`."""
    race = Race(seed, processes=3, threads=4, submits=12, kills=1)
    overspend_race.run(race, url)
    count = overspend_race.afterwards(race, url)
    assert count.faults == []
    assert count.submits_admitted > 0
    assert count.submits_refused > 0
