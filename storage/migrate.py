"""Brings a database to this version's schema, from any earlier one or from nothing."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from storage.engine import translated

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
    with translated(), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = _config()
        config.attributes["connection"] = connection
        change(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
