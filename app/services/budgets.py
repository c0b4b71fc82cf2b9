"""Budgets: how full every ceiling is and why, raises asked for and decided, limits set by hand.

Two people to a raise is a rule of the database; who may ask and who may decide is checked here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from app.ports import (
    Alert,
    AuditEvent,
    BudgetRaise,
    Calibration,
    Clock,
    Detail,
    NewId,
    OpenHold,
    OpenUnitOfWork,
    UnitOfWork,
)
from app.services.policy import valid_now
from policies.budget import day_of, starts
from policies.errors import InvalidInput
from policies.plain import check_plain
from policies.roles import Action, Actor, require
from policies.types import Ceiling, PriceList, Window

LATEST = 20
"""Raises and alerts."""
HOLDS = 50
MAX_DAYS = 366
REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Funds:
    """All that the page shows, read in one transaction so that its numbers agree."""

    ceilings: list[Ceiling]
    holds: list[OpenHold]
    raises: list[BudgetRaise]
    alerts: list[Alert]
    prices: list[PriceList]
    """In force or to come, of every model."""
    calibration: Calibration | None
    starts: dict[Window, str]
    """Where each window that counts now began: an account of an earlier one is empty again."""
    currency: str
    at: datetime


@dataclass(frozen=True)
class Budgets:
    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock
    new_id: NewId
    zone: tzinfo
    """Of the pilot: its days and months are counted in it."""
    model: str

    def overview(self, actor: Actor) -> Funds:
        require(actor, Action.VIEW)
        now = self.clock()
        with self.reader() as work:
            lists = work.prices()
            valid = valid_now(lists, now)
            return Funds(
                ceilings=work.ledger.ceilings_at(now),
                holds=work.ledger.open_holds(HOLDS),
                raises=work.raises.latest(LATEST),
                alerts=work.alerts.latest(LATEST),
                prices=[p for p in lists if p in valid or p.valid_from > now],
                calibration=work.history.calibration(self.model),
                starts=starts(day_of(now, self.zone)),
                currency=lists[0].currency if lists else "",
                at=now,
            )

    def ask_raise(
        self, actor: Actor, scope: str, window: Window, nanos: int, reason: str, days: int
    ) -> BudgetRaise:
        """More room for `days` from now, once someone else grants it. Raises InvalidInput."""
        require(actor, Action.ASK_RAISE)
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(
                f"a raise is for 1 to {MAX_DAYS} days, got {days}", "raise_days", limit=MAX_DAYS
            )
        if len(reason) > REASON_CHARACTERS:
            raise InvalidInput(
                f"a reason has at most {REASON_CHARACTERS} characters, got {len(reason)}",
                "raise_reason_long",
                limit=REASON_CHARACTERS,
            )
        check_plain(reason)
        now = self.clock()
        wanted = BudgetRaise(
            id=self.new_id()[:12],
            scope=scope,
            window=window,
            nanos=nanos,
            reason=reason.strip(),
            asked_by=actor.user,
            asked_at=now,
            expires_at=now + timedelta(days=days),
        )
        with self.uow() as work:
            work.raises.ask(wanted)
            work.audit.append(_event(wanted, "raise.ask", actor, now))
            work.commit()
        return wanted

    def decide_raise(self, actor: Actor, raise_id: str, granted: bool) -> BudgetRaise:
        """Once, by someone other than the one who asked. Raises InvalidInput, NotFound."""
        require(actor, Action.DECIDE_RAISE)
        now = self.clock()
        with self.uow() as work:
            decided = work.raises.decide(raise_id, granted, actor.user, now)
            done = "raise.grant" if granted else "raise.decline"
            work.audit.append(_event(decided, done, actor, now))
            work.commit()
        return decided

    def set_limit(self, actor: Actor, scope: str, nanos: int, currency: str) -> None:
        """Over the whole pilot; never below what is spent and held."""
        require(actor, Action.SET_LIMIT)
        with self.uow() as work:
            _set_limit(work, scope, nanos, currency, actor.user, self.clock())
            work.commit()


def begin_budget(uow: UnitOfWork, nanos: int, currency: str, by: str, now: datetime) -> None:
    """The limit of the settings over the whole pilot, where none is: without one nothing runs."""
    if not any(ceiling.scope == "pilot" for ceiling in uow.ledger.ceilings()):
        _set_limit(uow, "pilot", nanos, currency, by, now)


def _set_limit(
    uow: UnitOfWork, scope: str, nanos: int, currency: str, by: str, now: datetime
) -> None:
    uow.ledger.set_limit(scope, nanos, currency)
    details: dict[str, Detail] = {"limit_nanos": nanos, "currency": currency}
    uow.audit.append(AuditEvent(by, "budget.limit", scope, details, now))


def _event(of: BudgetRaise, action: str, actor: Actor, at: datetime) -> AuditEvent:
    details = {"scope": of.scope, "window": of.window.value, "nanos": of.nanos}
    return AuditEvent(actor.user, action, of.id, details, at)
