"""Every connection has its pragmas, and every failure of the machine is said in plain words."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.ports import AnswerStatus
from policies.errors import InvalidInput, Unavailable
from storage.engine import make_engine, translated
from storage.migrate import upgrade
from storage.unit_of_work import open_reader, open_writer
from tests import postgres
from tests.databases import PILOT, database, engine_of, new_answer


@pytest.fixture
def on_file(file: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def on_server() -> Iterator[URL]:
    with database("postgresql") as url:
        yield make_url(url)


@pytest.fixture
def impatient(file: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{file}", busy_timeout_ms=20)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_every_connection_has_its_pragmas(on_file: Engine, pragma: str, value: object) -> None:
    with on_file.connect() as first, on_file.connect().execution_options(read_only=True) as second:
        assert first.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
        assert second.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "", "pilot.db"]
)
def test_database_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"must be a SQLite file|cannot be read"):
        make_engine(url)


def test_locked_database_is_unavailable(file: Path, impatient: Engine) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"), open_writer(impatient, PILOT)():
        pass
    other.close()


def test_full_disk_is_unavailable_and_loses_nothing(on_file: Engine) -> None:
    engine, uow = on_file, open_writer(on_file, PILOT)
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
    uow = open_writer(engine, PILOT)
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
    with (
        pytest.raises((OperationalError, ProgrammingError)),
        translated(),
        engine.connect() as connection,
    ):
        connection.execute(text("SELEKT 1"))


def as_text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def test_writer_of_a_pilot_waits_for_the_other_and_then_gives_up(on_server: URL) -> None:
    patient, impatient = make_engine(as_text(on_server)), make_engine(as_text(on_server), 20)
    with open_writer(patient, PILOT)():
        with pytest.raises(Unavailable, match="locked"), open_writer(impatient, PILOT)():
            pass
        with open_reader(impatient, PILOT)() as reading:
            assert reading.answers.latest(1) == []  # who only reads waits for nobody
    with open_writer(impatient, PILOT)():
        pass
    patient.dispose()
    impatient.dispose()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"database": "nowhere"}, "cannot be reached"),
        ({"host": "127.0.0.1", "port": 1, "query": {}}, "cannot be reached"),
    ],
)
def test_server_that_does_not_answer_is_unavailable(
    on_server: URL, change: dict[str, Any], said: str
) -> None:
    engine = engine_of(as_text(on_server.set(**change)))
    with pytest.raises(Unavailable, match=said):
        upgrade(engine)


def test_server_that_restarted_costs_no_request(on_server: URL) -> None:
    engine = engine_of(as_text(on_server))
    uow = open_writer(engine, PILOT)
    with uow() as unit:
        unit.answers.latest(1)
    postgres.run(
        on_server.set(database="postgres"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{on_server.database}'",
    )
    with uow() as unit:
        assert unit.answers.latest(1) == []
    engine.dispose()


def test_reader_cannot_write(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite's reader is held by its missing lock alone")
    with pytest.raises(Unavailable, match="read-only"), open_reader(engine, PILOT)() as unit:
        unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)
