"""Refunds and corrections, rollups: what is written beside a charge; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from app.ports import AnswerStatus, Booking, BookingKind, Finished, OpenUnitOfWork
from policies.errors import InvalidInput, KeyReused, NotFound, OverCeiling
from policies.types import Importance, Units
from tests.databases import (
    LIMIT_NANOS,
    START,
    broken_invariants,
    new_answer,
    set_limit,
    wait_for_review,
)

LEASE = timedelta(seconds=30)
DAY = timedelta(days=1)
REFUND = Booking("a-1", BookingKind.REFUND, -40, "bob", "answered twice", "k-1", START + DAY)
CORRECTION = Booking("a-1", BookingKind.CORRECTION, 15, "bob", "a token missed", "k-2", START + DAY)


def answered(
    uow: OpenUnitOfWork,
    name: str = "a-1",
    tokens: int = 10,
    after: timedelta = timedelta(0),
    importance: Importance = Importance.STANDARD,
) -> None:
    """Ten nanos a token."""
    now = START + after
    new = new_answer(name, importance)
    waits = new.decision.review.approvals > 0
    status = AnswerStatus.PENDING_REVIEW if waits else AnswerStatus.RELEASED
    end = Finished(status, "text", Units(0, tokens, 0), 3, 0, 0.0, now)
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(name, new.decision.quote.nanos, now + LEASE, now)
        unit.ledger.settle(hold, end, tokens * 10)
        if waits:
            wait_for_review(unit, name, importance, now)
        unit.commit()


def book(uow: OpenUnitOfWork, booking: Booking) -> bool:
    with uow() as unit:
        booked = unit.ledger.book(booking)
        unit.commit()
    return booked


def cost(uow: OpenUnitOfWork) -> int:
    with uow() as unit:
        return unit.answers.get("a-1").cost_nanos


def test_refund_and_correction_are_lines_of_their_own(uow: OpenUnitOfWork) -> None:
    answered(uow)
    assert book(uow, REFUND)
    assert cost(uow) == 60
    assert book(uow, CORRECTION)
    assert cost(uow) == 75
    with uow() as unit:
        assert [point.cost_nanos for point in unit.spend(10)] == [100, -40, 15]
        charged, booked = unit.ledger.rollups("2025-11-03", "2025-11-04")
    assert (charged.charged_nanos, charged.refunded_nanos, charged.answers) == (100, 0, 1)
    assert (booked.charged_nanos, booked.refunded_nanos, booked.answers) == (15, 40, 0)
    assert broken_invariants(uow) == []


def test_refund_reopens_no_ceiling_and_correction_must_fit(uow: OpenUnitOfWork) -> None:
    answered(uow)
    book(uow, REFUND)
    with uow() as unit:
        (ceiling,) = unit.ledger.ceilings()
    assert ceiling.committed_nanos == 100
    set_limit(uow, 114)
    with pytest.raises(OverCeiling) as refusal:
        book(uow, CORRECTION)
    said = {"scope": "pilot", "window": "whole", "limit_nanos": 114, "committed_nanos": 100}
    assert said.items() <= refusal.value.values.items()
    assert refusal.value.values["quote_nanos"] == 15
    assert cost(uow) == 60
    set_limit(uow, 115)
    assert book(uow, CORRECTION)
    assert broken_invariants(uow) == []


def test_same_key_books_once_and_another_body_is_refused(uow: OpenUnitOfWork) -> None:
    answered(uow)
    assert [book(uow, REFUND), book(uow, REFUND)] == [True, False]
    for change in ({"nanos": -41}, {"reason": "other"}, {"by": "eve"}):
        with pytest.raises(KeyReused):
            book(uow, replace(REFUND, **change))
    assert cost(uow) == 60


@pytest.mark.parametrize(
    "bad",
    [
        replace(REFUND, nanos=-101),
        replace(REFUND, nanos=0),
        replace(REFUND, nanos=40),
        replace(CORRECTION, nanos=-1),
        replace(REFUND, reason=""),
        replace(REFUND, answer_id="running"),
    ],
    ids=["more than its cost", "nothing", "positive", "negative", "no reason", "still running"],
)
def test_booking_that_cannot_be_is_refused(uow: OpenUnitOfWork, bad: Booking) -> None:
    answered(uow)
    with uow() as unit:
        unit.answers.add(new_answer("running"), AnswerStatus.RUNNING)
        unit.ledger.reserve("running", 2410, START + LEASE, START)
        unit.commit()
    with pytest.raises(InvalidInput):
        book(uow, bad)
    assert cost(uow) == 100
    assert broken_invariants(uow) == []


def test_booking_on_an_unknown_answer_is_not_found(uow: OpenUnitOfWork) -> None:
    with pytest.raises(NotFound):
        book(uow, REFUND)


# --- rollups --------------------------------------------------------------------------------------


def test_rollups_are_rebuilt_from_the_entries_to_the_same_bytes(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    for number, importance in enumerate(Importance):
        answered(uow, f"a-{number}", 5 + number, number * DAY, importance)
    book(uow, REFUND)
    with uow() as unit:
        before = unit.ledger.rollups("2025-11-01", "2025-11-30")
        assert unit.ledger.rebuild()
        assert unit.ledger.rollups("2025-11-01", "2025-11-30") == before
        unit.commit()
    with engine.begin() as connection:
        connection.execute(text("UPDATE spend_days SET nfe = 9 WHERE day = '2025-11-04'"))
    assert len(broken_invariants(uow)) == 1
    with uow() as unit:
        assert not unit.ledger.rebuild()  # it says that they differed
        unit.commit()
    with uow() as unit:
        assert unit.ledger.rollups("2025-11-01", "2025-11-30") == before
    assert broken_invariants(uow) == []


def test_days_add_up_to_the_whole_and_children_to_their_parents(uow: OpenUnitOfWork) -> None:
    for number in range(6):
        importance = list(Importance)[number % 4]
        answered(uow, f"a-{number}", number, number * timedelta(hours=9), importance)
    with uow() as unit:
        days = unit.ledger.rollups("2025-11-01", "2025-11-30")
        (pilot,) = unit.ledger.ceilings()
    assert sum(day.charged_nanos for day in days) == pilot.committed_nanos == 150
    assert len({day.day for day in days}) == 3
    assert pilot.limit_nanos == LIMIT_NANOS
