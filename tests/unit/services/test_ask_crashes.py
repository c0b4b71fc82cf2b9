"""A process that dies at any statement of an answer leaves a ledger that can be recovered."""

from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from app.ports import AnswerStatus
from policies.errors import OverCeiling
from policies.pricing import price
from storage.unit_of_work import sqlite_unit_of_work
from tests.databases import PILOT, PRICES, copy_of, engine_of
from tests.world import World


class Died(BaseException):
    """Nothing in the code catches this, as nothing catches SIGKILL."""


def die_at(engine: Engine, statement: int) -> None:
    """Every statement and commit from this one on, counted from 1, fails."""
    done = count(1)

    def step(*_details: object) -> None:
        if next(done) >= statement:
            raise Died

    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)


def run_until_death(file: Path, statement: int, limit: int | None) -> bool:
    """True where the answer came to its end first."""
    engine = engine_of(file)
    world = World(sqlite_unit_of_work(engine, PILOT))
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


@pytest.mark.parametrize("limit", [None, 2409], ids=["admitted", "refused"])
def test_death_at_any_statement_is_recovered(
    template: Path, tmp_path: Path, limit: int | None
) -> None:
    seen: set[AnswerStatus | None] = set()
    for statement in count(1):
        folder = tmp_path / str(statement)
        folder.mkdir()
        file = copy_of(template, folder)
        whole = run_until_death(file, statement, limit)
        engine = engine_of(file)
        world = World(sqlite_unit_of_work(engine, PILOT))
        assert world.broken() == []
        world.clock.advance(timedelta(minutes=1))
        world.ask().recover()
        assert world.broken() == []
        assert world.ceiling().held_nanos == 0
        rows = world.rows()
        assert all(row.cost_nanos == price(row.units, PRICES) for row in rows)
        seen |= {row.status for row in rows} or {None}
        engine.dispose()
        if whole:
            break
    ends = {AnswerStatus.INTERRUPTED, AnswerStatus.RELEASED}
    assert seen == {None} | (ends if limit is None else {AnswerStatus.REFUSED})
