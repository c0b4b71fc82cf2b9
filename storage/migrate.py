"""Brings a database to this version's schema, from any earlier one or from nothing."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from storage.engine import BUSY_TIMEOUT_MS, translated

SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 7_252_019
"""Any number, the same for all who migrate: on PostgreSQL there is no row to lock yet."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Whole or not at all; nothing to do is fine. Two processes starting at once take turns."""
    _run(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """For tests and for going back to an earlier release; loses what that one has no place for."""
    _run(engine, command.downgrade, revision)


def _run(engine: Engine, change: Callable[[Config, str], None], revision: str) -> None:
    with translated(), _connect(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = _config()
        config.attributes["connection"] = connection
        change(config, revision)


def _connect(engine: Engine) -> Connection:
    """Two that open one blank SQLite file both move it to WAL. SQLite queues writers, but not for
    that: it refuses one of them at once, who has only to try again."""
    patience = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            return engine.connect()
        except OperationalError as err:
            busy = getattr(err.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
