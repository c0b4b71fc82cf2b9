"""Death at any statement of anything that moves money changes nothing; done again, it is done once.

An answer as a whole, with the model between its transactions, dies in
tests/unit/services/test_ask_crashes.py; processes die by SIGKILL in test_ledger_races.py.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
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
    Reservation,
    UnitOfWork,
)
from policies.errors import PilotError
from policies.types import Hold, Limit, Units, Window
from tests.databases import POLICY, START, broken_invariants, new_answer, set_limit
from tests.deaths import contents, dies, transact

QUOTE = 2410
LEASE = timedelta(seconds=30)
LATE = START + timedelta(hours=1)
DONE = Units(0, 200, 0)
NANOS = 2000
TIGHT = 3600
"""A limit of which one charge is more than half: it comes with an alert."""
LIMITS = tuple(
    Limit(scope, window, 4 * QUOTE, "JPY")
    for scope in ("pilot", "team:sales", "user:ann")
    for window in (Window.DAY, Window.MONTH)
)
ONE_LIMIT = (Limit("pilot", Window.DAY, 4 * QUOTE, "JPY"),)


def hold(name: str) -> Hold:
    return Hold(name, name, QUOTE, START + LEASE)


def admit(unit: UnitOfWork, *names: str, limits: tuple[Limit, ...] = LIMITS) -> None:
    for name in names:
        unit.answers.add(new_answer(name), AnswerStatus.RUNNING)
    wanted = [Reservation(name, QUOTE, limits) for name in names]
    unit.ledger.reserve_all(wanted, START + LEASE, START)


def admit_one(unit: UnitOfWork) -> None:
    admit(unit, "a-1")


def beat(unit: UnitOfWork) -> None:
    unit.ledger.heartbeat(hold("a-1"), DONE, START + 2 * LEASE)


def settle(unit: UnitOfWork) -> None:
    end = Finished(AnswerStatus.RELEASED, "text", DONE, 3, 0, 0.0, START)
    unit.ledger.settle(hold("a-1"), end, NANOS)


def admit_and_settle(unit: UnitOfWork) -> None:
    admit_one(unit)
    settle(unit)


def two_of_three_recorded(unit: UnitOfWork) -> None:
    admit(unit, "a-1", "a-2", "a-3")
    for name in ("a-1", "a-2"):
        unit.ledger.heartbeat(hold(name), DONE, START + LEASE)


def book(kind: BookingKind, nanos: int) -> Callable[[UnitOfWork], None]:
    def change(unit: UnitOfWork) -> None:
        unit.ledger.book(Booking("a-1", kind, nanos, "bob", "why", f"key {kind}", START))

    return change


def ask_for_more(unit: UnitOfWork) -> None:
    wanted = BudgetRaise("r-1", "team:sales", Window.DAY, 5, "more", "ann", START, LATE)
    unit.raises.ask(wanted)


def decide(granted: bool) -> Callable[[UnitOfWork], None]:
    def change(unit: UnitOfWork) -> None:
        unit.raises.decide("r-1", granted, "owner", START)

    return change


def take_alerts(unit: UnitOfWork) -> None:
    for alert in unit.alerts.take(START):
        unit.alerts.told(alert, ["log"])


def change_policy(unit: UnitOfWork) -> None:
    version = POLICY.version
    unit.policies.propose(PolicyVersion(version, "p", POLICY.text, POLICY.text, "", "ann", START))
    unit.policies.approve(version, "owner", START)
    unit.policies.activate(Activation(version, "owner", START, ""))


@dataclass(frozen=True)
class Case:
    """Something done in one transaction, to what was there before."""

    before: tuple[Callable[[UnitOfWork], None], ...]
    change: Callable[[UnitOfWork], object]
    once: bool = True
    """Done a second time it changes nothing, or is refused."""


CASES = {
    "submit": Case((), admit_one),
    "submit of a batch": Case((), lambda unit: admit(unit, "a-1", "a-2")),
    "submit under another policy": Case(
        (admit_one,), lambda unit: admit(unit, "a-2", limits=ONE_LIMIT)
    ),
    "heartbeat": Case((admit_one,), beat),
    "settle": Case((admit_one, beat), settle),
    "release": Case(
        (admit_one,), lambda unit: unit.ledger.release(hold("a-1"), AnswerStatus.FAILED, START)
    ),
    "expire": Case((two_of_three_recorded,), lambda unit: unit.ledger.expire(LATE)),
    "refund": Case((admit_and_settle,), book(BookingKind.REFUND, -10)),
    "correction": Case((admit_and_settle,), book(BookingKind.CORRECTION, 1000)),
    "review": Case((admit_and_settle,), book(BookingKind.REVIEW, 7)),
    "raise asked": Case((admit_one,), ask_for_more, once=False),
    "raise granted": Case((admit_one, ask_for_more), decide(granted=True)),
    "raise declined": Case((admit_one, ask_for_more), decide(granted=False)),
    "submit on a raise": Case((ask_for_more, decide(granted=True)), admit_one),
    "limit": Case((admit_one,), lambda unit: unit.ledger.set_limit("team:sales", 9999, "JPY")),
    "alerts": Case((admit_and_settle,), take_alerts),
    "policy": Case((), change_policy),
    "rebuild": Case((admit_and_settle,), lambda unit: unit.ledger.rebuild()),
}


@pytest.mark.parametrize("name", CASES)
def test_death_at_any_statement_changes_nothing_and_the_next_try_is_whole(
    url: str, engine: Engine, uow: OpenUnitOfWork, name: str
) -> None:
    case = CASES[name]
    set_limit(uow, TIGHT if name in ("settle", "correction", "alerts") else 100 * QUOTE)
    for step in case.before:
        transact(uow, step)
    before = contents(engine)
    deaths = 0
    for statement in count(1):
        if not dies(url, case.change, statement):
            break
        deaths += 1
        assert contents(engine) == before
        assert broken_invariants(uow) == []
    after = contents(engine)
    assert deaths >= 2  # a statement and the commit
    assert (after == before) is (name == "rebuild")
    assert broken_invariants(uow) == []
    if case.once:
        with suppress(PilotError):
            transact(uow, case.change)
        assert contents(engine) == after


def test_death_amid_an_expiry_leaves_the_work_recorded_to_the_next(
    url: str, uow: OpenUnitOfWork
) -> None:
    """What it comes to once another has recovered: that, and nothing else."""
    transact(uow, two_of_three_recorded)
    assert dies(url, lambda unit: unit.ledger.expire(LATE), 12)
    transact(uow, lambda unit: unit.ledger.expire(LATE))
    with uow() as unit:
        charged = {point.answer_id: point.cost_nanos for point in unit.spend(10)}
        assert all(ceiling.held_nanos == 0 for ceiling in unit.ledger.ceilings())
    assert charged == {"a-1": NANOS, "a-2": NANOS, "a-3": 0}
    assert broken_invariants(uow) == []
