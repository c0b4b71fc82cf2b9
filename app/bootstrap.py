"""The composition root: the only place that knows every part and puts them together."""

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import notify, recorded
from app.ports import Clock, Engine, NewId, OpenUnitOfWork
from app.services.alerts import Send, SendAlerts
from app.services.ask import Ask, Limits
from app.services.dashboard import Dashboard
from app.services.measure import Measure
from app.services.policy import begin, in_force
from app.services.prices import keep_prices
from app.settings import Settings
from policies import document, prices
from policies.document import Policy
from policies.errors import Unavailable
from storage.engine import make_engine
from storage.migrate import upgrade
from storage.pilot import ensure_pilot
from storage.unit_of_work import open_reader, open_writer


@dataclass(frozen=True, slots=True)
class Pilot:
    """Everything a command or a page may use."""

    settings: Settings
    engine: Engine
    uow: OpenUnitOfWork
    policy: Policy
    ask: Ask
    alerts: SendAlerts
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
    with reader() as work:
        policy = in_force(work, policy)
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
        SendAlerts(uow, clock, alert_senders(settings)),
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
    lists, now = prices.load(settings.prices, settings.zone), clock()
    currency = lists[0].currency
    ensure_pilot(
        database,
        settings.pilot,
        settings.pilot,
        settings.pilot_limit_nanos,
        currency,
        now,
        settings.time_zone,
    )
    uow = open_writer(database, settings.pilot)
    with uow() as work:
        work.add_policy(policy.version, policy.name, policy.text, now)
        keep_prices(work, lists, now)
        begin(work, policy, now)
        work.commit()
    return uow, open_reader(database, settings.pilot)


def alert_senders(settings: Settings) -> list[Send]:
    """Where budget alerts go; the page shows them anyway."""
    senders: list[Send] = [notify.to_log]
    if settings.alert_webhook:
        senders.append(notify.to_webhook(settings.alert_webhook))
    if settings.alert_mail_to:
        mail = settings.alert_mail_from, settings.alert_mail_to
        senders.append(notify.to_mail(settings.smtp_host, settings.smtp_port, *mail))
    return senders


def load_policy(name: str) -> Policy:
    """A preset by name, or a file."""
    is_preset = (document.PRESETS / f"{name}.yaml").exists()
    return document.preset(name) if is_preset else document.load(Path(name))


def recover_forever(pilot: Pilot, stop: threading.Event) -> threading.Thread:
    """Settles abandoned holds as their leases run out and sends alerts, until `stop` is set."""

    def work() -> None:
        while not stop.wait(pilot.ask.limits.lease.total_seconds() / 2):
            try:
                pilot.ask.recover()
                pilot.alerts()
            except Unavailable:
                continue  # a busy database now is no reason not to try again later

    thread = threading.Thread(target=work, name="recover", daemon=True)
    thread.start()
    return thread
