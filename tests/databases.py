"""Real SQLite files with a pilot in them, and the few rows tests start from."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from sqlalchemy import Engine

from app.ports import NewAnswer, OpenUnitOfWork
from policies.decide import decide
from policies.document import Policy, preset
from policies.types import Domain, Importance, PriceList, Request
from storage.engine import make_engine
from storage.migrate import upgrade
from storage.pilot import ensure_pilot
from storage.unit_of_work import sqlite_unit_of_work
from tests.fakes import MODEL

PILOT = "pilot-1"
START = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
LIMIT_NANOS = 1_000_000
POLICY = preset("pilot")
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


def engine_of(file: Path) -> Engine:
    return make_engine(f"sqlite:///{file}")


def make_template(file: Path, policy: Policy = POLICY) -> Path:
    """A migrated database with one pilot, its budget, a policy and prices; copying it is fast."""
    engine = engine_of(file)
    upgrade(engine)
    ensure_pilot(engine, PILOT, "Pilot", LIMIT_NANOS, PRICES.currency, START)
    with sqlite_unit_of_work(engine, PILOT)() as uow:
        uow.add_policy(policy.version, policy.name, policy.text, START)
        uow.add_prices(PRICES, START)
        uow.commit()
    engine.dispose()
    return file


def copy_of(template: Path, folder: Path) -> Path:
    return Path(shutil.copy(template, folder / "pilot.db"))


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


def broken_invariants(uow: OpenUnitOfWork) -> list[str]:
    with uow() as unit:
        return unit.ledger.verify()
