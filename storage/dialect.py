"""The few words SQLite and PostgreSQL spell differently, in one place."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def keep(connection: Connection, table: Table, *rows: dict[str, Any]) -> None:
    """Insert rows unless one with the same key is there."""
    statement = upsert(connection.dialect.name, table).on_conflict_do_nothing()
    connection.execute(statement, list(rows))
