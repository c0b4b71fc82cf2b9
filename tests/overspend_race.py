"""The overspend race: processes of threads submit against shared ceilings, and some are killed.

While they do, clocks jump, policies are activated and raises granted. A process dies by SIGKILL
between a hold and its settlement, its other threads wherever they are; another goes on after it.
Afterwards the money is counted again by tests/recount.py.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing.context import SpawnProcess
from threading import Thread

from app.ports import Activation, AnswerStatus, BudgetRaise, Finished, OpenUnitOfWork, UnitOfWork
from app.services.policy import in_force
from policies.decide import decide
from policies.errors import OverCeiling, Unavailable
from policies.pricing import price
from policies.types import Hold, Importance, Units, Window
from storage.unit_of_work import open_writer
from tests.databases import PILOT, POLICY, PRICES, START, engine_of, new_answer
from tests.overspend_rules import QUOTE, SHARES, Race, Tally, prepare
from tests.recount import Count, recount

LEASE = timedelta(minutes=5)
DAY = timedelta(days=1)
JUMPS = (timedelta(0), timedelta(0), timedelta(hours=7), -timedelta(hours=9), DAY, -DAY, 31 * DAY)
USERS = ("ann", "bob", "eve")
TEAMS = ("sales", "ops")


def run(race: Race, url: str, told: Callable[[int], None] = lambda _done: None) -> dict[str, int]:
    """Start all, put another in the place of each that dies, until every submit was made.

    How many were refused under each kind of ceiling.
    """
    engine = engine_of(url)
    prepare(race, open_writer(engine, PILOT))
    engine.dispose()
    spawn = multiprocessing.get_context("spawn")
    slots = race.processes * race.threads
    tally = Tally(spawn.RawArray("q", slots), spawn.RawArray("q", slots * len(SHARES)))
    lives = [0] * race.processes

    def start(process: int) -> SpawnProcess:
        racer = spawn.Process(
            target=submit_in_threads, args=(race, url, process, lives[process], tally)
        )
        racer.start()
        return racer

    racers = {process: start(process) for process in range(race.processes)}
    while racers:
        time.sleep(0.05)
        told(sum(tally.done))
        for process, racer in list(racers.items()):
            if racer.exitcode is None:
                continue
            del racers[process]
            if racer.exitcode == -signal.SIGKILL and not lives[process]:
                lives[process] = 1
                racers[process] = start(process)
            else:
                assert racer.exitcode == 0, f"a racer ended with {racer.exitcode}"
    assert sum(tally.done) == race.tries
    assert sum(lives) == race.kills, f"{sum(lives)} died, expected {race.kills}"
    return tally.refusals()


def submit_in_threads(race: Race, url: str, process: int, life: int, tally: Tally) -> None:
    """One process: its threads share an engine, as those of the app do."""
    engine = engine_of(url)
    uow = open_writer(engine, PILOT)
    death = None if life else race.death(process)
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()

    def thread(number: int) -> None:
        slot = process * race.threads + number
        chance = random.Random(f"{race.seed} {process} {life} {number}")
        while tally.done[slot] < race.submits:
            place = tally.done[slot]
            doomed = death is not None and death[0] == number and place >= death[1]
            try:
                submit(race, uow, f"{process}-{number}-{place}-{life}", chance, doomed)
            except OverCeiling as refusal:
                tally.add_refusal(slot, refusal)
                if doomed and place == race.submits - 1:
                    die()  # it was refused to its end
            tally.done[slot] += 1

    with ThreadPoolExecutor(race.threads) as pool:
        list(pool.map(thread, range(race.threads)))
    engine.dispose()


def _end_with(parent: int) -> None:
    """A race that was stopped leaves nobody who tries on."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def submit(
    race: Race,
    uow: OpenUnitOfWork,
    name: str,
    chance: random.Random,
    doomed: bool,
) -> None:
    """Hold, work, settle; now and then a heartbeat, a hold left behind, a sweep, a change."""
    now = START + chance.choice(JUMPS) + timedelta(seconds=chance.uniform(0, 60))
    change_something(race, uow, name, chance)
    new = new_answer(
        name,
        chance.choice(list(Importance)[:2]),
        chance.choice(USERS),
        chance.choice(TEAMS),
        created_at=now,
    )
    holds: list[Hold] = []

    def reserve(unit: UnitOfWork) -> None:
        decision = decide(new.request, in_force(unit, POLICY), PRICES)
        unit.answers.add(replace(new, decision=decision), AnswerStatus.RUNNING)
        nanos = decision.quote.nanos
        holds.append(unit.ledger.reserve(name, nanos, now + LEASE, now, decision.limits))

    patiently(uow, reserve)
    hold, tokens = holds[-1], chance.randrange(97)
    done = Units(5, tokens, tokens * new.decision.plan.rung.max_nfe_per_token)
    if doomed:
        die()
    if chance.random() < 0.3:
        patiently(uow, lambda unit: unit.ledger.heartbeat(hold, done, now + LEASE))
    if chance.random() < 0.002:
        patiently(uow, lambda unit: unit.ledger.expire(now + 2 * LEASE))  # a clock far ahead
    if chance.random() < 0.9:  # else it is left behind, as by a lost machine
        finished = Finished(AnswerStatus.RELEASED, "text", done, 3, 0, 0.0, now)
        patiently(uow, lambda unit: unit.ledger.settle(hold, finished, price(done, PRICES)))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def change_something(race: Race, uow: OpenUnitOfWork, name: str, chance: random.Random) -> None:
    """Some twenty times a race another policy, some ten times a small raise, from anyone."""
    dice = chance.random() * race.tries
    if dice < 20:
        version = chance.choice(race.policies()).version
        patiently(uow, lambda u: u.policies.activate(Activation(version, "owner", START, name)))
    elif dice < 30:
        scope = chance.choice(("pilot", *(f"team:{team}" for team in TEAMS), "user:ann"))
        window = chance.choice((Window.DAY, Window.MONTH, Window.WHOLE))
        nanos, until = race.tries * QUOTE // 1000, START + chance.choice((DAY, 40 * DAY))
        wanted = BudgetRaise(name, scope, window, nanos, "more", "ann", START, until)

        def grant(unit: UnitOfWork) -> None:
            unit.raises.ask(wanted)
            unit.raises.decide(name, True, "owner", START)

        patiently(uow, grant)


def patiently(uow: OpenUnitOfWork, change: Callable[[UnitOfWork], object]) -> None:
    """A transaction; again where the database was locked for too long, as a caller would."""
    while True:
        try:
            with uow() as unit:
                change(unit)
                unit.commit()
            return
        except Unavailable:
            continue


def afterwards(race: Race, url: str) -> Count:
    """What is left once every lease has ended, counted from the rows."""
    engine = engine_of(url)
    count = recount(open_writer(engine, PILOT), engine, race.policies(), START + 400 * DAY)
    count.submits_refused = race.tries - count.submits_admitted
    engine.dispose()
    return count
