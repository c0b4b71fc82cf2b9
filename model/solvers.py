"""Fixed-grid ODE solvers, counted in evaluations. A solver is a table of exact fractions.

Solve dx/dt = v(x, t) from t=0 to t=1. v divides by 1-t, so no stage may stand at t=1. The rule:
where a tableau has a stage at the end of its step, the last step is taken by another tableau whose
stages all lie before it. One order lower is enough, as the error of one step is one power of dt
smaller than that of all; and on a straight path every tableau ends at x1_hat. The two other ways
are worse: a zero there (the reference) ends short, a stage at 1-eps divides a guess by eps.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from model.errors import ConfigError

Steps = Generator[tuple[Tensor, float], Tensor, Tensor]
"""Asks for v at (x, t), x of any shape, t in [0, 1); is sent v; returns x at t=1."""
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Tableau:
    """Explicit Runge-Kutta: k_i = v(x + dt sum_j a_ij k_j, t + c_i dt), x += dt sum_i b_i k_i."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]

    @property
    def c(self) -> tuple[float, ...]:
        """Where the stages stand in the step: c_i = sum_j a_ij."""
        return tuple(sum(row) for row in self.a)

    def step(self, x: Tensor, t: float, dt: float) -> Steps:
        k = list[Tensor]()
        for row, c in zip(self.a, self.c, strict=True):
            k.append((yield _advance(x, dt, row, k), t + c * dt))
        return _advance(x, dt, self.b, k)


def _advance(x: Tensor, dt: float, weights: tuple[float, ...], k: list[Tensor]) -> Tensor:
    for weight, slope in zip(weights, k, strict=True):
        if weight:
            x = x + dt * weight * slope
    return x


_EULER = Tableau(((),), (1,))
_MIDPOINT = Tableau(((), (1 / 2,)), (0, 1))
_HEUN2 = Tableau(((), (1,)), (1 / 2, 1 / 2))
_HEUN3 = Tableau(((), (1 / 3,), (0, 2 / 3)), (1 / 4, 0, 3 / 4))
_RK4 = Tableau(((), (1 / 3,), (-1 / 3, 1), (1, -1, 1)), (1 / 8, 3 / 8, 3 / 8, 1 / 8))
"""Kutta's 3/8 rule, which torchdiffeq calls rk4 too; its first three stages stand as heun3's."""


@dataclass(frozen=True, slots=True)
class Solver:
    inner: Tableau
    last: Tableau
    """Of the last step; the inner one, or one without a stage at t=1."""
    coarser: str | None
    """What to use instead where not even one step of this one fits the budget."""


SOLVERS = {
    "euler": Solver(_EULER, _EULER, coarser=None),
    "midpoint": Solver(_MIDPOINT, _MIDPOINT, coarser="euler"),
    "heun2": Solver(_HEUN2, _MIDPOINT, coarser="euler"),
    "heun3": Solver(_HEUN3, _HEUN3, coarser="midpoint"),
    "rk4": Solver(_RK4, _HEUN3, coarser="midpoint"),
}


@dataclass(frozen=True, slots=True)
class Grid:
    """A solver on `points` equidistant times in [0, 1]; no points: the base LM alone."""

    method: str
    points: int
    passes: int = 1
    """Network passes an evaluation of v costs: 2 with guidance."""
    zero_at_end: bool = False
    """As the reference: a stage at t=1 is zero and not evaluated. Golden checks only."""

    @property
    def steps(self) -> list[Tableau]:
        """The tableau of each step."""
        s = solver(self.method)
        last = s.inner if self.zero_at_end else s.last
        return [s.inner] * (self.points - 2) + [last] * (self.points > 1)

    @property
    def nfe(self) -> int:
        """Evaluations a token: passes times the stages of every step but the first, which stands
        at t=0 where the LM's own logits are the answer; and one read-out."""
        stages = sum(len(tableau.b) for tableau in self.steps)
        return self.passes * (stages - 1) + 1 if self.points else 0


def solver(method: str) -> Solver:
    if method not in SOLVERS:
        raise ConfigError(f"solver must be one of {', '.join(SOLVERS)}, got {method!r}")
    return SOLVERS[method]


def finest_grid(method: str, max_nfe: int, passes: int = 1) -> Grid:
    """The finest grid of at most `max_nfe` evaluations a token, read-out included.

    Where not even one step fits, the coarser solver is used; where none fits, the base LM alone.
    """
    s = solver(method)
    stages = (max_nfe - 1) // passes + 1 if max_nfe > 0 else 0  # the one at t=0 takes no evaluation
    left = stages - len(s.last.b)
    if left >= 0:
        return Grid(method, left // len(s.inner.b) + 2, passes)
    return finest_grid(s.coarser, max_nfe, passes) if s.coarser else Grid(method, 0, passes)


def steps(grid: Grid, x_0: Tensor) -> Steps:
    """x_0 is float64: over many steps float32 would lose the token's row in the noise."""
    dtype = torch.float32 if grid.zero_at_end else torch.float64
    times = torch.linspace(0, 1, grid.points, dtype=dtype).tolist()
    x = x_0
    for tableau, (t, end) in zip(grid.steps, pairwise(times), strict=True):
        step = tableau.step(x, t, end - t)
        x = yield from _ending(step) if grid.zero_at_end else step
    return x


def _ending(step: Steps) -> Steps:
    """As the reference has it: zero at the end, and no time finer than float32."""
    x, t = next(step)
    while True:
        v = torch.zeros_like(x) if t >= 1 else (yield x, torch.tensor(t).item())
        try:
            x, t = step.send(v)
        except StopIteration as end:
            return end.value


def drive(work: Generator[Asked, Answer, Result], answer: Callable[[Asked], Answer]) -> Result:
    """Answer all that a generator asks, one after the other; what it returns in the end."""
    asked = next(work)
    while True:
        reply = answer(asked)
        try:
            asked = work.send(reply)
        except StopIteration as end:
            return end.value
