"""Fixed grids: they end at x1_hat, cost what the formula says, and converge at their order."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from model.errors import ConfigError
from model.path import velocity
from model.solvers import SOLVERS, Grid, finest_grid, solve, solver
from tests.tiny import random_state

METHODS = st.sampled_from(sorted(SOLVERS))
K = {"euler": 1, "midpoint": 2}


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
def test_grid_costs_what_is_evaluated_and_one_read_out(
    method: str, points: int, passes: int
) -> None:
    oracle = Counted(random_state(seed=1))
    solve(Grid(method, points), oracle, random_state(seed=2))
    nfe = Grid(method, points, passes).nfe
    assert nfe == passes * len(oracle.times) + 1 == K[method] * (points - 1) * passes + 1
    assert oracle.times[0] == 0.0
    assert max(oracle.times) < 1.0
    assert oracle.times == sorted(oracle.times)


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("method", SOLVERS)
def test_finest_grid_fits_the_cap_and_no_finer_one_does(method: str, passes: int) -> None:
    for max_nfe in range(130):
        grid = finest_grid(method, max_nfe, passes)
        assert grid.nfe <= max_nfe
        if max_nfe <= passes:  # not one evaluation and the read-out
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


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2)])
def test_error_falls_at_the_order_of_the_solver(method: str, order: int) -> None:
    """dx/dt = -x from 1: exp(-1) at the end. Halving the step divides the error by 2^order."""
    x_0 = torch.ones(1, dtype=torch.float64)
    errors = [
        abs(float(solve(Grid(method, n + 1), lambda x, _t: -x, x_0)) - math.exp(-1))
        for n in (32, 64)
    ]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.05)


def test_base_alone_costs_nothing() -> None:
    assert Grid("euler", 0).nfe == 0


def test_unknown_solver_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"euler, midpoint, got 'rk9'"):
        solver("rk9")
