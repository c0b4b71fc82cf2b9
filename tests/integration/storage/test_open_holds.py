"""What looks for open holds reads an index of these alone, however many were closed."""

from typing import Any

from sqlalchemy import Engine, text

from app.ports import OpenUnitOfWork
from storage.unit_of_work import open_writer
from tests.databases import PILOT, START
from tests.statements import counted
from tests.world import World

ASKS = "holds.state = 'open'"


def test_every_search_for_open_holds_reads_their_own_index(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    World(uow).receipt()
    with counted(engine) as statements, open_writer(engine, PILOT)() as unit:
        unit.ledger.expire(START)
        unit.ledger.open_holds(10)
        unit.ledger.set_limit("team:sales", 10**9, "JPY")  # opens a counter: what is held in it
    searches = [(said, values) for said, values in statements if ASKS in said]
    assert len(searches) == 3
    for said, values in searches:
        assert "ix_holds_open" in _plan(engine, said, values), said


def _plan(engine: Engine, statement: str, values: Any) -> str:
    """Of a table as large as a pilot's becomes: PostgreSQL scans what is small by choice."""
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if not sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}"
        return str(connection.exec_driver_sql(explain, values).all())
