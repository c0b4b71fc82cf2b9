"""The overspend race: processes of threads submit against shared ceilings, and some are killed.

While they do, clocks jump and policies change. Afterwards the money is counted again from the rows,
by other code than the ledger's. The long form: `python -m tests.overspend --help`.
"""

import argparse
import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import SpawnProcess
from typing import Any

from sqlalchemy import Connection, Engine, text

from app.ports import AnswerStatus, Finished, OpenUnitOfWork, UnitOfWork
from policies.budget import Payer
from policies.errors import OverCeiling, Unavailable
from policies.pricing import price
from policies.types import Hold, Importance, Limit, Units, Window
from storage.unit_of_work import open_writer
from tests.databases import DIALECTS, PILOT, PRICES, START, database, engine_of, new_answer

LEASE = timedelta(minutes=5)
DAY = timedelta(days=1)
JUMPS = (timedelta(0), timedelta(0), timedelta(hours=7), -timedelta(hours=9), DAY, -DAY, 31 * DAY)
USERS = ("ann", "bob", "eve")
TEAMS = ("sales", "ops")


@dataclass(frozen=True)
class Race:
    """How many, how often, from which seed; `kills` processes die in the middle."""

    seed: int
    processes: int
    threads: int
    submits: int
    kills: int

    def limits(self, policy: int) -> tuple[Limit, ...]:
        """Three shared scopes and one of a day, tight enough to refuse; two policies in turn."""
        all_ = self.processes * self.threads * self.submits * 2410
        shares = {
            ("pilot", Window.WHOLE): (6, 7),
            ("team:sales", Window.MONTH): (14, 12),
            ("user:ann", Window.DAY): (60, 40),
            ("importance:standard", Window.WHOLE): (9, 11),
        }
        return tuple(
            Limit(scope, window, all_ // share[policy], "JPY")
            for (scope, window), share in shares.items()
            if policy == 0 or scope != "importance:standard"  # the other does without it
        )


def run(race: Race, url: str) -> None:
    """Start all, kill some at moments of their own, wait for the rest."""
    spawn, chance = multiprocessing.get_context("spawn"), random.Random(race.seed)
    ready = spawn.Barrier(race.processes + 1)
    racers = [
        spawn.Process(target=submit_in_threads, args=(race, url, number, ready))
        for number in range(race.processes)
    ]
    for racer in racers:
        racer.start()
    ready.wait(120)
    for doomed in racers[: race.kills]:
        time.sleep(chance.uniform(0.05, 0.4))
        doomed.kill()
    join(racers[race.kills :])


def join(racers: list[SpawnProcess]) -> None:
    for racer in racers:
        racer.join(3600)
        assert racer.exitcode == 0, f"a racer ended with {racer.exitcode}"


def submit_in_threads(race: Race, url: str, number: int, ready: object) -> None:
    """One process: its threads share an engine, as those of the app do."""
    engine = engine_of(url)
    uow = open_writer(engine, PILOT)
    ready.wait(120)  # type: ignore[attr-defined]

    def thread(name: int) -> None:
        chance = random.Random(f"{race.seed}-{number}-{name}")
        for place in range(race.submits):
            submit(race, uow, f"{number}-{name}-{place}", chance)

    with ThreadPoolExecutor(race.threads) as pool:
        list(pool.map(thread, range(race.threads)))
    engine.dispose()


def submit(race: Race, uow: OpenUnitOfWork, name: str, chance: random.Random) -> None:
    """Hold, work, settle; now and then a heartbeat, a hold left behind, a sweep."""
    now = START + chance.choice(JUMPS) + timedelta(seconds=chance.uniform(0, 60))
    payer = Payer(chance.choice(USERS), chance.choice(TEAMS), chance.choice(list(Importance)[:2]))
    policy = race.limits(chance.randrange(2))
    limits = tuple(limit for limit in policy if limit.scope in payer.scopes())
    new = new_answer(name, payer.importance, payer.user, payer.team, created_at=now)
    nanos = new.decision.quote.nanos
    tokens = chance.randrange(97)
    done = Units(5, tokens, tokens * new.decision.plan.rung.max_nfe_per_token)

    hold = Hold(name, name, nanos, now + LEASE)

    def reserve(unit: UnitOfWork) -> None:
        unit.answers.add(new, AnswerStatus.RUNNING)
        unit.ledger.reserve(name, nanos, hold.expires_at, now, limits)

    try:
        patiently(uow, reserve)
    except OverCeiling:
        return
    if chance.random() < 0.3:
        patiently(uow, lambda unit: unit.ledger.heartbeat(hold, done, now + LEASE))
    if chance.random() < 0.1:
        patiently(uow, lambda unit: unit.ledger.expire(now + 2 * LEASE))  # a clock far ahead
    if chance.random() < 0.9:  # else it is left behind, as by a crash
        finished = Finished(AnswerStatus.RELEASED, "text", done, 3, 0, 0.0, now)
        patiently(uow, lambda unit: unit.ledger.settle(hold, finished, price(done, PRICES)))


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


# --- afterwards -----------------------------------------------------------------------------------


def faults(engine: Engine) -> list[str]:
    """After every lease has ended: what is wrong with the money, counted from the rows."""
    uow = open_writer(engine, PILOT)
    with uow() as unit:
        unit.ledger.expire(START + 400 * DAY)
        unit.commit()
    with uow() as unit:
        found = unit.ledger.verify()
    with engine.connect() as connection:
        budgets = _rows(connection, "budgets")
        entries = _rows(connection, "ledger_entries")
    for budget in budgets:
        spent = sum(entry["nanos"] for entry in entries if _counts(budget, entry))
        if budget["committed_nanos"] != spent:
            found.append(f"{budget} committed, its entries are {spent}")
        if budget["committed_nanos"] > budget["limit_nanos"] or budget["held_nanos"]:
            found.append(f"{budget} is over its limit or still holds")
    total = sum(entry["nanos"] for entry in entries)
    windows = {
        ("pilot", "whole"): total,
        ("team", "month"): sum(e["nanos"] for e in entries if e["team"] == "sales"),
        ("user", "day"): sum(e["nanos"] for e in entries if e["user_name"] == "ann"),
    }
    for (scope, window), expected in windows.items():
        rows = [b for b in budgets if (b["scope"], b["window"]) == (scope, window)]
        if (sum_ := sum(row["committed_nanos"] for row in rows)) != expected:
            found.append(f"{window}s of {scope} sum to {sum_}, expected {expected}")
    return found


def _rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]


def _counts(budget: dict[str, Any], entry: dict[str, Any]) -> bool:
    names = {"team": "team", "user": "user_name", "importance": "importance"}
    of_scope = budget["scope"] == "pilot" or entry[names[budget["scope"]]] == budget["subject"]
    return bool(of_scope and entry["day"].startswith(budget["window_start"]))


def admitted(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM answers")).scalar_one())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--submits", type=int, default=500)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--dialects", nargs="+", choices=DIALECTS, default=DIALECTS)
    args = parser.parse_args()
    wrong = 0
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for dialect in args.dialects:
            race = Race(seed, args.processes, args.threads, args.submits, args.kills)
            began = time.monotonic()
            with database(dialect) as url:
                run(race, url)
                engine = engine_of(url)
                found, count = faults(engine), admitted(engine)
                engine.dispose()
            wrong += len(found)
            took = time.monotonic() - began
            tried = args.processes * args.threads * args.submits
            sys.stdout.write(
                f"{dialect}: seed {seed}, {tried} submits, {count} admitted, {args.kills} "
                f"processes killed, {len(found)} faults, {took:.0f} s\n"
                + "".join(f"  {f}\n" for f in found)
            )
            sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
