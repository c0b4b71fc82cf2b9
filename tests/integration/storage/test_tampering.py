"""No row of the ledger is changed, removed or added by plain SQL unseen.

Each try is made in a transaction that is rolled back, past every trigger and foreign key. Rows of
the audit log are tried in test_audit.py.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    Row,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.ports import Booking, BookingKind
from storage.ledger import SqlLedger
from storage.ledger_tables import (
    budget_raises,
    budgets,
    holds,
    ledger_entries,
    seal_tallies,
    spend_days,
)
from storage.policy_tables import policy_activations, policy_proposals
from storage.review_tables import review_claims
from storage.tables import answers, decisions, pilots, policy_versions, price_lists
from storage.types import Nanos, UtcDateTime
from storage.unit_of_work import open_writer
from tests.databases import PILOT, START
from tests.tampered import everything
from tests.tampering import others, rows_of, tampering, this

LEDGER = (
    ledger_entries, holds, spend_days, budgets, budget_raises, price_lists, decisions, answers,
    policy_versions, policy_proposals, policy_activations, seal_tallies,
)  # fmt: skip
UNSEEN = {
    (ledger_entries, "id"): "a number of the database; that the order stands is seen",
    (policy_activations, "id"): "a number of the database; that the order stands is seen",
    (budgets, "id"): "a number of the database; nothing names it",
}
"""Columns that may change without being found, and why. None holds money or says who did what."""
MANUAL = Path(__file__).parents[3] / "docs" / "ledger.md"
HEAD = ("entries_count", "entries_hash")
"""Of the pilot's row; the rest of it is the audit log's head, a name, and a setting."""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    everything(engine)
    return engine


def verified(connection: Connection) -> list[str]:
    return SqlLedger(connection, PILOT).verify()


def test_untouched_rows_are_whole_and_every_table_has_some(filled: Engine) -> None:
    with tampering(filled) as connection:
        assert verified(connection) == []
        for table in LEDGER:
            rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
            assert rows >= 2, f"{table.name}: {rows} rows prove little"


def test_every_changed_column_is_found_but_those_that_are_named(filled: Engine) -> None:
    """Each cell of each row once, in one of the ways in turn."""
    unseen = set()
    for table in LEDGER:
        rows = rows_of(filled, table)
        for turn, row in enumerate(rows):
            for place, column in enumerate(table.columns):
                ways = others(column, row, rows)
                if not _found(filled, table, row, column, ways[(turn + place) % len(ways)]):
                    unseen.add((table.name, column.name))
    assert unseen <= {(table.name, name) for table, name in UNSEEN}


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_value_in_any_column_of_any_row_is_found(filled: Engine, data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(LEDGER))
    columns = [c for c in table.columns if (table, c.name) not in UNSEEN]
    column = data.draw(st.sampled_from(columns))
    row = data.draw(st.sampled_from(rows_of(filled, table)))
    value = data.draw(_any(column).filter(lambda v: v != row._mapping[column.name]))
    assert _found(filled, table, row, column, literal(value, column.type)), (row, column, value)


def test_any_removed_row_is_found(filled: Engine) -> None:
    for table in LEDGER:
        for row in rows_of(filled, table):
            with tampering(filled) as connection:
                connection.execute(delete(table).where(this(table, row)))
                assert verified(connection) != [], row


def test_any_row_written_twice_under_another_key_is_found(filled: Engine) -> None:
    """With all that the first one says, its seal as well."""
    for table in LEDGER:
        for row in rows_of(filled, table):
            copy = dict(row._mapping) | _free(table, row)
            with tampering(filled) as connection:
                connection.execute(insert(table), copy)
                assert verified(connection) != [], copy


def test_rows_that_changed_places_are_found(filled: Engine) -> None:
    for table in (ledger_entries, policy_activations):
        first, second, *_ = rows_of(filled, table)
        with tampering(filled) as connection:
            for before, after in ((first.id, -1), (second.id, first.id), (-1, second.id)):
                moved = update(table).where(table.c.id == before).values(id=after)
                connection.execute(moved)
            assert verified(connection) != []


@pytest.mark.parametrize("column", ["nanos", "seconds", "reviewer", "number", "answer_id"])
def test_a_booked_claim_that_was_changed_is_found(filled: Engine, column: str) -> None:
    """Its minutes are money; what else a claim says is kept by triggers alone."""
    claims = review_claims
    (row, *_) = [row for row in rows_of(filled, claims) if row.nanos]
    assert _found(filled, claims, row, claims.c[column], others(claims.c[column], row, [])[0])
    with tampering(filled) as connection:
        connection.execute(delete(claims).where(this(claims, row)))
        assert verified(connection) != []


@pytest.mark.parametrize("column", HEAD)
def test_a_changed_head_is_found(filled: Engine, column: str) -> None:
    (row,) = rows_of(filled, pilots)
    for value in others(pilots.c[column], row, [row]):
        assert _found(filled, pilots, row, pilots.c[column], value)


def test_an_earlier_head_stays_part_of_the_ledger(filled: Engine) -> None:
    uow = open_writer(filled, PILOT)
    with uow() as unit:
        earlier = unit.ledger.head()
        assert earlier.count >= 2
        unit.ledger.book(Booking("settled", BookingKind.REFUND, -1, "bob", "late", "key-2", START))
        assert unit.ledger.head().count == earlier.count + 1
        assert unit.ledger.hash_at(earlier.count) == earlier.hash
        assert unit.ledger.hash_at(earlier.count + 2) is None


def test_lines_cut_off_at_the_end_are_found(filled: Engine) -> None:
    with tampering(filled) as connection:
        last = select(func.max(ledger_entries.c.id)).scalar_subquery()
        connection.execute(delete(ledger_entries).where(ledger_entries.c.id == last))
        assert any("ledger head" in line for line in verified(connection))


def test_an_older_state_of_a_row_with_the_seal_it_had_is_found(filled: Engine) -> None:
    """A limit that is put back to what it was fits its seal; the tally remembers it was raised."""
    (before,) = (row for row in rows_of(filled, budgets) if row.standing_nanos is not None)
    uow = open_writer(filled, PILOT)
    with uow() as unit:
        unit.ledger.set_limit("pilot", before.limit_nanos + 1, before.currency)
        unit.commit()
    with tampering(filled) as connection:
        assert verified(connection) == []
        names = ("standing_nanos", "policy_nanos", "limit_nanos", "seal")
        old = {name: before._mapping[name] for name in names}
        connection.execute(update(budgets).where(budgets.c.id == before.id).values(old))
        assert any("tally of budgets" in line for line in verified(connection))


def test_the_list_of_what_is_unseen_is_the_one_in_the_manual() -> None:
    said = MANUAL.read_text(encoding="utf-8")
    assert [name for table, name in UNSEEN if f"`{table.name}.{name}`" not in said] == []


def _found(engine: Engine, table: Table, row: Row[Any], column: Column[Any], value: Any) -> bool:
    """Also where the database itself will not have it."""
    with tampering(engine) as connection:
        try:
            change = update(table).where(this(table, row)).values({column.name: value})
            connection.execute(change)
        except IntegrityError:
            return True
        return verified(connection) != []


def _any(column: Column[Any]) -> st.SearchStrategy[Any]:
    if isinstance(column.type, UtcDateTime):
        aware = st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1))
        return aware.map(lambda at: at.replace(tzinfo=UTC))
    if isinstance(column.type, JSON):
        return st.dictionaries(st.text("abc"), st.integers(0, 9), max_size=3)
    if isinstance(column.type, Integer | Nanos):
        return st.integers(0, 2**31 - 1)
    if isinstance(column.type, Float):
        return st.floats(0, 1e6)
    return st.text(st.characters(min_codepoint=32, max_codepoint=0x3FF), max_size=20)


def _free(table: Table, row: Row[Any]) -> dict[str, Any]:
    """A key, and whatever else must be the row's alone, that no row has."""
    changed: dict[str, Any] = {}
    for column in (*table.primary_key, *_alone(table)):
        if column.name == "pilot_id" or row._mapping[column.name] is None:
            continue
        changed[column.name] = (
            10**6 + row._mapping[column.name]
            if isinstance(column.type, Integer)
            else f"{row._mapping[column.name]}-2"
        )
    return changed


def _alone(table: Table) -> list[Column[Any]]:
    names = {
        ledger_entries: ["hold_id", "entry_key"],
        holds: ["answer_id"],
        answers: ["idempotency_key"],
        budgets: ["subject"],
    }
    return [table.c[name] for name in names.get(table, [])]
