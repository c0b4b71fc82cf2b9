"""Every connection has its pragmas, and every failure of the machine is said in plain words."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from app.ports import AnswerStatus, OpenUnitOfWork
from policies.errors import InvalidInput, Unavailable
from storage.engine import make_engine, translated
from storage.migrate import upgrade
from storage.unit_of_work import sqlite_unit_of_work
from tests.databases import PILOT, new_answer


@pytest.fixture
def impatient(file: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{file}", busy_timeout_ms=20)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_every_connection_has_its_pragmas(engine: Engine, pragma: str, value: object) -> None:
    with engine.connect() as first, engine.connect().execution_options(read_only=True) as second:
        assert first.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
        assert second.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host/db"])
def test_database_that_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="must be a SQLite file"):
        make_engine(url)


def test_locked_database_is_unavailable(file: Path, impatient: Engine) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"), sqlite_unit_of_work(impatient, PILOT)():
        pass
    other.close()


def test_full_disk_is_unavailable_and_loses_nothing(uow: OpenUnitOfWork, engine: Engine) -> None:
    with uow() as unit:
        unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)
        unit.commit()
    with engine.connect() as connection:  # the pool gives this connection out again
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(Unavailable, match="disk is full"), uow() as unit:
        unit.answers.add(new_answer("a-2", question="x" * 100_000), AnswerStatus.RUNNING)
    with uow() as unit:
        assert [row.id for row in unit.answers.latest(10)] == ["a-1"]


def test_read_only_file_is_unavailable(file: Path) -> None:
    engine = make_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    uow = sqlite_unit_of_work(engine, PILOT)
    with pytest.raises(Unavailable, match="read-only"), uow() as unit:
        unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)


def test_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        upgrade(make_engine(f"sqlite:///{tmp_path}/missing/pilot.db"))


def test_file_of_another_kind_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "pilot.db").write_text("this is no database, it is a letter. " * 100)
    with pytest.raises(Unavailable, match="not a database"):
        upgrade(make_engine(f"sqlite:///{tmp_path}/pilot.db"))


def test_connections_all_in_use_is_unavailable(file: Path) -> None:
    engine = make_engine(f"sqlite:///{file}", busy_timeout_ms=20)
    held = [engine.connect() for _ in range(72)]
    with pytest.raises(Unavailable, match="too many"), translated():
        engine.connect()
    for connection in held:
        connection.close()
    engine.dispose()


def test_bad_sql_stays_a_bug(engine: Engine) -> None:
    with pytest.raises(OperationalError), translated(), engine.connect() as connection:
        connection.execute(text("SELEKT 1"))
