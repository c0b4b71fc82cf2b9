"""A process that dies at any statement of an answer leaves a ledger that can be recovered."""

from datetime import timedelta
from itertools import count

import pytest

from app.ports import AnswerStatus
from policies.errors import OverCeiling
from policies.pricing import price
from storage.unit_of_work import open_writer
from tests.databases import DIALECTS, PILOT, PRICES, database, engine_of
from tests.deaths import Died, die_at
from tests.world import World


def run_until_death(url: str, statement: int, limit: int | None) -> bool:
    """True where the answer came to its end first."""
    engine = engine_of(url)
    world = World(open_writer(engine, PILOT))
    if limit is not None:
        world.limit(limit)
    die_at(engine, statement)
    try:
        world.events()
    except Died:
        return False
    except OverCeiling:
        return True
    finally:
        engine.dispose()
    return True


def check_after_death(url: str) -> set[AnswerStatus | None]:
    """What another process finds, and what is left once it has recovered it: how answers ended."""
    engine = engine_of(url)
    world = World(open_writer(engine, PILOT))
    assert world.broken() == []
    world.clock.advance(timedelta(minutes=1))
    world.ask().recover()
    assert world.broken() == []
    assert world.ceiling().held_nanos == 0
    rows = world.rows()
    assert all(row.cost_nanos == price(row.units, PRICES) for row in rows)
    engine.dispose()
    return {row.status for row in rows} or {None}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("limit", [None, 2409], ids=["admitted", "refused"])
def test_death_at_any_statement_is_recovered(limit: int | None, dialect: str) -> None:
    seen: set[AnswerStatus | None] = set()
    for statement in count(1):
        with database(dialect) as url:
            whole = run_until_death(url, statement, limit)
            seen |= check_after_death(url)
        if whole:
            break
    ends = {AnswerStatus.INTERRUPTED, AnswerStatus.RELEASED}
    assert seen == {None} | (ends if limit is None else {AnswerStatus.REFUSED})
