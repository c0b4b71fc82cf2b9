"""A fresh database file for every test, copied from one that was migrated once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.ports import OpenUnitOfWork
from storage.unit_of_work import sqlite_unit_of_work
from tests.databases import PILOT, copy_of, engine_of, make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "template.db")


@pytest.fixture
def file(template: Path, tmp_path: Path) -> Path:
    return copy_of(template, tmp_path)


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    engine = engine_of(file)
    yield engine
    engine.dispose()


@pytest.fixture
def uow(engine: Engine) -> OpenUnitOfWork:
    return sqlite_unit_of_work(engine, PILOT)
