"""One transaction for one pilot: committed once, on purpose, or rolled back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, Transaction, bindparam, select

from app.ports import OpenUnitOfWork, SpendPoint
from policies.errors import Unavailable
from policies.types import PriceList
from storage import queries
from storage.alerts import SqlAlerts
from storage.audit import SqlAudit
from storage.board import SqlBoard
from storage.engine import BUSY_TIMEOUT_MS, LOCKED, reading, translated
from storage.history import SqlHistory
from storage.ledger import SqlLedger
from storage.policies import SqlPolicies
from storage.raises import SqlRaises
from storage.repositories import SqlAnswers, SqlMeasurements, keep_policy, keep_prices
from storage.review_figures import SqlReviewFigures
from storage.review_notes import SqlReviewNotes
from storage.reviews import SqlReviews
from storage.tables import pilots
from storage.traces import SqlTraces
from storage.users import SqlAccounts


class SqlUnitOfWork:
    """app.ports.UnitOfWork over an open transaction."""

    def __init__(self, connection: Connection, transaction: Transaction, pilot_id: str) -> None:
        self._connection, self._transaction, self._pilot_id = connection, transaction, pilot_id
        self.answers = SqlAnswers(connection, pilot_id)
        self.ledger = SqlLedger(connection, pilot_id)
        self.raises = SqlRaises(connection, pilot_id)
        self.alerts = SqlAlerts(connection, pilot_id)
        self.measurements = SqlMeasurements(connection, pilot_id)
        self.policies = SqlPolicies(connection, pilot_id)
        self.history = SqlHistory(connection, pilot_id)
        self.traces = SqlTraces(connection, pilot_id)
        self.board = SqlBoard(connection, pilot_id)
        self.accounts = SqlAccounts(connection, pilot_id)
        self.audit = SqlAudit(connection, pilot_id)
        self.reviews = SqlReviews(connection, pilot_id)
        self.review_notes = SqlReviewNotes(connection, pilot_id)
        self.review_figures = SqlReviewFigures(connection, pilot_id)

    def add_policy(self, version: str, name: str, text: str, now: datetime) -> None:
        keep_policy(self._connection, self._pilot_id, version, name, text, now)

    def add_prices(self, prices: PriceList, now: datetime) -> None:
        keep_prices(self._connection, self._pilot_id, prices, now)

    def prices(self) -> list[PriceList]:
        return queries.all_prices(self._connection, self._pilot_id)

    def spend(self, limit: int) -> list[SpendPoint]:
        return queries.latest_spend(self._connection, self._pilot_id, limit)

    def commit(self) -> None:
        """Once, last: the block can do nothing afterwards."""
        self._transaction.commit()


def open_writer(engine: Engine, pilot_id: str) -> OpenUnitOfWork:
    """Transactions that may write. Those of one pilot queue, so they must be short."""
    if engine.dialect.name == "sqlite":
        return _opener(engine, pilot_id, queue=threading.Semaphore())
    return _opener(engine, pilot_id, alone=True)


def open_reader(engine: Engine, pilot_id: str) -> OpenUnitOfWork:
    """Transactions for pages that only read: they wait for no writer. Writing in one is a bug."""
    return _opener(reading(engine), pilot_id)


_ALONE = (
    select(pilots.c.id).where(pilots.c.id == bindparam("pilot")).with_for_update(key_share=True)
)


def lock(connection: Connection, pilot_id: str) -> None:
    """Waits until this transaction is the only one that writes to the pilot.

    On PostgreSQL, what SQLite's write lock is there: whoever holds it sees all that was committed
    before, and two of them can never wait for each other. References to the pilot's row still pass.
    """
    connection.execute(_ALONE, {"pilot": pilot_id})


def _opener(
    engine: Engine, pilot_id: str, queue: threading.Semaphore | None = None, alone: bool = False
) -> OpenUnitOfWork:
    @contextmanager
    def opened() -> Iterator[SqlUnitOfWork]:
        with (
            translated(),
            _turn(queue),
            engine.connect() as connection,
            connection.begin() as transaction,
        ):
            if alone:
                lock(connection, pilot_id)
            yield SqlUnitOfWork(connection, transaction, pilot_id)
            if transaction.is_active:
                transaction.rollback()

    return opened


@contextmanager
def _turn(queue: threading.Semaphore | None) -> Iterator[None]:
    """Threads of one process wait here: SQLite's own waiting is polling, and may starve one."""
    if queue is None:
        yield
        return
    if not queue.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
        raise Unavailable(LOCKED)
    try:
        yield
    finally:
        queue.release()
