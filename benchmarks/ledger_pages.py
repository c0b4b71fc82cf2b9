"""What the pages read, timed on a database of any size, with the number of statements of each.

python -m benchmarks.ledger pages --url sqlite:///big.sqlite
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy import Engine

from app.ports import OpenUnitOfWork, UnitOfWork
from app.ports.board import By, Slice
from app.services.budgets import Budgets
from app.services.dashboard import NEWEST, Dashboard
from benchmarks.ledger_data import last_instant
from policies.budget import Payer
from policies.types import Importance
from storage.migrate import upgrade
from storage.unit_of_work import open_reader
from tests.actors import LOCAL
from tests.databases import PILOT, PRICES, Ids
from tests.fakes import FakeEngine
from tests.statements import counted

ROUNDS = 5


def pages(engine: Engine, answers: int) -> Iterator[dict[str, object]]:
    """A line a page: median, longest and own CPU time of a few rounds, and its statements."""
    upgrade(engine)
    reader, now = open_reader(engine, PILOT), last_instant(answers)
    zone = now.tzinfo
    assert zone is not None
    board = Dashboard(FakeEngine(), reader, lambda: now)
    budgets = Budgets(reader, reader, lambda: now, Ids(), zone, PRICES.model)
    month = Slice(first_day=(now - timedelta(days=30)).date().isoformat())
    one_user = Slice(user="user-7")
    payer = Payer("user-7", "team-7", Importance.STANDARD)
    reads: dict[str, Callable[[], object]] = {
        "dashboard": lambda: board.overview(LOCAL),
        "dashboard, 30 days by user": lambda: board.overview(LOCAL, month, By.USER),
        "dashboard, one user": lambda: board.overview(LOCAL, one_user),
        "dashboard, is anything new": lambda: board.pulse(LOCAL),
        "budgets": lambda: budgets.overview(LOCAL),
        "ceilings of one payer": _reading(
            reader, lambda unit: unit.ledger.ceilings_of(payer, (), PRICES.currency, now)
        ),
        "latest answers": _reading(reader, lambda unit: unit.answers.latest(20)),
        "answers behind a point": _reading(
            reader, lambda unit: unit.board.latest(Slice(), 3, NEWEST, 20)
        ),
        "one person's answers": _reading(
            reader, lambda unit: unit.board.search("user-7", "pens", 20)
        ),
        "one person's answers, no hit": _reading(
            reader, lambda unit: unit.board.search("user-7", "nowhere", 20)
        ),
        "latest charges": _reading(reader, lambda unit: unit.spend(2000)),
        "rollups of a month": _reading(
            reader, lambda unit: unit.ledger.rollups("2026-01-01", "2026-01-31")
        ),
        "latest alerts": _reading(reader, lambda unit: unit.alerts.latest(20)),
    }
    for name, read in reads.items():
        took, busy = [], time.process_time()
        with counted(engine) as statements:
            read()
        for _ in range(ROUNDS):
            began = time.perf_counter()
            read()
            took.append(round(time.perf_counter() - began, 4))
        yield {
            "page": name,
            "seconds": statistics.median(took),
            "longest": max(took),
            "cpu_seconds": round((time.process_time() - busy) / (ROUNDS + 1), 4),
            "statements": len(statements),
        }


def _reading(reader: OpenUnitOfWork, read: Callable[[UnitOfWork], object]) -> Callable[[], object]:
    def once() -> object:
        with reader() as unit:
            return read(unit)

    return once
