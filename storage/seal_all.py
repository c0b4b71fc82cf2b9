"""Seals every row as it stands, past the rule that the ledger is append-only.

For rows that no ledger wrote: those from before there were seals, and those of a benchmark. Who has
the database could do the same, so heads are worth keeping elsewhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    select,
    text,
    update,
)

from storage.ledger_tables import ledger_entries, seal_tallies
from storage.seal_check import lines_of, rows_of
from storage.seals import BEFORE_THE_FIRST, CHAINED, SEALED, TALLIED, Tally, digest
from storage.tables import pilots

APPEND_ONLY = "ledger_entries_no_update"
AT_ONCE = 10_000


def seal_all(connection: Connection) -> None:
    """Of every pilot, in the caller's transaction."""
    connection.execute(delete(seal_tallies))
    with _unlocked(connection):
        for pilot_id in connection.execute(select(pilots.c.id)).scalars().all():
            for table in SEALED:  # before the lines, which are hashed together with these seals
                _seal(connection, pilot_id, table)
            _chain(connection, pilot_id)


def _seal(connection: Connection, pilot_id: str, table: Table) -> None:
    (key,) = (c for c in table.primary_key if c.name != "pilot_id")
    mark = update(table).where(table.c.pilot_id == pilot_id, key == bindparam("row"))
    tally, before = Tally(connection, pilot_id, table), BEFORE_THE_FIRST
    for page in _pages(connection, rows_of(pilot_id, table), key):
        seals = []
        for row in page:
            said: list[Any] = list(row[2:])
            before = digest([before, *said] if table in CHAINED else said)
            seals.append(before)
        _mark(connection, mark.values(seal=bindparam("mark")), page, seals)
        if table in TALLIED:
            tally.move(added=seals)


def _chain(connection: Connection, pilot_id: str) -> None:
    count, before = 0, BEFORE_THE_FIRST
    mark = update(ledger_entries).where(ledger_entries.c.id == bindparam("row"))
    for page in _pages(connection, lines_of(pilot_id), ledger_entries.c.id):
        hashes = []
        for row in page:
            before = digest([before, *row[2:]])
            hashes.append(before)
        _mark(connection, mark.values(hash=bindparam("mark")), page, hashes)
        count += len(page)
    head = update(pilots).where(pilots.c.id == pilot_id)
    connection.execute(head.values(entries_count=count, entries_hash=before if count else ""))


def _pages(
    connection: Connection, rows: Select[Any], key: Column[Any]
) -> Iterator[Sequence[Row[Any]]]:
    """One after another: no row is read while it is written."""
    rows = rows.order_by(None).order_by(key).limit(AT_ONCE)
    page = connection.execute(rows).all()
    while page:
        yield page
        page = connection.execute(rows.where(key > page[-1][0])).all()


def _mark(
    connection: Connection, mark: Any, page: Sequence[Row[Any]], marks: Sequence[str]
) -> None:
    values = [{"row": row[0], "mark": one} for row, one in zip(page, marks, strict=True)]
    connection.execute(mark, values)


@contextmanager
def _unlocked(connection: Connection) -> Iterator[None]:
    """Lines may be hashed, until the block ends."""
    if connection.dialect.name == "postgresql":
        table = "ALTER TABLE ledger_entries {} TRIGGER " + APPEND_ONLY
        connection.execute(text(table.format("DISABLE")))
        yield
        connection.execute(text(table.format("ENABLE")))
        return
    named = text("SELECT sql FROM sqlite_master WHERE name = :name")
    words = connection.execute(named, {"name": APPEND_ONLY}).scalar_one()
    connection.execute(text(f"DROP TRIGGER {APPEND_ONLY}"))
    yield
    connection.exec_driver_sql(words)
