"""Connections to the database, and what its failures mean to a user. SQLite or PostgreSQL, by URL.

On both a transaction that may write has the pilot to itself from its first statement to its commit:
SQLite gives it the file's write lock, PostgreSQL the lock on the pilot's row (unit_of_work.py).
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from policies.errors import InvalidInput, Unavailable

BUSY_TIMEOUT_MS = 10_000
POOL = {
    "pool_size": 8,
    "max_overflow": 64,
    "hide_parameters": True,  # in no log and no error: they are people's questions and answers
}
DIALECTS = ("sqlite", "postgresql")

PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the writer, nor it for them
    "synchronous=FULL",  # a committed charge survives a power cut, not only a dead process
    "foreign_keys=ON",  # SQLite does not enforce them unless every connection asks
)

LOCKED = "the database is locked by another process; try again in a moment"
FULL = "the disk is full; free some space and try again"
UNREACHABLE = "the database server cannot be reached; check that it runs and the database URL"

SQLITE_FAILURES = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: "the database file is read-only; make it and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened; check that its folder exists",
    sqlite3.SQLITE_IOERR: "the disk reported an error while the database was read or written",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database; check the database URL",
}

POSTGRESQL_FAILURES = {
    "55P03": LOCKED,  # lock_not_available: lock_timeout ran out
    "40P01": LOCKED,  # deadlock_detected
    "40001": LOCKED,  # serialization_failure
    "53100": FULL,  # disk_full
    "53300": "the database server takes no more connections; try again in a moment",
    "25006": "the database server is read-only; connect to the primary",
    "28P01": "the database server refused the password; check the database URL",
    "28000": "the database server refused this user; check the database URL",
    "3D000": "the database does not exist; create it, then try again",
    "57P01": UNREACHABLE,  # admin_shutdown
    "57P03": UNREACHABLE,  # cannot_connect_now
}


def make_engine(url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql://…`. Opens nothing yet.

    Raises InvalidInput for any other URL, and where the driver of PostgreSQL is not installed.
    """
    # Below warnings this logger writes whole rows, so also answers that wait for review.
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
    try:
        target = make_url(url)
    except ArgumentError as err:
        raise InvalidInput(f"the database URL {url!r} cannot be read") from err
    if target.get_backend_name() == "postgresql":
        return _postgresql(target, busy_timeout_ms)
    if target.get_backend_name() == "sqlite" and target.database not in (None, "", ":memory:"):
        return _sqlite(target, busy_timeout_ms)
    raise InvalidInput(
        f"the database must be a SQLite file, sqlite:///PATH, or postgresql://…, got {target!r}"
    )


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: one moment, no lock, no waiting."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(read_only=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


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


def _sqlite(target: URL, busy_timeout_ms: int) -> Engine:
    """A transaction that reads first and writes later would fail if anyone wrote in between, so
    every one begins IMMEDIATE unless it only reads."""
    engine = create_engine(target, pool_timeout=busy_timeout_ms / 1000, **POOL)

    def prepare(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is below
        # Writers queue instead of failing; first, since the next pragma may itself need a lock.
        connection.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(target: URL, busy_timeout_ms: int) -> Engine:
    """Commits are on disk before they return: the server's synchronous_commit stays on."""
    try:
        return create_engine(
            target.set(drivername="postgresql+psycopg"),
            pool_timeout=busy_timeout_ms / 1000,
            pool_pre_ping=True,  # a server that was restarted costs no request
            connect_args={
                "options": f"-c lock_timeout={busy_timeout_ms} -c timezone=UTC",
                "connect_timeout": 10,
            },
            **POOL,
        )
    except ModuleNotFoundError as err:
        raise InvalidInput("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from err


def _failure(err: BaseException | None) -> str | None:
    code = getattr(err, "sqlite_errorcode", None)
    if code is not None:
        return SQLITE_FAILURES.get(code & 0xFF)  # above one byte it is detail
    if type(err).__module__.startswith("psycopg"):
        state = getattr(err, "sqlstate", None)
        if state is None and type(err).__name__ == "OperationalError":
            return UNREACHABLE  # it never came to a server's answer
        return POSTGRESQL_FAILURES.get(state or "")
    return None


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
