"""Real databases with a pilot in them, SQLite and PostgreSQL, and the rows tests start from."""

import functools
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from sqlalchemy import Engine

from app.ports import NewAnswer, NewReview, OpenUnitOfWork, UnitOfWork
from policies.decide import decide
from policies.document import Policy, preset
from policies.review import ItemKind
from policies.types import Domain, Importance, PriceList, Request
from storage.engine import make_engine
from storage.migrate import upgrade
from storage.pilot import ensure_pilot
from storage.unit_of_work import open_writer
from tests import postgres
from tests.fakes import MODEL
from tests.leftovers import vanishing

DIALECTS = ("sqlite", "postgresql")
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Memory, where there is some: hundreds of databases are made, and a busy disk fails no test."""
PILOT = "pilot-1"
START = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
LIMIT_NANOS = 1_000_000
POLICY = preset("full")
PRICES = PriceList("prices-1", "JPY", MODEL.model, 2, 10, 5, START - timedelta(days=1))


@dataclass
class ManualClock:
    """Stands still until a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Ids:
    """a-1, a-2, … across threads."""

    prefix: str = "a"
    _last: int = 0
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> str:
        with self._lock:
            self._last += 1
            return f"{self.prefix}-{self._last}"


def engine_of(database: Path | str) -> Engine:
    """Of a SQLite file or any URL."""
    return make_engine(database if isinstance(database, str) else f"sqlite:///{database}")


@contextmanager
def database(dialect: str, blank: bool = False) -> Iterator[str]:
    """The URL of a fresh database; unless `blank`, copied from one that was migrated once."""
    if dialect == "sqlite":
        folder = _folder() / str(next(_NUMBERS))
        folder.mkdir()
        if not blank:
            shutil.copy(_template_file(), folder / "pilot.db")
        yield f"sqlite:///{folder / 'pilot.db'}"
        shutil.rmtree(folder)
        return
    name = f"test-{next(_NUMBERS)}"
    url = postgres.make_database(name, "template1" if blank else _template_database())
    yield url.render_as_string(hide_password=False)
    postgres.drop_database(name)


_NUMBERS = itertools.count()


@functools.cache
def _folder() -> Path:
    """Of all SQLite files of this process."""
    return vanishing("pilot", FAST)


@functools.cache
def _template_file() -> Path:
    file = _folder() / "template.db"
    engine = engine_of(file)
    fill(engine)
    engine.dispose()
    return file


@functools.cache
def _template_database() -> str:
    engine = make_engine(postgres.make_database("pilot").render_as_string(hide_password=False))
    fill(engine)
    engine.dispose()  # a database with a connection open cannot be copied
    return "pilot"


def fill(engine: Engine, policy: Policy = POLICY) -> None:
    """Migrations, one pilot, its budget, a policy and prices."""
    upgrade(engine)
    ensure_pilot(engine, PILOT, "Pilot", START)
    with open_writer(engine, PILOT)() as uow:
        if not uow.ledger.ceilings():
            uow.ledger.set_limit("pilot", LIMIT_NANOS, PRICES.currency)
        uow.add_policy(policy.version, policy.name, policy.text, START)
        uow.add_prices(PRICES, START)
        uow.commit()


def new_answer(
    answer_id: str,
    importance: Importance = Importance.STANDARD,
    user: str = "ann",
    team: str = "sales",
    key: str | None = None,
    question: str = "How many pens are left?",
    created_at: datetime = START,
) -> NewAnswer:
    request = Request(question, importance, Domain.MATH, user, team, len(question.split()))
    return NewAnswer(
        id=answer_id,
        request=request,
        decision=decide(request, POLICY, PRICES),
        seed=7,
        idempotency_key=answer_id if key is None else key,
        request_sha256="5" * 64,
        model=MODEL,
        created_at=created_at,
    )


def set_limit(uow: OpenUnitOfWork, limit_nanos: int, scope: str = "pilot") -> None:
    with uow() as unit:
        unit.ledger.set_limit(scope, limit_nanos, PRICES.currency)
        unit.commit()


def wait_for_review(unit: UnitOfWork, answer_id: str, importance: Importance, at: datetime) -> None:
    """As the service does in the transaction that settles an answer that people must approve."""
    approvals = POLICY.reviews[importance].approvals
    unit.reviews.open(NewReview(answer_id, ItemKind.REQUIRED, approvals, importance, at, at))


def broken_invariants(uow: OpenUnitOfWork) -> list[str]:
    with uow() as unit:
        return unit.ledger.verify()
