"""Which budgets are worth having."""

from hypothesis import given
from hypothesis import strategies as st

from evaluation.frontier import efficient

POINTS = st.lists(
    st.tuples(st.floats(0, 10, allow_nan=False), st.floats(0, 1, allow_nan=False)), max_size=12
)


def test_a_dearer_point_that_is_no_better_is_left_out() -> None:
    assert efficient([(1, 0.05), (2, 0.43), (3, 0.43), (4, 0.42)]) == [0, 1]


def test_of_equal_costs_the_better_one_stays() -> None:
    assert efficient([(1, 0.2), (1, 0.5)]) == [1]


@given(POINTS)
def test_no_point_kept_is_beaten_and_every_other_one_is(points: list[tuple[float, float]]) -> None:
    kept = efficient(points)
    for i, (cost, good) in enumerate(points):
        beaten = any(c <= cost and g >= good and (c < cost or g > good) for c, g in points)
        twin = any(points[k] == (cost, good) for k in kept)
        assert (i in kept or twin) is not beaten
