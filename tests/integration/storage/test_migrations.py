"""From nothing, twice, down and up again, with rows and by two at once; on both databases.

The schemas are kept in tests/golden/schema. After a new migration:
`python -m tests.integration.storage.keep_schemas`, and read the difference.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from app.ports import (
    Account,
    AnswerStatus,
    AuditEvent,
    Booking,
    BookingKind,
    BudgetRaise,
    OpenUnitOfWork,
    SignedIn,
    Way,
)
from policies.roles import Role
from policies.types import Limit, Units, Window
from storage import account_tables, policy_tables  # noqa: F401  # their tables belong to the metadata
from storage.migrate import SCRIPTS, downgrade, upgrade
from storage.schema import metadata
from storage.unit_of_work import open_writer
from tests.databases import (
    DIALECTS,
    PILOT,
    START,
    broken_invariants,
    database,
    engine_of,
    fill,
    new_answer,
)
from tests.integration.storage.schemas import GOLDEN, dump, schema

QUOTE = 2410


@pytest.fixture(params=DIALECTS)
def blank(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with database(request.param, blank=True) as url:
        engine = engine_of(url)
        yield engine
        engine.dispose()


def test_migrated_schema_is_the_schema_of_the_tables(blank: Engine) -> None:
    upgrade(blank)
    with blank.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    with database(blank.dialect.name, blank=True) as url:
        direct = engine_of(url)
        metadata.create_all(direct)
        found = {
            n: w for n, w in schema(blank).items() if not n.startswith(("trigger", "function"))
        }
        assert _words(found) == _words(schema(direct))  # checks and defaults too
        direct.dispose()


def _words(found: dict[str, str]) -> dict[str, list[str]]:
    """Without the order in which a table names its constraints."""
    return {name: sorted(words.replace(",", " ").split()) for name, words in found.items()}


def test_schema_is_the_one_that_is_kept(blank: Engine) -> None:
    upgrade(blank)
    kept = (GOLDEN / f"{blank.dialect.name}.txt").read_text(encoding="utf-8")
    assert dump(blank) == kept, "python -m tests.integration.storage.keep_schemas"


def test_migrations_are_one_line() -> None:
    scripts = ScriptDirectory(str(SCRIPTS))
    assert len(scripts.get_heads()) == 1
    assert all(not script.is_branch_point for script in scripts.walk_revisions())


def test_upgrading_twice_changes_nothing(blank: Engine) -> None:
    upgrade(blank)
    before = schema(blank)
    upgrade(blank)
    assert schema(blank) == before
    assert len([name for name in before if name.startswith("trigger")]) >= 3


def revisions() -> list[str]:
    return [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()]


def test_every_step_down_and_up_brings_the_same_schema(blank: Engine) -> None:
    """Oldest first, each taken back once before it stays."""
    for revision in reversed(revisions()):
        before = schema(blank)
        upgrade(blank, revision)
        after = schema(blank)
        downgrade(blank, "-1")
        assert _words(schema(blank)) == _words(before)
        upgrade(blank, revision)
        assert _words(schema(blank)) == _words(after)
    downgrade(blank, "base")
    assert schema(blank) == {}


def test_upgrade_keeps_every_row(engine: Engine, uow: OpenUnitOfWork) -> None:
    _fill(uow)
    upgrade(engine)
    with uow() as unit:
        assert [row.id for row in unit.answers.latest(10)] == ["a-2", "a-1"]
    assert broken_invariants(uow) == []


def test_rows_go_down_to_the_first_release_and_come_back_whole(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    """Charges, holds and limits set by hand do; the first release had no place for the rest."""
    _fill(uow)
    downgrade(engine, "0001")
    with engine.connect() as connection:
        first = connection.execute(text("SELECT limit_nanos, committed_nanos FROM budgets")).all()
        links = connection.execute(text("SELECT COUNT(*) FROM hold_budgets")).scalar_one()
    assert (len(first), links) == (1, 2)
    upgrade(engine)
    assert broken_invariants(uow) == []
    with uow() as unit:
        (ceiling,) = unit.ledger.ceilings()
        (day,) = unit.ledger.rollups("2025-11-01", "2025-11-30")
        assert (ceiling.limit_nanos, ceiling.committed_nanos) == tuple(first[0])
        assert (ceiling.held_nanos, day.charged_nanos, day.answers) == (QUOTE, 1000, 1)
        assert unit.ledger.expire(START + timedelta(hours=1)) == ["a-2"]
        unit.commit()
    assert broken_invariants(uow) == []


def test_down_and_up_work_with_rows_in_every_table(engine: Engine, uow: OpenUnitOfWork) -> None:
    _fill(uow)
    downgrade(engine, "base")
    assert schema(engine) == {}
    fill(engine)
    with uow() as unit:
        assert unit.answers.latest(10) == []


def test_failed_migration_leaves_nothing_half_done(blank: Engine) -> None:
    with blank.begin() as connection:
        connection.execute(text("CREATE TABLE ratings (here_already TEXT)"))
    before = schema(blank)
    with pytest.raises(Exception, match="already exists"):
        upgrade(blank)
    assert schema(blank) == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_two_who_start_at_once_take_turns(dialect: str) -> None:
    with database(dialect, blank=True) as url:

        def start(_process: int) -> None:
            engine = engine_of(url)
            fill(engine)
            engine.dispose()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(start, range(2)))
        engine = engine_of(url)
        with engine.connect() as connection:
            count = connection.execute(text("SELECT COUNT(*) FROM alembic_version")).scalar_one()
        assert count == 1
        assert broken_invariants(open_writer(engine, PILOT)) == []
        engine.dispose()


def test_of_many_who_open_one_blank_file_at_once_none_is_refused(tmp_path: Path) -> None:
    """The move to WAL is not queued for: by chance, so it is tried often."""
    starters = 4
    for round_ in range(50):
        url, together = f"sqlite:///{tmp_path}/{round_}.db", Barrier(starters)

        def start(_process: int, url: str = url, together: Barrier = together) -> None:
            engine = engine_of(url)
            together.wait()
            upgrade(engine, "0001")
            engine.dispose()

        with ThreadPoolExecutor(starters) as pool:
            list(pool.map(start, range(starters)))


def test_every_row_names_its_pilot() -> None:
    tables = [table for table in metadata.tables.values() if table.name != "pilots"]
    assert [table.name for table in tables if "pilot_id" not in table.columns] == []


def _fill(uow: OpenUnitOfWork) -> None:
    """A settled answer with a refund, a running one, a raise, an alert, two windows."""
    lease = START + timedelta(seconds=30)
    day = Limit("pilot", Window.DAY, 10 * QUOTE, "JPY")
    with uow() as unit:
        for name in ("a-1", "a-2"):
            unit.answers.add(new_answer(name), AnswerStatus.RUNNING)
            hold = unit.ledger.reserve(name, QUOTE, lease, START, [day])
            if name == "a-1":
                unit.ledger.heartbeat(hold, Units(0, 100, 0), START)
                unit.ledger.expire(START)
        unit.ledger.book(Booking("a-1", BookingKind.REFUND, -10, "bob", "late", "k", START))
        unit.raises.ask(BudgetRaise("r", "pilot", Window.DAY, 5, "more", "ann", START, lease))
        unit.answers.rate("a-1", 1, START)
        unit.accounts.add(Account("ann", "sales", frozenset({Role.REQUESTER}), START))
        unit.accounts.add_link("1" * 64, "ann", START, lease)
        unit.accounts.open_session("2" * 64, SignedIn("ann", Way.PASSWORD, START, lease))
        unit.accounts.count_attempt("3" * 64, START, START)
        unit.audit.append(AuditEvent("ann", "login", "ann", {}, START))
        unit.commit()
