"""What comes on top if it goes on like this."""

import random

import pytest

from evaluation.forecast import days_until, forecast


def test_even_days_lead_straight_on() -> None:
    found = forecast([100] * 10, 20)
    assert found is not None
    assert (found.nanos, found.low_nanos, found.high_nanos) == (2000, 2000, 2000)
    assert (found.daily_nanos, found.ahead, found.n) == (100, 20, 10)


@pytest.mark.parametrize("days", [[], [5] * 4])
def test_too_few_days_foretell_nothing(days: list[int]) -> None:
    assert forecast(days, 30) is None


def test_nothing_is_foretold_below_nothing() -> None:
    found = forecast([0, 0, 0, 0, 1000], 10)
    assert found is not None
    assert found.low_nanos == 0


def test_the_interval_holds_what_comes_about_as_often_as_it_says() -> None:
    rng, held, tries = random.Random(5), 0, 400
    for _ in range(tries):
        past, future = ([rng.randint(0, 1000) for _ in range(28)] for _ in range(2))
        found = forecast(past, len(future))
        assert found is not None
        held += found.low_nanos <= sum(future) <= found.high_nanos
    assert 0.90 <= held / tries <= 0.99


def test_days_until_a_limit_are_whole_and_never_without_spend() -> None:
    assert days_until(950, 100) == 9
    assert days_until(950, 0) is None
