"""Intervals: closed forms, limits, and that they hold the truth as often as they say."""

from math import comb, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.stats import Z_95, Difference, paired, wilson

pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def counted(both: int, gained: int, lost: int, neither: int) -> Difference:
    """Of a table of two answers to each question."""
    answers = [(True, True)] * both + [(False, True)] * gained
    answers += [(True, False)] * lost + [(False, False)] * neither
    return paired([a for a, _ in answers], [b for _, b in answers])


def test_wilson_of_a_half_of_a_hundred_is_what_the_tables_say() -> None:
    rate = wilson(50, 100)
    assert (rate.low, rate.high) == pytest.approx((0.4038, 0.5962), abs=5e-5)
    assert wilson(0, 10).low == 0.0
    assert wilson(0, 10).high == pytest.approx(Z_95**2 / (10 + Z_95**2))


def test_paired_interval_is_walds_of_the_table_with_one_more_change_each_way() -> None:
    found = counted(both=20, gained=12, lost=3, neither=13)
    up, down, n = 13 / 50, 4 / 50, 48
    half = 1.959963984540054 * sqrt((up + down - (up - down) ** 2) / 50)
    assert found.value == 9 / n
    assert (found.low, found.high) == pytest.approx((up - down - half, up - down + half))
    assert (found.low, found.high) == pytest.approx((0.026270, 0.333730), abs=1e-6)
    assert (found.n, found.gained, found.lost, found.shown) == (n, 12, 3, True)


def test_where_nothing_changed_the_interval_still_has_a_width_around_zero() -> None:
    found = counted(both=30, gained=0, lost=0, neither=70)
    half = Z_95 * sqrt(2 / 102 / 102)
    assert found.value == 0.0
    assert (found.low, found.high) == pytest.approx((-half, half))
    assert not found.shown
    assert found.p_value == 1.0


@pytest.mark.parametrize(
    ("gained", "lost", "wanted"),
    [(8, 2, 2 * (1 + 10 + 45) / 1024), (2, 8, 0.109375), (5, 0, 2 / 32), (1, 1, 1.0), (0, 0, 1.0)],
)
def test_p_value_is_the_exact_binomial_of_the_changes(
    gained: int, lost: int, wanted: float
) -> None:
    assert counted(7, gained, lost, 7).p_value == wanted


def test_pairing_sees_what_two_separate_intervals_do_not() -> None:
    """30 gained and 10 lost of 408: Wilson's intervals of the two rates overlap by far."""
    found = counted(both=130, gained=30, lost=10, neither=238)
    before, after = wilson(140, 408), wilson(160, 408)
    assert after.low < before.high
    assert found.shown


@given(pairs)
def test_swapping_the_two_turns_the_sign_and_nothing_else(both: list[tuple[bool, bool]]) -> None:
    a, b = [x for x, _ in both], [y for _, y in both]
    one, other = paired(a, b), paired(b, a)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert (one.gained, one.lost, one.p_value) == (other.lost, other.gained, other.p_value)
    assert -1 <= one.low < one.high <= 1


@given(pairs, st.randoms())
def test_order_of_the_questions_does_not_matter(
    both: list[tuple[bool, bool]], random: Random
) -> None:
    shuffled = random.sample(both, len(both))
    assert paired(*zip(*both, strict=True)) == paired(*zip(*shuffled, strict=True))


@pytest.mark.parametrize("n", [12, 60, 408])
@pytest.mark.parametrize(("up", "down"), [(0.1, 0.1), (0.2, 0.05), (0.03, 0.0), (0.6, 0.1)])
def test_interval_holds_the_true_difference_95_times_in_a_hundred(
    n: int, up: float, down: float
) -> None:
    """Summed over all tables with a chance that matters, so the figure is exact, not drawn."""
    held = whole = 0.0
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            ways = comb(n, gained) * comb(n - gained, lost)
            chance = ways * up**gained * down**lost * (1 - up - down) ** (n - gained - lost)
            if chance > 1e-7:
                found = counted(0, gained, lost, n - gained - lost)
                whole += chance
                held += chance * (found.low <= up - down <= found.high)
    assert whole == pytest.approx(1.0, abs=1e-2)
    assert held / whole > 0.94


@pytest.mark.parametrize("sizes", [(0, 0), (3, 2)])
def test_pairs_of_unlike_length_or_none_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"got {sizes[0]} and {sizes[1]}"):
        paired([True] * sizes[0], [True] * sizes[1])


@pytest.mark.parametrize("counts", [(0, 0), (-1, 5), (6, 5)])
def test_a_rate_of_no_trials_or_more_successes_than_trials_is_refused(
    counts: tuple[int, int],
) -> None:
    with pytest.raises(ValueError, match="successes must be from 0 to n"):
        wilson(*counts)
