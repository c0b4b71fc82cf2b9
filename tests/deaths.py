"""Dying at a chosen statement, as by SIGKILL, and what a database holds afterwards."""

from collections.abc import Callable
from itertools import count

from sqlalchemy import Connection, Engine, event, text

from app.ports import OpenUnitOfWork, UnitOfWork
from storage.schema import metadata
from storage.unit_of_work import open_writer
from tests.databases import PILOT, engine_of

NUMBERED = ("budgets", "ledger_entries", "policy_activations")
"""PostgreSQL numbers no row twice, also where the first was rolled back."""


class Died(BaseException):
    """Nothing in the code catches this, as nothing catches SIGKILL."""


def die_at(engine: Engine, statement: int) -> None:
    """Every statement and commit from this one on, counted from 1, fails."""
    done = count(1)

    def step(connection: Connection, *_details: object) -> None:
        if next(done) >= statement:
            connection.invalidate()  # as the dead leave theirs: closed, not committed
            raise Died

    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)


def transact(uow: OpenUnitOfWork, change: Callable[[UnitOfWork], object]) -> None:
    with uow() as unit:
        change(unit)
        unit.commit()


def dies(url: str, change: Callable[[UnitOfWork], object], statement: int) -> bool:
    """Whether the transaction came to that statement, and so to its death."""
    engine = engine_of(url)
    die_at(engine, statement)
    try:
        transact(open_writer(engine, PILOT), change)
    except Died:
        return True
    finally:
        engine.dispose()
    return False


def contents(engine: Engine) -> dict[str, list[str]]:
    """Every row of every table, in words that do not depend on when it was written."""
    found = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(text(f"SELECT * FROM {table.name}")).mappings()
            left_out = "id" if table.name in NUMBERED else ""
            found[table.name] = sorted(
                str({name: value for name, value in row.items() if name != left_out})
                for row in rows
            )
    return found
