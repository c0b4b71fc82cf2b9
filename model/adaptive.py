"""Solvers that choose their own steps, with a cap on evaluations. torchdiffeq takes the steps.

v is singular at t=1, so steps are taken up to LAST_TIME only; from there, or from where the cap
stopped them, one straight jump along the newest velocity ends at its x1_hat, as Euler's last step.
"""

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from queue import SimpleQueue

import torch
from torch import Tensor
from torchdiffeq import odeint  # type: ignore[import-untyped]

from model.errors import ConfigError

ADAPTIVE = ("bosh3", "adaptive_heun", "fehlberg2", "dopri5")
LAST_TIME = 1 - 1 / 64
"""At sigma = 64 the noise left in the state is then as large as an entry of a token's row."""


class Ending(StrEnum):
    """How the refinement of a token ended."""

    FINISHED = "finished"
    CAPPED = "capped"
    """The evaluations ran out; the token was read from the guess of the last accepted state."""


@dataclass(frozen=True, slots=True)
class Adaptive:
    """A solver that takes the evaluations that `rtol` and `atol` ask for, at most `max_nfe`."""

    method: str
    max_nfe: int
    """The read-out included, each guided evaluation counted twice; at least 1."""
    passes: int = 1
    rtol: float = 1e-2
    atol: float = 1e-2
    first_step: float = 0.05
    min_step: float = 1e-3
    """Taken whatever its error."""
    zero_at_end: bool = False
    """As the reference: v is zero from t=1 on, so it ends short of x1_hat. Golden checks only."""

    def __post_init__(self) -> None:
        if self.max_nfe < 1:
            raise ConfigError(f"{self.method} needs max_nfe of at least 1, got {self.max_nfe}")

    @property
    def nfe(self) -> int:
        """The most evaluations a token can take."""
        return self.max_nfe

    @property
    def calls(self) -> int:
        """How often v may be asked for, so that the read-out still fits; the first is at t=0."""
        return (self.max_nfe - 1) // self.passes + 1


def solve_adaptively(
    adaptive: Adaptive, v: Callable[[Tensor, float], Tensor], x_0: Tensor
) -> tuple[Tensor, Ending]:
    """x at t=1 and how it was reached. x_0 is float64; all its rows share their steps."""
    field = _Field(v, adaptive.calls)
    end = 1.0 if adaptive.zero_at_end else LAST_TIME
    times = torch.tensor([0.0, end], dtype=torch.float64, device=x_0.device)
    options: dict[str, object] = {"first_step": adaptive.first_step}
    if adaptive.zero_at_end:  # steps reach past the end and shrink before it to the last bit of t
        options |= {"min_step": 5.6e-17}
    else:
        options |= {"min_step": adaptive.min_step, "step_t": times[1:]}
    try:
        tolerance = {"rtol": adaptive.rtol, "atol": adaptive.atol}
        path = odeint(field, x_0, times, **tolerance, method=adaptive.method, options=options)
    except _Full:
        return field.jump(), Ending.CAPPED
    if adaptive.zero_at_end:
        return path[-1], Ending.FINISHED
    field.accept(end, path[-1])
    return field.jump(), Ending.FINISHED


def adaptive_steps(
    adaptive: Adaptive, x_0: Tensor
) -> Generator[tuple[Tensor, float], Tensor, tuple[Tensor, Ending]]:
    """The same, asking for v at (x, t) and waiting to be sent it, as `solvers.steps` does.

    torchdiffeq calls a function, so it runs in a thread of its own, which ends with the generator.
    """
    asked: SimpleQueue[tuple[Tensor, float] | tuple[Tensor, Ending] | BaseException] = SimpleQueue()
    velocities: SimpleQueue[Tensor | None] = SimpleQueue()

    def v(x: Tensor, t: float) -> Tensor:
        asked.put((x, t))
        velocity = velocities.get()
        if velocity is None:
            raise _Left
        return velocity

    @torch.no_grad()
    def solve() -> None:
        try:
            asked.put(solve_adaptively(adaptive, v, x_0))
        except BaseException as err:
            asked.put(err)

    thread = threading.Thread(target=solve, name="adaptive", daemon=True)
    thread.start()
    try:
        while True:
            match asked.get():
                case BaseException() as err:
                    raise err
                case (x, Ending() as ending):
                    return x, ending
                case (x, t):
                    velocities.put((yield x, t))
    finally:
        velocities.put(None)
        thread.join()


class _Left(BaseException):
    """Whoever wanted the solution has gone."""


class _Full(Exception):
    """Every evaluation the cap allows has been made."""


class _Field:
    """v as torchdiffeq calls it. Counts its evaluations and remembers the last accepted state."""

    def __init__(self, v: Callable[[Tensor, float], Tensor], calls: int) -> None:
        self.v, self.left = v, calls
        self.newest = torch.empty(0)
        self.accepted: tuple[float, Tensor, Tensor] | None = None  # t, x, v

    def __call__(self, t: Tensor, x: Tensor) -> Tensor:
        if t >= 1:  # only where zero_at_end lets a step reach past the end
            return torch.zeros_like(x)
        if not self.left:
            raise _Full
        self.left -= 1
        self.newest = self.v(x, float(t))
        return self.newest

    def callback_step(self, t: Tensor, x: Tensor, _dt: Tensor) -> None:
        """Before every attempt at a step; a later t than before: the last one was accepted."""
        if self.accepted is None or float(t) > self.accepted[0]:
            self.accept(float(t), x)

    def accept(self, t: float, x: Tensor) -> None:
        """Every method here ends its step with a stage at its end: the newest v belongs to x."""
        self.accepted = (t, x, self.newest)

    def jump(self) -> Tensor:
        """From the last accepted state straight to the x1_hat it was heading for."""
        assert self.accepted is not None, "v is evaluated at t=0 before the first step"
        t, x, velocity = self.accepted
        return x + (1 - t) * velocity
