"""Refines the guess for one token of every row: integrates the grid, reads out, counts evaluations.

arXiv 2501.15781, section 3.3; guidance as in L2D.md section 5.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from model.adaptive import Adaptive, Ending, solve_adaptively
from model.backbone import KVCache
from model.config import SamplerConfig
from model.l2d import Context
from model.path import velocity
from model.prepared import PreparedPath
from model.solvers import Grid, solve


class Hooks(NamedTuple):
    """What the caller wants to know: asked before every evaluation, told after it."""

    before: Callable[[], None] = lambda: None
    """May raise to stop between two evaluations."""
    after: Callable[[int], None] = lambda _nfe: None
    """Told the evaluations just made, over all rows."""


NO_HOOKS = Hooks()


class Refinement:
    """Work on one place of B rows. `nfe` counts evaluations a token, `times` says when."""

    def __init__(
        self,
        prepared: PreparedPath,
        context: Context,
        labels: Tensor,
        config: SamplerConfig,
        draws: list[torch.Generator] | None = None,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.prepared, self.context, self.labels, self.config = prepared, context, labels, config
        self.draws, self.hooks = draws or [], hooks
        self.nfe, self.times = 0, list[float]()
        self.ending = Ending.FINISHED

    def run(self, grid: Grid | Adaptive, x_0: Tensor) -> tuple[Tensor, Tensor]:
        """The state at t=1 (B, 1, d) and the read-out's logits (B, 1, V), from x_0 in float64."""
        v = self._guided if grid.passes == 2 else self._plain
        if isinstance(grid, Adaptive):
            x, self.ending = solve_adaptively(grid, v, x_0)
        else:
            x = solve(grid, v, x_0)
        return x, self._evaluate(x, 1.0, self.labels)

    def _plain(self, x: Tensor, t: float) -> Tensor:
        return velocity(self._estimate(self._evaluate(x, t, self.labels)), x, t)

    def _guided(self, x: Tensor, t: float) -> Tensor:
        """v = w v(class) + (1-w) v(no class): one pass, both halves as queries of a place."""
        none = torch.full_like(self.labels, len(self.prepared.config.classes))
        both = self._evaluate(x, t, torch.cat((self.labels, none), dim=1))
        v, w = velocity(self._estimate(both), x, t), self.config.guidance
        return w * v[:, :1] + (1 - w) * v[:, 1:]

    def _evaluate(self, x: Tensor, t: float, labels: Tensor) -> Tensor:
        passes = labels.shape[1]
        if self.nfe + passes > self.config.max_nfe:
            raise AssertionError(
                f"evaluation {self.nfe + passes} with a cap of {self.config.max_nfe}"
            )
        self.hooks.before()
        context = _widen(self.context, passes)
        logits = self.prepared.evaluate(x.expand(-1, passes, -1), t, labels, context)
        self.nfe += passes
        self.times.append(t)
        self.hooks.after(passes * len(labels))
        return logits

    def _estimate(self, logits: Tensor) -> Tensor:
        """x_1_hat (B, Q, d) float64 from logits (B, Q, V): a row of R, or the mean of its rows."""
        table = self.prepared.table
        if self.config.estimate == "argmax":
            return table[logits.argmax(-1)].double()
        chance = (logits.float() / self.config.temperature).softmax(-1)
        if self.config.estimate == "average":
            return (chance @ table).double()
        drawn = [
            torch.multinomial(p.cpu(), 1, generator=g)[:, 0]
            for p, g in zip(chance, self.draws, strict=True)
        ]
        return table[torch.stack(drawn).to(table.device)].double()


def part_of(context: Context, here: slice) -> Context:
    """Some rows of a batch, sharing its tensors."""
    cache = context.cache
    keys, values = [k[here] for k in cache.keys], [v[here] for v in cache.values]
    cos, sin = (x[here] for x in context.rope)
    mask = None if context.mask is None else context.mask[here]
    cache = KVCache(keys, values, cache.length)
    return Context(cache, context.token[here], context.hidden[here], (cos, sin), mask)


def _widen(context: Context, passes: int) -> Context:
    """The same place asked `passes` times: more queries on the same keys, one cache."""
    if passes == 1:
        return context
    cos, sin = (x.expand(-1, passes, -1) for x in context.rope)
    token, hidden = (x.expand(-1, passes, -1) for x in (context.token, context.hidden))
    return Context(context.cache, token, hidden, (cos, sin), context.mask)
