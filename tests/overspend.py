"""The overspend race: processes of threads submit against shared ceilings, and some are killed.

While they do, clocks jump, policies are activated and raises granted. A process dies by SIGKILL
between a hold and its settlement, its other threads wherever they are; another goes on after it.
Afterwards the money is counted again by tests/recount.py. The long form, which may be stopped and
goes on where its record ends: `python -m tests.overspend --help`.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cache
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from typing import Any

from app.ports import (
    Activation,
    AnswerStatus,
    BudgetRaise,
    Finished,
    OpenUnitOfWork,
    PolicyVersion,
    UnitOfWork,
)
from app.services.policy import in_force
from policies.decide import decide
from policies.document import Policy, parse
from policies.errors import OverCeiling, Unavailable
from policies.pricing import price
from policies.types import Hold, Importance, Units, Window
from storage.unit_of_work import open_writer
from tests.databases import (
    DIALECTS,
    PILOT,
    POLICY,
    PRICES,
    START,
    database,
    engine_of,
    new_answer,
    set_limit,
)
from tests.recount import Count, recount

LEASE = timedelta(minutes=5)
DAY = timedelta(days=1)
JUMPS = (timedelta(0), timedelta(0), timedelta(hours=7), -timedelta(hours=9), DAY, -DAY, 31 * DAY)
USERS = ("ann", "bob", "eve")
TEAMS = ("sales", "ops")
SHARES = {
    ("pilot", Window.WHOLE): (18, 17),
    ("pilot", Window.MONTH): (15, 16),
    ("pilot", Window.DAY): (9, 10),
    ("team", Window.WHOLE): (9, 10),
    ("team", Window.MONTH): (8, 7),
    ("team", Window.DAY): (6, 5),
    ("user", Window.WHOLE): (7, 6),
    ("user", Window.MONTH): (5, 6),
    ("user", Window.DAY): (3, 4),
    ("importance", Window.WHOLE): (0, 12),
}
"""Per cent of all that is asked for, under two policies in turn; 0 names no ceiling. Each is less
than its parts may come to together, so that every scope and window refuses some."""


QUOTE = 2410
"""Nanos of a standard answer; a routine one is quoted 970."""
RULES = [(scope, window.value) for scope, window in SHARES]


@dataclass(frozen=True)
class Race:
    """How many, how often, from which seed; so many of the processes die once in the middle."""

    seed: int
    processes: int
    threads: int
    submits: int
    kills: int

    @property
    def tries(self) -> int:
        return self.processes * self.threads * self.submits

    def policies(self) -> tuple[Policy, Policy]:
        return _policy(self.tries, 0), _policy(self.tries, 1)

    def death(self, process: int) -> tuple[int, int] | None:
        """The thread in which a process dies, and from which of its submits on it may."""
        chance = random.Random(f"death {self.seed} {process}")
        place = chance.randrange(self.threads), chance.randrange(self.submits)
        return place if process < self.kills else None


@cache
def _policy(tries: int, which: int) -> Policy:
    said = json.loads(POLICY.text) | {"name": f"race-{which}"}
    said["ceilings"] = [
        {"scope": scope, "window": window.value, "limit": _amount(tries * QUOTE * share // 100)}
        for (scope, window), shares in SHARES.items()
        if (share := shares[which])
    ]
    return parse(json.dumps(said))


def _amount(nanos: int) -> str:
    return f"{nanos // 10**9}.{nanos % 10**9:09d} {PRICES.currency}"


def prepare(race: Race, uow: OpenUnitOfWork) -> None:
    """Both policies approved, the first in force; what was set by hand never binds."""
    set_limit(uow, 10**15)
    with uow() as unit:
        for policy in race.policies():
            unit.policies.propose(
                PolicyVersion(
                    policy.version, policy.name, policy.text, policy.text, "", "ann", START
                )
            )
            unit.policies.approve(policy.version, "owner", START)
        unit.policies.activate(Activation(race.policies()[0].version, "owner", START, ""))
        unit.commit()


@dataclass(frozen=True)
class Tally:
    """What the racers count, in memory that they share. Each slot has one writer: no lock that the
    dead could hold."""

    done: Any
    """Submits of each thread."""
    refused: Any
    """Of each thread under each kind of ceiling."""

    def add_refusal(self, slot: int, refusal: OverCeiling) -> None:
        rule = str(refusal.values["scope"]).partition(":")[0], str(refusal.values["window"])
        self.refused[slot * len(SHARES) + RULES.index(rule)] += 1

    def refusals(self) -> dict[str, int]:
        return {
            " ".join(rule): sum(self.refused[place :: len(SHARES)])
            for place, rule in enumerate(RULES)
        }


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


# --- the long form --------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--submits", type=int, default=500)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--dialects", nargs="+", choices=DIALECTS, default=DIALECTS)
    parser.add_argument(
        "--record", type=Path, help="a line of JSON a race; those that are there are not run again"
    )
    args = parser.parse_args()
    record: Path | None = args.record
    wrong = 0
    for race, dialect in _races(args):
        if record is not None and _ran(record, race, dialect):
            continue
        began = time.monotonic()
        with database(dialect) as url:
            refused = run(race, url, _Progress(f"{dialect}: seed {race.seed}", race.tries))
            count = afterwards(race, url)
        line = {
            "database": dialect,
            **asdict(race),
            "seconds": round(time.monotonic() - began),
            **asdict(count),
            "refused_under": refused,
        }
        wrong += len(count.faults)
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if record is not None:
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    return 1 if wrong else 0


def _races(args: argparse.Namespace) -> Iterator[tuple[Race, str]]:
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for dialect in args.dialects:
            yield Race(seed, args.processes, args.threads, args.submits, args.kills), dialect


def _ran(record: Path, race: Race, dialect: str) -> bool:
    wanted = {"database": dialect, **asdict(race)}
    if not record.exists():
        return False
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return any(wanted.items() <= line.items() for line in lines)


class _Progress:
    """To the log every half a minute: how far, how fast, how long yet."""

    def __init__(self, what: str, all_: int) -> None:
        self._what, self._all, self._began, self._said = what, all_, time.monotonic(), 0.0

    def __call__(self, done: int) -> None:
        took = time.monotonic() - self._began
        if took - self._said < 30:
            return
        self._said, pace = took, done / took
        left = f", {(self._all - done) / pace / 60:.0f} minutes left" if pace else ""
        sys.stderr.write(f"{self._what}: {done} of {self._all}, {pace:.1f} a second{left}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
