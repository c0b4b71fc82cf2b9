"""The composition root: the only place that knows every part and puts them together."""

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import recorded
from app.ports import Clock, Engine, NewId, OpenUnitOfWork
from app.services.ask import Ask, Limits
from app.services.dashboard import Dashboard
from app.services.measure import Measure
from app.settings import Settings
from policies import document, prices
from policies.document import Policy
from policies.errors import Unavailable
from storage.engine import make_engine
from storage.migrate import upgrade
from storage.pilot import ensure_pilot
from storage.unit_of_work import sqlite_reader, sqlite_unit_of_work


@dataclass(frozen=True, slots=True)
class Pilot:
    """Everything a command or a page may use."""

    settings: Settings
    engine: Engine
    uow: OpenUnitOfWork
    policy: Policy
    ask: Ask
    dashboard: Dashboard
    measure: Measure


def build(
    settings: Settings,
    engine: Engine,
    clock: Clock = lambda: datetime.now(UTC),
    new_id: NewId = lambda: uuid.uuid4().hex,
) -> Pilot:
    """Open the pilot: migrate, create what is missing, settle what a dead process left behind.

    Raises PilotError subclasses that say what to do.
    """
    policy = load_policy(settings.policy)
    uow, reader = open_storage(settings, policy, clock)
    recorded.seed(uow, settings.adapter / recorded.FILE, engine.info().adapter_sha256)
    limits = Limits(lease=timedelta(seconds=settings.lease_seconds))
    ask = Ask(engine, uow, reader, policy, clock, new_id, limits)
    ask.recover()
    return Pilot(
        settings,
        engine,
        uow,
        policy,
        ask,
        Dashboard(engine, reader),
        Measure(engine, uow, policy, clock),
    )


def open_storage(
    settings: Settings, policy: Policy, clock: Clock
) -> tuple[OpenUnitOfWork, OpenUnitOfWork]:
    """Transactions that write and such that read, on a migrated database with this pilot."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise Unavailable(f"the data folder {settings.data_dir} cannot be made: {err}") from err
    database = make_engine(settings.database_url)
    upgrade(database)
    lists, now = prices.load(settings.prices), clock()
    currency = lists[0].currency
    ensure_pilot(
        database, settings.pilot, settings.pilot, settings.pilot_limit_nanos, currency, now
    )
    uow = sqlite_unit_of_work(database, settings.pilot)
    with uow() as work:
        work.add_policy(policy.version, policy.name, policy.text, now)
        for price_list in lists:
            work.add_prices(price_list, now)
        work.commit()
    return uow, sqlite_reader(database, settings.pilot)


def load_policy(name: str) -> Policy:
    """A preset by name, or a file."""
    is_preset = (document.PRESETS / f"{name}.yaml").exists()
    return document.preset(name) if is_preset else document.load(Path(name))


def recover_forever(ask: Ask, stop: threading.Event) -> threading.Thread:
    """Settles abandoned holds as their leases run out, until `stop` is set."""

    def work() -> None:
        while not stop.wait(ask.limits.lease.total_seconds() / 2):
            try:
                ask.recover()
            except Unavailable:
                continue  # a busy database now is no reason not to try again later

    thread = threading.Thread(target=work, name="recover", daemon=True)
    thread.start()
    return thread
