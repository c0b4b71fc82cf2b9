"""A world for every test: a fresh database of either kind, and at the end a ledger that adds up."""

from collections.abc import Iterator

import pytest

from storage.unit_of_work import open_writer
from tests.databases import DIALECTS, PILOT, database, engine_of
from tests.world import World


@pytest.fixture(params=DIALECTS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with database(request.param) as url:
        engine = engine_of(url)
        world = World(open_writer(engine, PILOT))
        yield world
        assert world.broken() == []  # whatever a test did, the money must add up afterwards
        engine.dispose()
