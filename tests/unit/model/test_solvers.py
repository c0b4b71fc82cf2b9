"""Fixed grids: they end at x1_hat, cost what the formula says, and converge at their order."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchdiffeq import odeint  # type: ignore[import-untyped]

from model.errors import ConfigError
from model.path import velocity
from model.solvers import SOLVERS, Grid, drive, finest_grid, solver, steps
from tests.tiny import random_state

METHODS = st.sampled_from(sorted(SOLVERS))
STAGES = {"euler": (1, 1), "midpoint": (2, 2), "heun2": (2, 2), "heun3": (3, 3), "rk4": (4, 3)}
"""Evaluations of an inner step and of the last one."""
ORDERS = {"euler": 1, "midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4}


def solve(grid: Grid, v: Callable[[Tensor, float], Tensor], x_0: Tensor) -> Tensor:
    return drive(steps(grid, x_0), lambda asked: v(*asked))


class Counted:
    """A field that counts how often it is evaluated and where."""

    def __init__(self, x_1: Tensor) -> None:
        self.x_1, self.times = x_1, list[float]()

    def __call__(self, x: Tensor, t: float) -> Tensor:
        self.times.append(t)
        return velocity(self.x_1, x, t)


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("points", range(2, 65))
def test_solver_ends_at_x1_hat_under_an_oracle(method: str, points: int) -> None:
    oracle = Counted(random_state(seed=1))
    x = solve(Grid(method, points), oracle, random_state(seed=2))
    assert x.dtype == torch.float64
    torch.testing.assert_close(x, oracle.x_1, atol=1e-11, rtol=0)


@given(method=METHODS, points=st.integers(2, 64), passes=st.sampled_from([1, 2]))
def test_grid_costs_what_is_evaluated_beyond_t_0_and_one_read_out(
    method: str, points: int, passes: int
) -> None:
    oracle = Counted(random_state(seed=1))
    solve(Grid(method, points), oracle, random_state(seed=2))
    nfe = Grid(method, points, passes).nfe
    inner, last = STAGES[method]
    stages = inner * (points - 2) + last
    assert nfe == passes * (len(oracle.times) - 1) + 1 == passes * (stages - 1) + 1
    assert oracle.times[0] == 0.0 < min(oracle.times[1:], default=1.0)
    assert max(oracle.times) < 1.0
    assert all(later > earlier - 1e-12 for earlier, later in pairwise(oracle.times))


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("method", SOLVERS)
def test_finest_grid_fits_the_cap_and_no_finer_one_does(method: str, passes: int) -> None:
    for max_nfe in range(130):
        grid = finest_grid(method, max_nfe, passes)
        assert grid.nfe <= max_nfe
        if max_nfe == 0:  # not even the read-out
            assert grid.points == 0
        else:
            assert grid.points >= 2
            assert Grid(grid.method, grid.points + 1, passes).nfe > max_nfe
        if grid.points and grid.method != method:  # not even its coarsest grid fits
            assert Grid(method, 2, passes).nfe > max_nfe


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("method", SOLVERS)
def test_a_smaller_cap_never_buys_more(method: str, passes: int) -> None:
    bought = [finest_grid(method, max_nfe, passes).nfe for max_nfe in range(130)]
    assert bought == sorted(bought)


@pytest.mark.parametrize("method", SOLVERS)
def test_error_falls_at_the_order_of_the_solver(method: str) -> None:
    """dx/dt = -x^2 from 1: 1/2 at the end. Halving the step divides the error by 2^order.

    The last step, which may be one order lower, must not cost the whole its order.
    """
    x_0 = torch.ones(1, dtype=torch.float64)
    ends = [float(solve(Grid(method, n + 1), lambda x, _t: -x * x, x_0)) for n in (64, 128)]
    errors = [abs(end - 0.5) for end in ends]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(ORDERS[method], abs=0.05)


@pytest.mark.parametrize("method", SOLVERS)
def test_every_tableau_is_consistent_and_none_stands_at_the_very_end(method: str) -> None:
    s = SOLVERS[method]
    for tableau in (s.inner, s.last):
        assert sum(tableau.b) == pytest.approx(1.0, abs=1e-15)
        assert len(tableau.a) == len(tableau.b)
    assert max(s.last.c) < 1.0


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("points", [2, 3, 8, 16])
def test_ending_as_the_reference_takes_the_steps_of_torchdiffeq(method: str, points: int) -> None:
    def field(x: Tensor, t: float) -> Tensor:
        return torch.sin(x + t) + t

    def zero_at_one(t: Tensor, x: Tensor) -> Tensor:
        return field(x, float(t)) if t < 1 else torch.zeros_like(x)

    x_0, times = random_state(seed=2), torch.linspace(0, 1, points, dtype=torch.float64)
    theirs = odeint(zero_at_one, x_0, times, method=method)[-1]
    ours = solve(Grid(method, points, zero_at_end=True), field, x_0)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)  # its times are float32


@pytest.mark.parametrize(("method", "short"), [("heun2", 13 / 14), ("rk4", 55 / 56)])
def test_a_zero_at_the_end_would_end_short_of_the_oracle(method: str, short: float) -> None:
    """Why zero_at_end is for golden checks only: 0.929 and 0.982 of the way at 8 points."""
    x_0, x_1 = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    x = solve(Grid(method, 8, zero_at_end=True), Counted(x_1), x_0)
    assert float(x) == pytest.approx(short, abs=1e-6)


def test_base_alone_costs_nothing() -> None:
    assert Grid("euler", 0).nfe == 0


def test_unknown_solver_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"euler, midpoint, heun2, heun3, rk4, got 'rk9'"):
        solver("rk9")
