"""Rows changed past every trigger, key and check, as someone does who owns the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    Row,
    Table,
    and_,
    literal,
    null,
    select,
    text,
)

from storage.types import Nanos, UtcDateTime
from tests.databases import START


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """As someone who owns the database: no trigger, no foreign key. Nothing of it stays."""
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            connection.exec_driver_sql("COMMIT")  # the pragmas do nothing within a transaction
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            connection.exec_driver_sql("BEGIN")
            named = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in connection.execute(named).scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        try:
            yield connection
        finally:
            connection.rollback()
            if sqlite:
                connection.invalidate()  # with its pragmas


def rows_of(engine: Engine, table: Table) -> list[Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def this(table: Table, row: Row[Any]) -> Any:
    return and_(*(c == row._mapping[c.name] for c in table.primary_key))


def others(column: Column[Any], row: Row[Any], rows: list[Row[Any]]) -> list[Any]:
    """A little more, what another row says, and nothing at all."""
    value = row._mapping[column.name]
    values = [_more(column, value)]
    values += [r._mapping[column.name] for r in rows if r._mapping[column.name] != value][:1]
    given = [literal(v, column.type) for v in values if v is not None]
    return given + ([null()] if value is not None else [])


def _more(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, UtcDateTime):
        return (value or START) + timedelta(seconds=1)
    if isinstance(column.type, JSON):
        return [value]
    if isinstance(column.type, Integer | Nanos | Float):
        return (value or 0) + 1
    return f"{value or ''}x"
