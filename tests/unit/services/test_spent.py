"""What is typed to have a curve again: its budgets or its rungs, and how they are spent."""

from app.services.spent import command
from policies.types import Importance
from tests.samples import measurement

EVALUATE = "python app.py evaluate --suite pilot "


def test_budgets_are_measured_again_in_their_order_with_the_flags_of_their_curve() -> None:
    flags = " --gate 0.9 --checked"
    curve = [measurement(b, 0.5, suite=f"pilot{flags}") for b in (7, 0)]
    assert command(curve) == f"{EVALUATE}--budgets 0,7{flags} --seed 7"


def test_rungs_of_the_policy_are_measured_again_by_their_names() -> None:
    """They bring how they are spent."""
    rungs = [
        measurement(b, 0.5, importance=i, suite="pilot --gate 0.9")
        for b, i in ((7, Importance.HIGH), (0, Importance.ROUTINE))
    ]
    assert command(rungs) == f"{EVALUATE}--importance routine,high --seed 7"


def test_a_curve_that_is_not_of_rungs_alone_is_measured_again_by_its_budgets() -> None:
    curve = [measurement(3, 0.5), measurement(7, 0.6, importance=Importance.HIGH)]
    assert command(curve) == f"{EVALUATE}--budgets 3,7 --seed 7"
