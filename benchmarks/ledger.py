"""What the ledger costs: submit overhead, verification and rollups, on both databases.

    python -m benchmarks.ledger submit            decide + reserve + settle, one after another
    python -m benchmarks.ledger verify --answers 200000 --entries-each 5
    python -m benchmarks.ledger generate --answers 1000000 --url sqlite:///big.sqlite
    python -m benchmarks.ledger check --url sqlite:///big.sqlite      verifies what is there
    python -m benchmarks.ledger pages --answers 1000000 --url sqlite:///big.sqlite

SQLite lies in the folder given (on a real disk), PostgreSQL runs with its own durable settings.
CPU times are those of this process: on a busy machine they say more than the clock, and of
PostgreSQL they leave out what its server does.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from app.ports import AnswerStatus, Finished
from benchmarks.ledger_data import generate
from benchmarks.ledger_pages import pages
from policies.pricing import price
from policies.types import Limit, Units, Window
from storage.engine import make_engine
from storage.migrate import upgrade
from storage.unit_of_work import open_writer
from tests import postgres
from tests.databases import DIALECTS, PILOT, PRICES, START, fill, new_answer, set_limit

Result = TypeVar("Result")
LEASE = timedelta(seconds=30)
DONE = Units(5, 20, 60)
LIMITS = tuple(
    Limit(scope, window, 10**12, PRICES.currency)
    for scope in ("pilot", "team:sales", "user:ann")
    for window in (Window.DAY, Window.MONTH)
)
"""Seven ceilings with the standing one: three scopes, each in two windows."""


@contextmanager
def fresh(dialect: str, folder: str) -> Iterator[Engine]:
    """An empty database that survives a power cut."""
    if dialect == "sqlite":
        with tempfile.TemporaryDirectory(dir=folder) as here:
            engine = make_engine(f"sqlite:///{Path(here) / 'pilot.sqlite'}")
            yield engine
            engine.dispose()
        return
    url = postgres.server(durable=True)
    postgres.run(url, "CREATE DATABASE benchmark")
    engine = make_engine(url.set(database="benchmark").render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    postgres.run(url, "DROP DATABASE benchmark")


def submit(engine: Engine, times: int) -> dict[str, object]:
    """Two transactions an answer, as `Ask` makes them; the model's own time is not in it."""
    fill(engine)
    uow = open_writer(engine, PILOT)
    set_limit(uow, 10**12)
    took = []
    cpu = 0.0
    for number in range(times + 50):  # the first fifty warm up
        began, busy = time.perf_counter(), time.process_time()
        new = new_answer(f"a-{number}")  # decides
        decision = replace(new.decision, limits=LIMITS)
        with uow() as unit:
            unit.answers.add(new, AnswerStatus.RUNNING)
            hold = unit.ledger.reserve(
                new.id, decision.quote.nanos, START + LEASE, START, decision.limits
            )
            unit.commit()
        end = Finished(AnswerStatus.RELEASED, "text", DONE, 3, 0, 0.5, START)
        with uow() as unit:
            unit.ledger.settle(hold, end, price(DONE, PRICES))
            unit.commit()
        took.append((time.perf_counter() - began) * 1000)
        cpu += time.process_time() - busy
    kept = sorted(took[50:])
    return {
        "times": times,
        "p50_ms": round(statistics.median(kept), 2),
        "p95_ms": round(kept[int(0.95 * len(kept))], 2),
        "p99_ms": round(kept[int(0.99 * len(kept))], 2),
        "max_ms": round(kept[-1], 2),
        "cpu_ms": round(cpu * 1000 / len(took), 2),
    }


def verify(engine: Engine, answers: int, entries_each: int) -> dict[str, object]:
    seconds, _ = _timed(lambda: generate(engine, answers, entries_each))
    size = {"answers": answers, "entries": answers * entries_each, "generate_s": seconds}
    return size | check(engine)


def check(engine: Engine) -> dict[str, object]:
    """Every invariant, and the rollups written anew, but rolled back."""
    upgrade(engine)
    uow = open_writer(engine, PILOT)
    with uow() as unit:
        began = time.process_time()
        verified, broken = _timed(unit.ledger.verify)
        own = round(time.process_time() - began, 2)
        rebuilt, same = _timed(unit.ledger.rebuild)
        read, days = _timed(lambda: unit.ledger.rollups("2026-01-01", "2026-01-31"))
    return {
        "verify_s": verified,
        "verify_cpu_s": own,
        "broken": broken[:3],
        "rebuild_s": rebuilt,
        "rebuilt_the_same": same,
        "month_of_rollups_s": read,
        "month_of_rollups_rows": len(days),
    }


def _timed(do: Callable[[], Result]) -> tuple[float, Result]:
    began = time.perf_counter()
    result = do()
    return round(time.perf_counter() - began, 2), result


def _tell(answers: int) -> None:
    sys.stderr.write(f"{answers} answers\n")
    sys.stderr.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("submit", "verify", "generate", "check", "pages"))
    parser.add_argument("--dialects", nargs="+", choices=DIALECTS, default=DIALECTS)
    parser.add_argument("--folder", default=".", help="where SQLite's file goes meanwhile")
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--answers", type=int, default=200_000)
    parser.add_argument("--entries-each", type=int, default=5)
    parser.add_argument("--url", help="of the database that `generate` fills, others read")
    args = parser.parse_args()
    if args.what in ("generate", "check", "pages"):
        engine = make_engine(args.url)
        if args.what == "generate":
            generate(engine, args.answers, args.entries_each, _tell)
        elif args.what == "check":
            _say(engine.dialect.name, check(engine))
        else:
            for line in pages(engine, args.answers):
                _say(engine.dialect.name, line)
        engine.dispose()
        return 0
    for dialect in args.dialects:
        with fresh(dialect, args.folder) as engine:
            found = (
                submit(engine, args.times)
                if args.what == "submit"
                else verify(engine, args.answers, args.entries_each)
            )
        _say(dialect, found)
    return 0


def _say(dialect: str, found: dict[str, object]) -> None:
    sys.stdout.write(json.dumps({"database": dialect, **found}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
