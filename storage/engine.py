"""Connections to the database, and what its failures mean to a user. A SQLite file for now."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from policies.errors import InvalidInput, Unavailable

BUSY_TIMEOUT_MS = 10_000
READ_ONLY = {"read_only": True}
"""Execution option of connections that take no write lock."""

PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the writer, nor it for them
    "synchronous=FULL",  # a committed charge survives a power cut, not only a dead process
    "foreign_keys=ON",  # SQLite does not enforce them unless every connection asks
)

FAILURES = {
    sqlite3.SQLITE_BUSY: "the database is locked by another process; try again in a moment",
    sqlite3.SQLITE_LOCKED: "the database is locked by another process; try again in a moment",
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_READONLY: "the database file is read-only; make it and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened; check that its folder exists",
    sqlite3.SQLITE_IOERR: "the disk reported an error while the database was read or written",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database; check the database URL",
}


def make_engine(url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine whose transactions take the write lock when they begin. Opens nothing yet.

    A transaction that reads first and writes later would fail if anyone wrote in between, so every
    one begins IMMEDIATE unless its connection is READ_ONLY.
    """
    target = make_url(url)
    if target.get_backend_name() != "sqlite" or target.database in (None, "", ":memory:"):
        raise InvalidInput(f"the database must be a SQLite file, sqlite:///PATH, got {target!r}")
    engine = create_engine(
        target, pool_size=8, max_overflow=64, pool_timeout=busy_timeout_ms / 1000
    )

    def prepare(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is below
        # Writers queue instead of failing; first, since the next pragma may itself need a lock.
        connection.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def translated() -> Iterator[None]:
    """Turns failures of the machine into Unavailable. A broken constraint stays a bug."""
    try:
        yield
    except PoolTimeout as err:
        raise Unavailable("too many requests wait for the database; try again in a moment") from err
    except DBAPIError as err:
        if message := _failure(err.orig):
            raise Unavailable(message) from err
        raise
    except sqlite3.Error as err:  # from the pragmas, which run below SQLAlchemy
        if message := _failure(err):
            raise Unavailable(message) from err
        raise


def _failure(err: BaseException | None) -> str | None:
    code = getattr(err, "sqlite_errorcode", None)
    return None if code is None else FAILURES.get(code & 0xFF)  # above one byte it is detail


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
