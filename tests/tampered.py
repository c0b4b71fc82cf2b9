"""A small pilot in which every table of the ledger has rows, in every state that they come to."""

from datetime import timedelta

from sqlalchemy import Engine

from app.ports import (
    Activation,
    AnswerStatus,
    Booking,
    BookingKind,
    BudgetRaise,
    Finished,
    OpenUnitOfWork,
    PolicyVersion,
)
from policies.document import preset
from policies.pricing import price
from policies.review import VerdictKind
from policies.types import Importance, Limit, PriceList, Units, Window
from storage.unit_of_work import open_writer
from tests.databases import PILOT, PRICES, START, new_answer, set_limit
from tests.reviews import BOB, CRITICAL, EVE, HIGH, LEASE, ReviewWorld

DONE = Units(5, 7, 21)
LIMITS = tuple(
    Limit(scope, window, 10**9, PRICES.currency)
    for scope in ("pilot", "team:sales", "user:ann")
    for window in (Window.DAY, Window.WHOLE)
)


def everything(engine: Engine) -> None:
    world = ReviewWorld(open_writer(engine, PILOT))
    set_limit(world.uow, 10**10)
    _rules(world.uow)
    _reviews(world)
    _money(world.uow)  # last: the policy in force above names no ceilings, and forgets these


def _money(uow: OpenUnitOfWork) -> None:
    """Settled, expired, cancelled, running and refused; a refund, a correction; raises."""
    with uow() as unit:
        for name in ("settled", "expired", "cancelled", "running"):
            new = new_answer(name, Importance.ROUTINE if name == "expired" else Importance.STANDARD)
            unit.answers.add(new, AnswerStatus.RUNNING)
            lease = START + (timedelta(0) if name == "expired" else timedelta(days=1))
            hold = unit.ledger.reserve(name, new.decision.quote.nanos, lease, START, LIMITS)
            if name in ("expired", "running"):
                unit.ledger.heartbeat(hold, Units(5, 3, 0), lease)
            if name == "settled":
                end = Finished(AnswerStatus.RELEASED, "42", DONE, 3, 1, 0.5, START)
                unit.ledger.settle(hold, end, price(DONE, PRICES))
            if name == "cancelled":
                unit.ledger.release(hold, AnswerStatus.CANCELLED, START)
        unit.ledger.expire(START)
        unit.answers.add(new_answer("refused"), AnswerStatus.REFUSED)
        for kind, nanos in ((BookingKind.REFUND, -30), (BookingKind.CORRECTION, 20)):
            key = f"key-{kind.value}"
            unit.ledger.book(Booking("settled", kind, nanos, "bob", "late", key, START))
        for name in ("granted", "declined", "asked"):
            until = START + timedelta(days=3)
            unit.raises.ask(
                BudgetRaise(name, "team:sales", Window.DAY, 500, "Closing", "ann", START, until)
            )
            if name != "asked":
                unit.raises.decide(name, name == "granted", "bob", START)
        unit.commit()


def _rules(uow: OpenUnitOfWork) -> None:
    """Prices that nobody was charged by yet; a policy that is in force, and a draft."""
    later = PriceList(
        "prices-2", PRICES.currency, PRICES.model, 3, 11, 6, START + timedelta(days=9)
    )
    with uow() as unit:
        unit.add_prices(later, START)
        for name in ("full", "pilot"):
            policy = preset(name)
            text = policy.text
            unit.policies.propose(
                PolicyVersion(policy.version, name, text, text, "a note", "finn", START)
            )
            if name == "full":
                unit.policies.approve(policy.version, "gen", START)
                unit.policies.activate(Activation(policy.version, "gen", START, "first"))
                unit.policies.activate(Activation(policy.version, "finn", START, "again"))
        unit.commit()


def _reviews(world: ReviewWorld) -> None:
    """Waiting, approved, corrected by two, and rejected; with the minutes booked."""
    ids = [world.asked(HIGH, key) for key in "abc"]
    critical = world.asked(CRITICAL, "two")
    for answer_id, kind in ((ids[1], VerdictKind.APPROVE), (ids[2], VerdictKind.REJECT)):
        world.desk.claim(BOB, answer_id)
        world.later(60)
        world.desk.decide(BOB, answer_id, kind, reason="so it is")
    for reviewer in (BOB, EVE):
        world.desk.claim(reviewer, critical)
        world.later(LEASE.total_seconds() / 2)
        world.desk.decide(reviewer, critical, VerdictKind.CORRECT, "forty three", "wrong")
