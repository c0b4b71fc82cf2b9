"""The first ceiling of a pilot is in the audit log like any other, with it or not at all."""

from pathlib import Path

from app.bootstrap import load_policy, open_storage
from app.ports import OpenUnitOfWork
from app.services.budgets import begin_budget
from app.settings import read
from storage.migrate import upgrade
from storage.pilot import ensure_pilot
from storage.unit_of_work import open_writer
from tests.databases import PILOT, START, database, engine_of


def limits_in_the_log(uow: OpenUnitOfWork) -> list[tuple[str, str, object]]:
    with uow() as unit:
        entries = [entry.event for entry in unit.audit.entries()]
    found = [e for e in entries if e.action == "budget.limit"]
    return [(e.by, e.subject, e.details["limit_nanos"]) for e in found]


def test_the_first_start_logs_the_limit_of_the_settings_and_the_next_one_none(
    tmp_path: Path,
) -> None:
    settings = read({"L2D_DATA_DIR": str(tmp_path)})
    for _ in range(2):
        uow, reader = open_storage(settings, load_policy(settings.policy), lambda: START)
        with reader() as work:
            (ceiling,) = [c for c in work.ledger.ceilings() if c.scope == "pilot"]
            assert work.audit.verify() == []
        assert limits_in_the_log(uow) == [("system", "pilot", ceiling.limit_nanos)]


def test_the_first_limit_and_its_entry_are_one_transaction() -> None:
    with database("sqlite", blank=True) as url:
        engine = engine_of(url)
        upgrade(engine)
        ensure_pilot(engine, PILOT, "Pilot", START)
        uow = open_writer(engine, PILOT)
        with uow() as unit:
            begin_budget(unit, 5, "JPY", "system", START)  # and dies before it is committed
        with uow() as unit:
            assert unit.ledger.ceilings() == []
        assert limits_in_the_log(uow) == []
        engine.dispose()
