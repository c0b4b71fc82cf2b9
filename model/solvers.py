"""Fixed-grid ODE solvers, counted in evaluations. A solver is a row of data plus a step.

Solve dx/dt = v(x, t) from t=0 to t=1. None of these evaluates v at t=1, where it is singular.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from model.errors import ConfigError

Field = Callable[[Tensor, float], Tensor]
"""v(x, t): x of any shape, t in [0, 1)."""
Step = Callable[[Field, Tensor, float, float], Tensor]


def _euler(v: Field, x: Tensor, t: float, dt: float) -> Tensor:
    return x + dt * v(x, t)


def _midpoint(v: Field, x: Tensor, t: float, dt: float) -> Tensor:
    return x + dt * v(x + dt / 2 * v(x, t), t + dt / 2)


@dataclass(frozen=True, slots=True)
class Solver:
    step: Step
    evaluations_per_step: int
    coarser: str | None
    """What to use instead where not even one step of this one fits the budget."""


SOLVERS = {
    "euler": Solver(_euler, 1, coarser=None),
    "midpoint": Solver(_midpoint, 2, coarser="euler"),
}


@dataclass(frozen=True, slots=True)
class Grid:
    """A solver on `points` equidistant times in [0, 1]; no points: the base LM alone."""

    method: str
    points: int
    passes: int = 1
    """Network passes an evaluation of v costs: 2 with guidance."""

    @property
    def nfe(self) -> int:
        """Evaluations a token: passes x k x (points - 1), and one read-out."""
        if not self.points:
            return 0
        return self.passes * solver(self.method).evaluations_per_step * (self.points - 1) + 1


def solver(method: str) -> Solver:
    if method not in SOLVERS:
        raise ConfigError(f"solver must be one of {', '.join(SOLVERS)}, got {method!r}")
    return SOLVERS[method]


def finest_grid(method: str, max_nfe: int, passes: int = 1) -> Grid:
    """The finest grid of at most `max_nfe` evaluations a token, read-out included.

    Where not even one step fits, the coarser solver is used; where none fits, the base LM alone.
    """
    steps = max(0, max_nfe - 1) // (passes * solver(method).evaluations_per_step)
    if steps:
        return Grid(method, steps + 1, passes)
    coarser = solver(method).coarser
    return finest_grid(coarser, max_nfe, passes) if coarser else Grid(method, 0, passes)


def solve(grid: Grid, v: Field, x_0: Tensor) -> Tensor:
    """x at t=1. x_0 is float64: over many steps float32 would lose the token's row in the noise."""
    times = torch.linspace(0, 1, grid.points, dtype=torch.float64).tolist()
    x, step = x_0, solver(grid.method).step
    for t, end in pairwise(times):
        x = step(v, x, t, end - t)
    return x
