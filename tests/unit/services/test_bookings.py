"""Refunds and corrections: by whom, for whom, once, and in the audit log."""

import pytest

from app.services.bookings import Bookings
from policies.errors import Forbidden, InvalidInput, OverCeiling
from policies.roles import Role
from tests.actors import ANN, person
from tests.databases import LIMIT_NANOS
from tests.world import World

EMI = person("emi", Role.BUDGET_OWNER)


def logged(world: World) -> list[tuple[str, str, str]]:
    with world.uow() as uow:
        return [(e.event.by, e.event.action, e.event.subject) for e in uow.audit.entries()]


def test_a_refund_is_booked_once_and_logged_once(world: World) -> None:
    answer = world.receipt().row
    bookings = Bookings(world.uow, world.clock)
    given = (EMI, answer.id, answer.cost_nanos, "too late", "key-1")
    assert [bookings.refund(*given), bookings.refund(*given)] == [True, False]
    assert logged(world) == [("emi", "ledger.refund", answer.id)]
    assert sorted(world.charges()) == [-answer.cost_nanos, answer.cost_nanos]


def test_only_who_keeps_budgets_refunds_and_never_themselves(world: World) -> None:
    both = person("emi", Role.BUDGET_OWNER, Role.REQUESTER)
    own, other = world.receipt("k-1", actor=both).row, world.receipt("k-2").row
    bookings = Bookings(world.uow, world.clock)
    with pytest.raises(Forbidden):
        bookings.refund(ANN, own.id, 1, "please", "k")
    with pytest.raises(InvalidInput, match="someone else refunds"):
        bookings.refund(both, own.id, 1, "please", "k")
    with pytest.raises(InvalidInput):
        bookings.refund(both, other.id, other.cost_nanos + 1, "too much", "k")
    assert logged(world) == []


def test_a_correction_is_booked_once_and_logged_once(world: World) -> None:
    answer = world.receipt().row
    bookings = Bookings(world.uow, world.clock)
    more = (EMI, answer.id, 7, "priced too low", "key-1")
    assert [bookings.correct(*more), bookings.correct(*more)] == [True, False]
    assert logged(world) == [("emi", "ledger.correction", answer.id)]
    assert sorted(world.charges()) == [7, answer.cost_nanos]


def test_a_correction_needs_room_and_who_keeps_budgets(world: World) -> None:
    answer = world.receipt().row
    bookings = Bookings(world.uow, world.clock)
    with pytest.raises(Forbidden):
        bookings.correct(ANN, answer.id, 1, "why not", "k")
    with pytest.raises(OverCeiling):
        bookings.correct(EMI, answer.id, LIMIT_NANOS, "far too low", "k")
    with pytest.raises(InvalidInput):
        bookings.correct(EMI, answer.id, -1, "a refund by another name", "k")
    assert logged(world) == []
    assert world.charges() == [answer.cost_nanos]
