"""The composition root: the only place that knows every part and puts them together."""

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import notify, recorded
from app.i18n import LOCALES
from app.ports import Clock, Engine, NewId, OpenUnitOfWork
from app.services.accounts import SYSTEM, Auth, People
from app.services.admission import Admission
from app.services.alerts import SendAlerts
from app.services.ask import Ask, Limits
from app.services.audit import Audit
from app.services.budgets import Budgets, begin_budget
from app.services.dashboard import Dashboard, Site
from app.services.drafts import Drafts
from app.services.measure import Measure
from app.services.own_account import OwnAccount
from app.services.passwords import Passwords
from app.services.policy import PolicyDesk, begin, in_force
from app.services.prices import keep_prices
from app.services.reviewing import Reviewing, reviewing
from app.services.sign_in import Lengths, SignIn
from app.services.simulate import Simulate
from app.settings import Settings
from policies import document, prices
from policies.document import Policy
from policies.errors import Unavailable
from policies.types import Domain, Plan, Rung
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
    reviewing: Reviewing
    budgets: Budgets
    drafts: Drafts
    people: People
    sign_in: SignIn
    audit: Audit

    @property
    def own(self) -> OwnAccount:
        return OwnAccount(self.sign_in, tuple(LOCALES))


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
    shipped, adapter = settings.adapter / recorded.FILE, engine.info().adapter_sha256
    recorded.seed(uow, shipped, adapter, SYSTEM, clock())
    limits = Limits.leased(timedelta(seconds=settings.lease_seconds))
    ask = Ask(Admission(engine, uow, policy, clock, new_id, limits), reader)
    ask.recover()
    senders = alert_senders(settings)
    return Pilot(
        settings,
        engine,
        uow,
        policy,
        ask,
        SendAlerts(uow, clock, senders),
        Dashboard(
            engine,
            reader,
            clock,
            Site(settings.zone, settings.pilot_end, settings.carbon_g_per_kwh),
        ),
        Measure(engine, uow, policy, clock),
        reviewing(
            engine,
            uow,
            reader,
            policy,
            clock,
            new_id,
            limits,
            settings.review_minute_nanos,
            senders,
            settings.review_idle,
        ),
        Budgets(uow, reader, clock, new_id, settings.zone, engine.info().model),
        drafts(settings, engine, uow, reader, clock),
        people(settings, uow, reader, clock),
        sign_in(settings, uow, reader, clock),
        Audit(uow, reader, clock),
    )


def drafts(
    settings: Settings, engine: Engine, uow: OpenUnitOfWork, reader: OpenUnitOfWork, clock: Clock
) -> Drafts:
    """What a policy costs before it is one, with this engine's own grids."""
    info = engine.info()

    def nfe_per_token(rung: Rung) -> int:
        return engine.nfe_per_token(Plan(Domain.GENERAL, rung))

    simulate = Simulate(reader, settings.zone, info.adapter_sha256, nfe_per_token)
    return Drafts(PolicyDesk(uow, reader, clock), simulate, reader, clock, info.model)


def people(settings: Settings, uow: OpenUnitOfWork, reader: OpenUnitOfWork, clock: Clock) -> People:
    return People(uow, reader, clock, Auth(settings.auth))


def sign_in(
    settings: Settings, uow: OpenUnitOfWork, reader: OpenUnitOfWork, clock: Clock
) -> SignIn:
    lengths = Lengths(settings.session_idle, settings.session_length)
    return SignIn(uow, reader, clock, Auth(settings.auth), Passwords(), lengths)


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
    ensure_pilot(database, settings.pilot, settings.pilot, now, settings.time_zone)
    uow = open_writer(database, settings.pilot)
    with uow() as work:
        work.add_policy(policy.version, policy.name, policy.text, now)
        begin_budget(work, settings.pilot_limit_nanos, currency, SYSTEM, now)
        keep_prices(work, lists, SYSTEM, now)
        begin(work, policy, now)
        work.commit()
    return uow, open_reader(database, settings.pilot)


def alert_senders(settings: Settings) -> dict[str, notify.Send]:
    """How each channel that a policy can name is reached; the page reads alerts itself."""
    webhook = notify.nowhere("webhook", "L2D_ALERT_WEBHOOK")
    if settings.alert_webhook:
        webhook = notify.to_webhook(settings.alert_webhook)
    email = notify.nowhere("email", "L2D_ALERT_MAIL_TO")
    if settings.alert_mail_to:
        relay = notify.Relay(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password,
        )
        email = notify.to_mail(relay, settings.alert_mail_from, settings.alert_mail_to)
    return {"log": notify.to_log, "webhook": webhook, "email": email}


def load_policy(name: str) -> Policy:
    """A preset by name, or a file."""
    is_preset = (document.PRESETS / f"{name}.yaml").exists()
    return document.preset(name) if is_preset else document.load(Path(name))


def recover_forever(pilot: Pilot, stop: threading.Event) -> threading.Thread:
    """Settles abandoned holds as their leases run out and sends alerts, until `stop` is set."""

    def work() -> None:
        while not stop.wait(pilot.ask.admission.limits.lease.total_seconds() / 2):
            try:
                pilot.ask.recover()
                pilot.alerts()
                pilot.reviewing.sweep()
            except Unavailable:
                continue  # a busy database now is no reason not to try again later

    thread = threading.Thread(target=work, name="recover", daemon=True)
    thread.start()
    return thread
