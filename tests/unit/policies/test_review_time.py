"""When an answer is due, how long someone looked at it, and what that costs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.alike import letters, likeness, most_alike
from policies.review import ItemKind
from policies.review_time import cost, due_at, metered, remind_at
from policies.types import Importance, Review

NOW = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_policy_says_when_an_answer_is_due_and_else_its_importance() -> None:
    required = ItemKind.REQUIRED
    assert due_at(required, Importance.HIGH, Review(1, (), 3), NOW) == NOW + 3 * HOUR
    assert due_at(required, Importance.CRITICAL, Review(2), NOW) == NOW + 8 * HOUR
    assert due_at(ItemKind.AUDIT, Importance.ROUTINE, Review(0, (), 3), NOW) == NOW + 168 * HOUR


def test_reminder_comes_when_three_quarters_of_the_time_are_over() -> None:
    assert remind_at(NOW, NOW + 8 * HOUR) == NOW + 6 * HOUR


@given(st.integers(-10_000, 10_000))
def test_no_step_of_the_clock_meters_less_than_nothing(step: int) -> None:
    assert metered(NOW, NOW + timedelta(seconds=step)) == max(step, 0)


@given(st.integers(0, 10**6), st.integers(0, 10**12))
def test_cost_of_time_is_whole_nanos_and_never_above_the_price(seconds: int, nanos: int) -> None:
    price = cost(seconds, nanos)
    assert price * 60 <= seconds * nanos < (price + 1) * 60


@given(st.text(), st.text())
def test_likeness_is_even_from_nothing_to_the_same(one: str, two: str) -> None:
    a, b = letters(one), letters(two)
    assert 0 <= likeness(a, b) == likeness(b, a) <= 1
    assert likeness(a, a) == 1


@pytest.mark.parametrize("question", ["How many pens are left?", "在庫のペンは何本残っていますか"])
def test_the_likest_questions_come_first_and_strangers_not_at_all(question: str) -> None:
    others = [
        ("other", "Write a letter to the landlord"),
        ("close", question[:-2] + " now"),
        ("same", question.upper()),
    ]
    found = most_alike(question, others, 5)
    assert [name for _, name in found] == ["same", "close"]
    assert most_alike(question, others, 1) == found[:1]
