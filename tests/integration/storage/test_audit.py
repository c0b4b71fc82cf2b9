"""The audit log: in the change's own transaction, append-only, and no change of it goes unseen."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.ports import AuditEvent, AuditFilter, OpenUnitOfWork
from policies.errors import InvalidInput
from storage.unit_of_work import open_reader, open_writer
from tests.databases import PILOT, START

COLUMNS = ("pilot_id", "number", "at", "by", "action", "subject", "details", "hash")
ROWS = 5


def event(number: int = 1, **changes: object) -> AuditEvent:
    values: dict[str, object] = {
        "by": "emi",
        "action": "budget.limit",
        "subject": f"team:{number}",
        "details": {"limit_nanos": number, "reason": "more 事", "first": True, "note": None},
        "at": START + timedelta(minutes=number),
    }
    return AuditEvent(**(values | changes))  # type: ignore[arg-type]


def fill(uow: OpenUnitOfWork, rows: int = ROWS) -> None:
    with uow() as unit:
        for number in range(1, rows + 1):
            unit.audit.append(event(number))
        unit.commit()


def broken(uow: OpenUnitOfWork) -> list[str]:
    with uow() as unit:
        return unit.audit.verify()


@contextmanager
def tampering(engine: Engine) -> Iterator[Connection]:
    """As someone who owns the database: no trigger, no foreign key."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")  # the pragma does nothing within a transaction
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN")
            for name in ("audit_log_no_update", "audit_log_no_delete", "pilots_audit_grows"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        yield connection
        connection.commit()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")
            connection.commit()


def test_entries_come_back_as_they_were_written(uow: OpenUnitOfWork) -> None:
    fill(uow)
    with uow() as unit:
        found = list(unit.audit.entries())
        assert [entry.event for entry in found] == [event(n) for n in range(1, ROWS + 1)]
        assert [entry.number for entry in found] == [1, 2, 3, 4, 5]
        assert [entry.number for entry in unit.audit.latest(2)] == [5, 4]
        assert (unit.audit.head().count, unit.audit.head().hash) == (5, found[-1].hash)
    assert broken(uow) == []


def test_a_change_that_is_rolled_back_leaves_no_entry(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.audit.append(event())
    fill(uow, 1)
    with uow() as unit:
        assert [entry.number for entry in unit.audit.entries()] == [1]
    assert broken(uow) == []


def test_filters_take_what_they_name(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.audit.append(event(1, action="policy.approve", by="dan"))
        unit.audit.append(event(2, action="policy_other"))
        unit.audit.append(event(3, action="policy.activate", subject="p-1"))
        unit.commit()

    def numbers(**filters: object) -> list[int]:
        with uow() as unit:
            only = AuditFilter(**filters)  # type: ignore[arg-type]
            return [entry.number for entry in unit.audit.entries(only)]

    assert numbers(actions=("policy.",)) == [1, 3]
    assert numbers(actions=("policy.approve",)) == [1]
    assert numbers(actions=("policy_other", "policy.approve")) == [1, 2]
    assert numbers(by="dan") == [1]
    assert numbers(subject="p-1") == [3]
    assert numbers(since=START + timedelta(minutes=2), until=START + timedelta(minutes=3)) == [2]


@pytest.mark.parametrize(
    "sentence",
    [
        "UPDATE audit_log SET details = '{}' WHERE number = 2",
        "DELETE FROM audit_log WHERE number = 2",
        "UPDATE pilots SET audit_count = audit_count - 1",
    ],
)
def test_plain_sql_cannot_change_the_log(
    engine: Engine, uow: OpenUnitOfWork, sentence: str
) -> None:
    fill(uow)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(sentence))
    assert broken(uow) == []


def test_truncating_is_refused_where_there_is_such_a_thing(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    fill(uow)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text("TRUNCATE audit_log"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_column_of_any_row_is_found(
    engine: Engine, uow: OpenUnitOfWork, data: st.DataObject
) -> None:
    with uow() as unit:
        empty = unit.audit.head().count == 0
    if empty:
        fill(uow)
    number = data.draw(st.integers(1, ROWS))
    column = data.draw(st.sampled_from(COLUMNS))
    with tampering(engine) as connection:
        row = connection.execute(
            text("SELECT * FROM audit_log WHERE number = :n"), {"n": number}
        ).one()
        before = row._mapping[column]
        after = data.draw(_other(before))
        change = text(f'UPDATE audit_log SET "{column}" = :v WHERE number = :n')
        connection.execute(change, {"v": after, "n": number})
    assert broken(uow) != [], (number, column, before, after)
    with tampering(engine) as connection:
        back = text(f'UPDATE audit_log SET "{column}" = :v WHERE number = :now')
        now = after if column == "number" else number
        connection.execute(back, {"v": before, "now": now})
    assert broken(uow) == []


def _other(value: str | int) -> st.SearchStrategy[str | int]:
    """Anything else that the column takes; often only a little else."""
    if isinstance(value, int):
        return st.integers(ROWS + 1, 10_000)
    cut = st.integers(0, len(value) - 1).map(lambda i: value[:i] + value[i + 1 :])
    added = st.sampled_from(" x0{").map(lambda c: value + c)
    printable = st.text(st.characters(min_codepoint=32, max_codepoint=0x3FF), max_size=20)
    return st.one_of(cut, added, printable).filter(lambda other: other != value)


@pytest.mark.parametrize("number", [1, 3, ROWS])
def test_a_removed_row_is_found_the_last_one_too(
    engine: Engine, uow: OpenUnitOfWork, number: int
) -> None:
    fill(uow)
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM audit_log WHERE number = :n"), {"n": number})
    assert any(f" {number}: it is missing" in line or "head" in line for line in broken(uow))


def test_all_rows_removed_is_found(engine: Engine, uow: OpenUnitOfWork) -> None:
    fill(uow)
    with tampering(engine) as connection:
        connection.execute(text("DELETE FROM audit_log"))
    assert broken(uow) != []


@pytest.mark.parametrize("number", [ROWS + 1, ROWS + 7])
def test_an_added_row_is_found_also_with_a_hash_that_fits(
    engine: Engine, uow: OpenUnitOfWork, number: int
) -> None:
    from storage.audit import chained

    fill(uow)
    with uow() as unit:
        head = unit.audit.head()
    row = {
        "pilot_id": PILOT, "number": number, "at": "2025-11-03T10:00:00.000000+00:00", "by": "eve",
        "action": "user.add", "subject": "eve", "details": "{}",
    }  # fmt: skip
    names = ", ".join(f'"{name}"' for name in (*row, "hash"))
    values = ", ".join(f":{name}" for name in (*row, "hash"))
    with tampering(engine) as connection:
        added = text(f"INSERT INTO audit_log ({names}) VALUES ({values})")
        connection.execute(added, row | {"hash": chained(head.hash, row)})
    assert broken(uow) != []


@pytest.mark.parametrize("column", ["audit_count", "audit_hash"])
def test_a_changed_head_is_found(engine: Engine, uow: OpenUnitOfWork, column: str) -> None:
    fill(uow)
    value = {"audit_count": ROWS - 1, "audit_hash": "0" * 64}[column]
    with tampering(engine) as connection:
        connection.execute(text(f"UPDATE pilots SET {column} = :v"), {"v": value})
    assert len(broken(uow)) == 1


def test_two_rows_that_changed_places_are_found(engine: Engine, uow: OpenUnitOfWork) -> None:
    fill(uow)
    with tampering(engine) as connection:
        for before, after in ((2, 99), (3, 2), (99, 3)):
            change = text("UPDATE audit_log SET number = :after WHERE number = :before")
            connection.execute(change, {"before": before, "after": after})
    assert broken(uow) != []


def test_a_reader_verifies_while_someone_writes(engine: Engine, uow: OpenUnitOfWork) -> None:
    fill(uow)
    with open_reader(engine, PILOT)() as reading:
        assert reading.audit.head().count == ROWS
        with open_writer(engine, PILOT)() as writing:
            writing.audit.append(event(6))
            writing.commit()
        assert reading.audit.verify() == []


def test_many_who_write_at_once_make_one_chain(engine: Engine) -> None:
    def write(writer: int) -> None:
        for number in range(10):
            with open_writer(engine, PILOT)() as unit:
                unit.audit.append(event(number, by=f"writer-{writer}"))
                unit.commit()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    with open_reader(engine, PILOT)() as unit:
        assert [entry.number for entry in unit.audit.entries()] == list(range(1, 61))
        assert unit.audit.verify() == []


def test_what_no_canonical_text_holds_is_refused(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        for bad in ({"by": ""}, {"by": "a\x00"}, {"subject": "x" * 201}, {"action": ""}):
            with pytest.raises(InvalidInput):
                unit.audit.append(event(**bad))  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="at most"):
            unit.audit.append(event(details={"note": "x" * 20_000}))
        with pytest.raises(TypeError, match="a detail is"):
            unit.audit.append(event(details={"share": 0.5}))
        unit.audit.append(event(details={"note": "a\x00\ud800 事"}))
        assert unit.audit.verify() == []
