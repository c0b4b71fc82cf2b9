"""The few words SQLite and PostgreSQL spell differently, in one place."""

import functools
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def keep(connection: Connection, table: Table, *rows: dict[str, Any]) -> None:
    """Insert rows unless one with the same key is there."""
    connection.execute(_keep(connection.dialect.name, table), list(rows))


@functools.cache
def _keep(dialect: str, table: Table) -> Insert:
    return upsert(dialect, table).on_conflict_do_nothing()
