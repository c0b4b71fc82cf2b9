"""A fresh database for every test, SQLite and PostgreSQL; how many ran on each is said last."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.ports import OpenUnitOfWork
from storage.unit_of_work import open_writer
from tests.databases import DIALECTS, PILOT, database, engine_of
from tests.ran import RAN

VERSIONS = {"sqlite": "SELECT 'SQLite ' || sqlite_version()", "postgresql": "SELECT version()"}


@pytest.fixture(params=DIALECTS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One pilot with its budget, a policy and prices in it."""
    with database(request.param) as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Asked by its own words what it is, so that no test runs twice on the same by mistake."""
    engine = engine_of(url)
    with engine.connect() as connection:
        version = connection.execute(text(VERSIONS[engine.dialect.name])).scalar_one()
    assert version.lower().startswith(url.split(":")[0])
    RAN[" ".join(version.split()[:2])] += 1
    yield engine
    engine.dispose()


@pytest.fixture
def uow(engine: Engine) -> OpenUnitOfWork:
    return open_writer(engine, PILOT)


@pytest.fixture
def file() -> Iterator[Path]:
    """For what only a file can be: locked, full, read-only."""
    with database("sqlite") as url:
        yield Path(url.removeprefix("sqlite:///"))
