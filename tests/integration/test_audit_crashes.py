"""Whatever people change, by each of its ways: the change is there exactly where its entry is.

The process dies at every statement and commit on the way, as by SIGKILL. What another process finds
then is as it was before, to the last row and without an entry; or it is changed, with all of its
entries. tests/test_audit_law.py says of the code that there is no other way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import Engine

from app.i18n import texts
from storage.unit_of_work import open_writer
from tests.audit_way import Act, Way
from tests.audit_ways import WAYS
from tests.databases import DIALECTS, PILOT, database, engine_of
from tests.deaths import Died, contents, die_at
from tests.reviews import ReviewWorld


def actions(world: ReviewWorld) -> tuple[str, ...]:
    with world.uow() as work:
        assert work.audit.verify() == []
        return tuple(entry.event.action for entry in work.audit.entries())


def dies(url: str, world: ReviewWorld, act: Act, statement: int) -> bool:
    """Whether it came so far before it was done."""
    engine = engine_of(url)
    die_at(engine, statement)
    try:
        act(replace(world, uow=open_writer(engine, PILOT)))
    except Died:
        return True
    finally:
        engine.dispose()
    return False


@contextmanager
def prepared(dialect: str, way: Way) -> Iterator[tuple[str, ReviewWorld, Act, Engine]]:
    with database(dialect) as url:
        engine = engine_of(url)
        world = ReviewWorld(open_writer(engine, PILOT))
        world.limit(10**12)
        yield url, world, way.prepare(world), engine
        engine.dispose()


def first_kept(dialect: str, way: Way, first: int) -> int:
    """The first statement whose death leaves something; 0 where another database must go on.

    What comes later are transactions of their own, of the ledger.
    """

    def state() -> dict[str, list[str]]:
        return {name: rows for name, rows in contents(engine).items() if name not in way.apart}

    with prepared(dialect, way) as (url, world, act, engine):
        told, before = actions(world), state()
        for statement in count(first):
            died = dies(url, world, act, statement)
            new = actions(world)[len(told) :]
            assert new in ((), way.entries)
            assert (state() == before) is (new == ()), f"at statement {statement}"
            if new:
                return statement
            assert died, "it is done, and there is no entry"
            if way.apart:
                return 0
    raise AssertionError


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("way", WAYS)
def test_a_change_is_there_exactly_where_its_entry_is(way: str, dialect: str) -> None:
    with prepared(dialect, WAYS[way]) as (_, world, act, _):
        before = actions(world)
        act(world)
        assert actions(world) == before + WAYS[way].entries
    kept = next(filter(None, (first_kept(dialect, WAYS[way], first) for first in count(1))))
    assert kept > 3


ELSEWHERE = {
    "ledger_rebuild": "writes again what the entries of the ledger say",
    "measure_shipped": "at the first start, with the figures of the release",
}


def test_a_way_is_known_to_every_entry_that_has_words() -> None:
    words = {key for key in texts("en").messages if key.startswith("audit.did.")}
    taken = {entry.replace(".", "_") for way in WAYS.values() for entry in way.entries}
    assert {key.removeprefix("audit.did.") for key in words} == taken | set(ELSEWHERE)
