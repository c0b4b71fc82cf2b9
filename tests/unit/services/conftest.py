"""A world for every test: a fresh database file, and at the end a ledger that adds up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.unit_of_work import sqlite_unit_of_work
from tests.databases import PILOT, copy_of, engine_of, make_template
from tests.world import World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "template.db")


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    engine = engine_of(copy_of(template, tmp_path))
    world = World(sqlite_unit_of_work(engine, PILOT))
    yield world
    assert world.broken() == []  # whatever a test did, the money must add up afterwards
    engine.dispose()
