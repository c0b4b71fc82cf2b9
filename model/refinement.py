"""Refines the guess for one token: asks for evaluations along a grid, then for the read-out.

It makes none itself: whoever drives it does, for one row or for many at once. At t=0 none is made:
there the path's weight is zero, so the logits are the LM's own, and those are known. arXiv
2501.15781, section 3.3; guidance as in L2D.md section 5.
"""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from model.adaptive import Adaptive, Ending, adaptive_steps
from model.choice import Logits
from model.config import SamplerConfig
from model.l2d import Context
from model.path import velocity
from model.prepared import PreparedPath
from model.solvers import Grid, Result, Steps, drive, steps


class Ask(NamedTuple):
    """One evaluation wanted: its logits (B, Q, V) at time t, Q queries at each of B places."""

    x: Tensor  # (B, Q, d), float64
    t: float
    labels: Tensor  # (B, Q), rows of the class table


class Refinement:
    """Work on one place of B rows. `nfe` counts its evaluations, `times` says where logits were."""

    def __init__(
        self,
        prepared: PreparedPath,
        labels: Tensor,
        config: SamplerConfig,
        draws: Sequence[torch.Generator] = (),
    ) -> None:
        self.prepared, self.labels, self.config, self.draws = prepared, labels, config, draws
        self.nfe, self.times = 0, list[float]()
        self._base: Logits | None = None
        self.guess: Tensor | None = None  # the newest arg-max (B, Q)
        self.same = 0  # how often in a row it was that
        self.ending = Ending.FINISHED

    def asks(
        self, grid: Grid | Adaptive, x_0: Tensor, base: Logits
    ) -> Generator[Ask, Logits, tuple[Tensor, Logits]]:
        """From x_0 in float64 to the state at t=1 (B, 1, d) and the read-out's logits (B, 1, V).

        `base` is the LM's logits there (B, 1, V). Asks for evaluations, is sent the logits of each.
        """
        self._base = base
        if isinstance(grid, Adaptive):
            x, self.ending = yield from self._along(adaptive_steps(grid, x_0), grid.passes)
        else:
            solver = steps(grid, x_0)
            if self.config.steady is not None:
                solver = self._until_steady(solver, self.config.steady)
            x = yield from self._along(solver, grid.passes)
        return x, (yield from self._evaluate(x, 1.0, self.labels))

    def run(self, grid: Grid | Adaptive, x_0: Tensor, context: Context) -> tuple[Tensor, Tensor]:
        """The same at once, all B rows sharing their times."""
        carried: Tensor | None = None

        def evaluate(ask: Ask) -> Logits:
            nonlocal carried
            here = widened(context, ask.x.shape[1], carried)
            carried = self.prepared.hidden(ask.x, ask.t, ask.labels, here)
            return Logits(self.prepared.backbone.logits(carried))

        base = Logits(self.prepared.backbone.logits(context.hidden))
        x, read_out = drive(self.asks(grid, x_0, base), evaluate)
        return x, read_out.values

    def _along(
        self, solver: Generator[tuple[Tensor, float], Tensor, Result], passes: int
    ) -> Generator[Ask, Logits, Result]:
        """Answers what a solver asks: v from the logits of an evaluation."""
        try:
            x, t = next(solver)
            while True:
                v = yield from self._velocity(x, t, passes)
                try:
                    x, t = solver.send(v)
                except StopIteration as end:
                    return end.value
        finally:
            solver.close()

    def _until_steady(self, solver: Steps, times: int) -> Steps:
        """Ends where the guess stays as it is: all that is left of the path would lead to it."""
        x, t = next(solver)
        while True:
            v = yield x, t
            if self.same >= times:
                solver.close()
                return x + (1 - t) * v
            try:
                x, t = solver.send(v)
            except StopIteration as end:
                return end.value

    def _velocity(self, x: Tensor, t: float, passes: int) -> Generator[Ask, Logits, Tensor]:
        """Guided, v = w v(class) + (1-w) v(no class): both halves as queries of one place."""
        labels = self.labels
        if passes == 2:
            none = torch.full_like(labels, len(self.prepared.config.classes))
            labels = torch.cat((labels, none), dim=1)
        logits = yield from self._evaluate(x, t, labels)
        guess = logits.best
        again = self.guess is not None and torch.equal(guess, self.guess)
        self.guess, self.same = guess, self.same + 1 if again else 1
        v, w = velocity(self._estimate(logits.values, t), x, t), self.config.guidance
        return v if passes == 1 else w * v[:, :1] + (1 - w) * v[:, 1:]

    def _evaluate(self, x: Tensor, t: float, labels: Tensor) -> Generator[Ask, Logits, Logits]:
        passes = labels.shape[1]
        self.times.append(t)
        if t == 0.0:
            assert self._base is not None
            return Logits(self._base.values.expand(-1, passes, -1)) if passes > 1 else self._base
        if self.nfe + passes > self.config.max_nfe:
            raise AssertionError(
                f"evaluation {self.nfe + passes} with a cap of {self.config.max_nfe}"
            )
        logits = yield Ask(x.expand(-1, passes, -1), t, labels)
        self.nfe += passes
        return logits

    def _estimate(self, logits: Tensor, t: float) -> Tensor:
        """x_1_hat (B, Q, d) float64 from logits (B, Q, V): a row of R, or the mean of its rows."""
        table = self.prepared.table
        if self.config.estimate == "argmax" and self.guess is not None:
            return table[self.guess].double()
        chance = (logits.float() / self.config.temperature_at(t)).softmax(-1)
        if self.config.estimate == "average":
            return (chance @ table).double()
        drawn = [
            torch.multinomial(p.cpu(), 1, generator=g)[:, 0]
            for p, g in zip(chance, self.draws, strict=True)
        ]
        return table[torch.stack(drawn).to(table.device)].double()


def widened(context: Context, passes: int, carried: Tensor | None) -> Context:
    """The same place asked `passes` times: more queries on the same keys, one cache."""
    if carried is not None:
        carried = carried[:, :passes].expand(-1, passes, -1)
    if passes == 1:
        return replace(context, carried=carried)
    cos, sin = (x.expand(-1, passes, -1) for x in context.rope)
    token, hidden = (x.expand(-1, passes, -1) for x in (context.token, context.hidden))
    return Context(context.cache, token, hidden, (cos, sin), context.mask, carried)
