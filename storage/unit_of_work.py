"""One transaction for one pilot: committed once, on purpose, or rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, Transaction

from app.ports import OpenUnitOfWork, SpendPoint
from policies.types import PriceList
from storage import queries
from storage.engine import READ_ONLY, translated
from storage.ledger import SqlLedger
from storage.repositories import SqlAnswers, SqlMeasurements, keep_policy, keep_prices


class SqlUnitOfWork:
    """app.ports.UnitOfWork over an open transaction."""

    def __init__(self, connection: Connection, transaction: Transaction, pilot_id: str) -> None:
        self._connection, self._transaction, self._pilot_id = connection, transaction, pilot_id
        self.answers = SqlAnswers(connection, pilot_id)
        self.ledger = SqlLedger(connection, pilot_id)
        self.measurements = SqlMeasurements(connection, pilot_id)

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


def sqlite_unit_of_work(engine: Engine, pilot_id: str) -> OpenUnitOfWork:
    """Transactions that may write. They queue for the one write lock, so they must be short."""
    return _opener(engine, pilot_id)


def sqlite_reader(engine: Engine, pilot_id: str) -> OpenUnitOfWork:
    """Transactions for pages that only read: they wait for no writer. Writing in one is a bug."""
    return _opener(engine.execution_options(**READ_ONLY), pilot_id)


def _opener(engine: Engine, pilot_id: str) -> OpenUnitOfWork:
    @contextmanager
    def unit_of_work() -> Iterator[SqlUnitOfWork]:
        with translated(), engine.connect() as connection, connection.begin() as transaction:
            yield SqlUnitOfWork(connection, transaction, pilot_id)
            if transaction.is_active:
                transaction.rollback()

    return unit_of_work
