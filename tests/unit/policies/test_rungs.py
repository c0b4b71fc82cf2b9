"""Rungs of a policy: what they may say, and that a quote is the worst case of all of it."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.document import parse, preset
from policies.errors import InvalidPolicy
from policies.pricing import worst_case
from policies.types import Domain, Importance, Plan, Rung, Solver, Units


def policy(**changes: Any) -> str:
    rungs = {
        i.value: {"solver": "base", "max_nfe_per_token": 0, "max_new_tokens": 8} for i in Importance
    }
    rungs["critical"] = {"solver": "rk4", "max_nfe_per_token": 15, "max_new_tokens": 8} | changes
    return yaml.safe_dump({"name": "test", "rungs": rungs})


def critical(**changes: Any) -> Rung:
    return parse(policy(**changes)).rungs[Importance.CRITICAL]


@pytest.mark.parametrize("solver", [s for s in Solver if s is not Solver.BASE])
def test_every_solver_can_be_asked_for(solver: Solver) -> None:
    assert critical(solver=solver.value).solver is solver


def test_gate_candidates_and_tolerance_are_read_and_off_by_default() -> None:
    plain = critical()
    assert (plain.gate, plain.candidates, plain.tolerance) == (None, 1, None)
    rung = critical(solver="bosh3", tolerance=0.05, gate=0.9, candidates=5, temperature=0.7)
    assert rung == Rung(Solver.BOSH3, 15, 1.0, 8, None, 0.05, 0.9, candidates=5, temperature=0.7)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"gate": 0.0}, "gate"),
        ({"gate": 1.5}, "gate"),
        ({"gate": float("nan")}, "gate"),
        ({"candidates": 0}, "candidates"),
        ({"candidates": 17}, "candidates"),
        ({"candidates": 3}, "give a temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"tolerance": 0.1}, "rk4 has no tolerance"),
        ({"solver": "dopri5", "tolerance": 0.0}, "tolerance"),
        ({"solver": "dopri5", "points": 4}, "leave points out"),
        ({"solver": "rk9"}, "solver"),
        ({"solver": "base", "max_nfe_per_token": 0, "gate": 0.9}, "solver base"),
        ({"solver": "base", "max_nfe_per_token": 0, "candidates": 2}, "solver base"),
    ],
)
def test_a_rung_that_cannot_run_is_refused_by_name(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidPolicy, match=fault):
        parse(policy(**changes))


@given(candidates=st.integers(1, 16), tokens=st.integers(1, 500), prompt=st.integers(0, 500))
def test_quote_counts_the_prompt_once_and_the_rest_for_every_candidate(
    candidates: int, tokens: int, prompt: int
) -> None:
    rung = Rung(Solver.BOSH3, 15, 1.0, tokens, candidates=candidates)
    found = worst_case(Plan(Domain.MATH, rung), prompt)
    assert found == Units(prompt, candidates * tokens, candidates * tokens * 15)


def test_gate_never_lowers_a_quote() -> None:
    """What the base model will be sure of is not known beforehand."""
    plain, gated = Rung(Solver.RK4, 15, 1.0, 8), Rung(Solver.RK4, 15, 1.0, 8, gate=0.5)
    assert worst_case(Plan(Domain.MATH, plain), 9) == worst_case(Plan(Domain.MATH, gated), 9)


def test_built_in_policy_draws_one_answer_and_refines_only_what_is_unsure() -> None:
    for rung in preset("pilot").rungs.values():
        assert (rung.gate, rung.candidates) == (None if rung.solver is Solver.BASE else 0.9, 1)
