"""From nothing, twice, down and up again, with rows and by two processes at once."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from app.ports import AnswerStatus, OpenUnitOfWork
from storage.migrate import downgrade, upgrade
from storage.tables import metadata
from tests.databases import START, broken_invariants, engine_of, new_answer


@pytest.fixture
def blank(tmp_path: Path) -> Iterator[Engine]:
    engine = engine_of(tmp_path / "blank.db")
    yield engine
    engine.dispose()


def schema(engine: Engine, kind: str = "table") -> dict[str, str]:
    """SQL of every table as SQLite keeps it, blanks evened out."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = :kind AND sql IS NOT NULL"
    with engine.connect() as connection:
        found = connection.execute(text(query), {"kind": kind}).all()
    own = [row for row in found if not row.name.startswith(("sqlite_", "alembic_"))]
    return {row.name: " ".join(row.sql.split()) for row in own}


def test_migrated_schema_is_the_schema_of_the_tables(blank: Engine, tmp_path: Path) -> None:
    upgrade(blank)
    with blank.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    direct = engine_of(tmp_path / "direct.db")
    metadata.create_all(direct)
    assert _words(schema(blank)) == _words(schema(direct))  # checks and defaults too
    assert schema(blank, "index") == schema(direct, "index")
    direct.dispose()


def _words(tables: dict[str, str]) -> dict[str, list[str]]:
    """Without the order in which a table names its constraints."""
    return {name: sorted(sql.replace(",", " ").split()) for name, sql in tables.items()}


def test_upgrading_twice_changes_nothing(blank: Engine) -> None:
    upgrade(blank)
    before = schema(blank) | schema(blank, "trigger")
    upgrade(blank)
    assert schema(blank) | schema(blank, "trigger") == before
    assert len(schema(blank, "trigger")) == 3


def test_down_leaves_nothing_and_up_brings_all_back(blank: Engine) -> None:
    upgrade(blank)
    before = schema(blank) | schema(blank, "trigger")
    downgrade(blank, "base")
    assert schema(blank) | schema(blank, "trigger") == {}
    upgrade(blank)
    assert schema(blank) | schema(blank, "trigger") == before


def test_upgrade_keeps_every_row(engine: Engine, uow: OpenUnitOfWork) -> None:
    _fill(uow)
    upgrade(engine)
    with uow() as unit:
        assert [row.id for row in unit.answers.latest(10)] == ["a-1"]
    assert broken_invariants(uow) == []


def test_down_and_up_work_with_rows_in_every_table(engine: Engine, uow: OpenUnitOfWork) -> None:
    _fill(uow)
    downgrade(engine, "base")
    assert schema(engine) == {}
    upgrade(engine)
    with uow() as unit:
        assert unit.answers.latest(10) == []


def test_failed_migration_leaves_nothing_half_done(blank: Engine) -> None:
    with blank.begin() as connection:
        connection.execute(text("CREATE TABLE ratings (here_already TEXT)"))
    with pytest.raises(Exception, match="already exists"):
        upgrade(blank)
    assert list(schema(blank)) == ["ratings"]


def test_two_who_start_at_once_take_turns(tmp_path: Path) -> None:
    def start(_process: int) -> None:
        engine = engine_of(tmp_path / "shared.db")
        upgrade(engine)
        engine.dispose()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(start, range(2)))
    with sqlite3.connect(tmp_path / "shared.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM alembic_version").fetchone() == (1,)


def test_every_row_names_its_pilot() -> None:
    tables = [table for table in metadata.tables.values() if table.name != "pilots"]
    assert [table.name for table in tables if "pilot_id" not in table.columns] == []


def _fill(uow: OpenUnitOfWork) -> None:
    answer = new_answer("a-1")
    with uow() as unit:
        unit.answers.add(answer, AnswerStatus.RUNNING)
        lease = START + timedelta(seconds=30)
        unit.ledger.reserve("a-1", answer.decision.quote.nanos, lease, START)
        unit.ledger.expire(lease)
        unit.answers.rate("a-1", 1, START)
        unit.commit()
