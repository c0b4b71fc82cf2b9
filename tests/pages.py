"""The pages as people meet them: real services and SQLite, an engine that writes what is wanted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import gradio as gr
import httpx
import pytest

from app.i18n import LOCALES
from app.ports import OpenUnitOfWork
from app.services.accounts import Auth
from app.services.admission import Admission
from app.services.ask import Ask, Limits
from app.services.audit import Audit
from app.services.budgets import Budgets, begin_budget
from app.services.dashboard import Dashboard
from app.services.drafts import Drafts
from app.services.own_account import OwnAccount
from app.services.policy import PolicyDesk, begin
from app.services.reviewing import reviewing
from app.services.sign_in import SignIn
from app.services.simulate import Simulate
from app.views.launch import launch_options
from app.views.shell import Desks, build
from policies.document import preset
from storage.migrate import upgrade
from storage.pilot import ensure_pilot
from storage.unit_of_work import open_writer
from tests.databases import PILOT, Ids, engine_of
from tests.fakes import FakeEngine
from tests.people import Cookies
from tests.samples import MODEL, PRICES, measured
from tests.serving import people, sign_in

LIMIT_NANOS = 5_000_000_000
ANSWER = ("8", "times", "32", "is", "256", "and", "256", "plus", "45", "is", "301")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Pages:
    """Everything a page test may want to look behind."""

    demo: gr.Blocks
    desks: Desks
    ask: Ask
    dashboard: Dashboard
    engine: FakeEngine
    uow: OpenUnitOfWork


def pages(folder: Path, engine: FakeEngine | None = None, limit_nanos: int = LIMIT_NANOS) -> Pages:
    model = engine or FakeEngine(words=ANSWER, model=MODEL)
    database = engine_of(folder / "pilot.db")
    upgrade(database)
    ensure_pilot(database, PILOT, "Pilot", now())
    uow, policy = open_writer(database, PILOT), preset("full")
    with uow() as unit:
        unit.add_policy(policy.version, policy.name, policy.text, now())
        unit.add_prices(PRICES, now())
        begin_budget(unit, limit_nanos, PRICES.currency, "system", now())
        begin(unit, policy, now())
        unit.commit()
    ids = Ids()
    ask, dashboard = Ask(Admission(model, uow, policy, now, ids), uow), Dashboard(model, uow)
    budgets = Budgets(uow, uow, now, Ids("r"), UTC, model.info().model)
    simulate = Simulate(uow, UTC, MODEL.adapter_sha256, lambda r: r.max_nfe_per_token)
    drafts = Drafts(PolicyDesk(uow, uow, now), simulate, uow, now, model.info().model)
    reviews = reviewing(model, uow, uow, policy, now, ids, Limits(), 10_000_000, {})
    own = OwnAccount(sign_in(uow, now, Auth.OFF), tuple(LOCALES))
    accounts = people(uow, now, Auth.OFF)
    audit = Audit(uow, uow, now)
    desks = Desks(ask, dashboard, budgets, drafts, reviews, audit, accounts, own)
    return Pages(build(desks, model.info(), Cookies()), desks, ask, dashboard, model, uow)


def slow(seconds: float) -> Callable[[int], None]:
    """For `FakeEngine.before`: long enough to be seen."""
    return lambda _evaluation: time.sleep(seconds)


@contextmanager
def served(demo: gr.Blocks) -> Iterator[str]:
    """The address of a running server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradio.networking.url_ok", _answers)
        _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        yield address
    finally:
        demo.close(verbose=False)


def _answers(address: str) -> bool:
    """Gradio's own check gives up after three seconds, which a loaded machine may need."""
    return httpx.head(address, timeout=60).status_code < 500


def keep_measurements(made: Pages) -> None:
    with made.uow() as unit:
        for one in measured():
            unit.measurements.add(one, [])
        unit.commit()


def with_accounts(made: Pages, door: SignIn) -> Desks:
    """The desks of pages behind this door."""
    own, accounts = OwnAccount(door, tuple(LOCALES)), people(made.uow, now, door.auth)
    return replace(made.desks, own=own, people=accounts)
