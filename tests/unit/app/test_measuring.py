"""What `evaluate` measures: flags become rungs, and a stored name says how to measure it again."""

from argparse import Namespace
from typing import cast

import pytest

from app import cli
from app.bootstrap import Pilot
from app.commands.measuring import _budgets, _flags
from app.services.measure import budget_of
from policies.document import preset
from policies.errors import InvalidInput
from policies.types import Rung, Solver


def typed(*flags: str) -> Namespace:
    return cli._parser().parse_args(["evaluate", *flags])


def pilot() -> Pilot:
    """All that budgets need of one: its policy."""
    return cast(Pilot, Namespace(policy=preset("pilot")))


def test_gate_and_candidates_reach_every_budget_but_that_of_the_base() -> None:
    args = typed(
        "--budgets",
        "0,7",
        "--gate",
        "0.9",
        "--candidates",
        "5",
        "--solver",
        "rk4",
        "--temperature",
        "0.7",
    )
    base, refined = (budget.rung for budget in _budgets(pilot(), args))
    assert base == Rung(Solver.BASE, 0, 1.0, 96)
    assert refined == Rung(Solver.RK4, 7, 1.0, 96, gate=0.9, candidates=5, temperature=0.7)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--gate", "0.9"),
        ("--solver", "euler", "--guidance", "2.0"),
        ("--gate", "0.25", "--candidates", "2", "--temperature", "0.5"),
    ],
)
def test_stored_name_tells_measurements_apart_by_what_was_typed(flags: tuple[str, ...]) -> None:
    assert _flags(typed(*flags)).split() == list(flags)


def test_rungs_bring_their_own_gate_and_candidates() -> None:
    with pytest.raises(InvalidInput, match=r"leave out --gate 0\.9"):
        _budgets(pilot(), typed("--importance", "high", "--gate", "0.9"))


def test_no_candidate_is_no_answer() -> None:
    with pytest.raises(InvalidInput, match="at least 1, got 0"):
        _budgets(pilot(), typed("--candidates", "0"))


def test_candidates_that_cannot_differ_are_refused() -> None:
    with pytest.raises(InvalidInput, match="add --temperature"):
        _budgets(pilot(), typed("--candidates", "3"))


def test_a_budget_is_like_its_model_but_for_the_cap() -> None:
    like = Rung(Solver.BOSH3, 0, 2.0, 40, tolerance=0.1, gate=0.8, candidates=3)
    assert budget_of(9, like).rung == Rung(Solver.BOSH3, 9, 2.0, 40, None, 0.1, 0.8, 3)
