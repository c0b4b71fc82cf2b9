"""Draws answers token by token: the LM's pass once, then the path as often as the grid says.

State belongs to the call: weights are shared, generators, caches and counts are not. Evaluations
are counted where they happen and can never pass the cap. arXiv 2501.15781, section 3.3.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from model.adaptive import ADAPTIVE, Adaptive, Ending
from model.backbone import KVCache, causal_mask
from model.config import SamplerConfig
from model.errors import ConfigError
from model.l2d import Context
from model.prepared import PreparedPath
from model.refinement import NO_HOOKS, Hooks, Refinement, part_of
from model.solvers import Grid, finest_grid

_ESTIMATE_STREAM = 0x9E3779B9
"""Keeps the generator of sampled estimates apart from that of noise, the same at any budget."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to draw."""

    prompt: tuple[int, ...]
    seed: int
    label: str | None = None
    """Guidance class; None or a name the adapter does not know means no class."""
    max_new_tokens: int | None = None
    """Below the sampler's own limit, if given."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token drawn for one row, and what it took."""

    row: int
    id: int
    base_id: int
    """The LM's own first choice at this place."""
    nfe: int
    """Evaluations spent on it, each guided one counted twice, read-out included."""
    last: bool
    ending: Ending = Ending.FINISHED
    """Capped where an adaptive method ran out of evaluations before its tolerance was met."""


@dataclass(frozen=True, slots=True)
class _Refined:
    """What the path made of one place of every row."""

    logits: Tensor  # (B, 1, V)
    nfe: list[int]
    endings: list[Ending]


class _State:
    """The rows still running: their caches and places in the batch."""

    def __init__(self, prepared: PreparedPath, rows: Sequence[Row], config: SamplerConfig) -> None:
        device = prepared.backbone.device
        self.rows = list(range(len(rows)))
        self.limits = [
            min(r.max_new_tokens or config.max_new_tokens, config.max_new_tokens) for r in rows
        ]
        self.drawn = [0] * len(rows)
        index = [prepared.config.class_index(r.label) for r in rows]
        self.labels = torch.tensor(index, device=device)[:, None]  # (B, 1)
        self.noise = [torch.Generator().manual_seed(r.seed) for r in rows]
        self.draws = [torch.Generator().manual_seed(r.seed ^ _ESTIMATE_STREAM) for r in rows]
        longest = max(len(r.prompt) for r in rows)
        # left padding is False
        self.valid = torch.zeros(len(rows), longest, dtype=torch.bool, device=device)
        self.ids = torch.zeros(len(rows), longest, dtype=torch.long, device=device)
        for i, row in enumerate(rows):
            self.valid[i, longest - len(row.prompt) :] = True
            self.ids[i, longest - len(row.prompt) :] = torch.tensor(row.prompt)
        self.last = self.ids[:, -1]  # (B,), the token each row stands on
        self.cache: KVCache = prepared.backbone.new_cache(len(rows), longest + max(self.limits))

    def positions(self) -> Tensor:
        return (self.valid.cumsum(-1) - 1).clamp(min=0)

    def mask(self) -> Tensor | None:
        """(B, 1, 1, cached) for one query a row; None where nothing is padding."""
        return None if bool(self.valid.all()) else self.valid[:, None, None]

    def keep(self, places: list[int]) -> None:
        index = torch.tensor(places, device=self.valid.device)
        self.rows = [self.rows[p] for p in places]
        self.limits = [self.limits[p] for p in places]
        self.drawn = [self.drawn[p] for p in places]
        self.noise = [self.noise[p] for p in places]
        self.draws = [self.draws[p] for p in places]
        self.labels, self.valid, self.last = self.labels[index], self.valid[index], self.last[index]
        self.cache = self.cache.keep(index)


class Sampler:
    """Draws answers from a prepared path. Safe to share: every call has its own state."""

    def __init__(self, prepared: PreparedPath) -> None:
        self.prepared = prepared

    def grid(self, config: SamplerConfig) -> Grid | Adaptive:
        """What a configuration buys with this adapter: guidance costs two passes an evaluation.

        Where the cap cannot hold even one evaluation and the read-out, it is a grid without points.
        """
        guided = config.guidance != 1.0
        if guided and not self.prepared.config.classes:
            raise ConfigError("guidance needs an adapter trained with classes; this one has none")
        passes = 2 if guided else 1
        if config.method in ADAPTIVE:
            return _adaptive(config, passes)
        if config.points is None:
            return finest_grid(config.method, config.max_nfe, passes)
        grid = Grid(config.method, config.points, passes)
        if grid.nfe > config.max_nfe:
            raise ConfigError(
                f"{config.points} points of {config.method} take {grid.nfe} evaluations a token, "
                f"the cap is {config.max_nfe}"
            )
        return grid

    @torch.no_grad()
    def generate(
        self, rows: Sequence[Row], config: SamplerConfig, hooks: Hooks = NO_HOOKS
    ) -> Generator[Token, None, None]:
        """Tokens of all rows in the order they are drawn; a row's do not depend on its batch.

        `hooks.before` is called before every pass and may raise to stop; `hooks.after` is told of
        every evaluation once it was made.
        """
        grid = self.grid(config)
        if not rows or any(not row.prompt for row in rows):
            raise ConfigError("every row needs a prompt of at least one token")
        hooks.before()
        state = _State(self.prepared, rows, config)
        hidden = self._prefill(state)
        while True:
            base = self.prepared.backbone.logits(hidden)  # (B, 1, V)
            if grid.nfe:
                refined = self._refine(state, hidden, grid, config, hooks)
            else:
                refined = _Refined(base, [0] * len(base), [Ending.FINISHED] * len(base))
            ids = refined.logits.argmax(-1)[:, 0]
            tokens = self._tokens(state, ids, base.argmax(-1)[:, 0], refined)
            yield from tokens
            going = [place for place, token in enumerate(tokens) if not token.last]
            if not going:
                return
            if len(going) < len(tokens):
                state.keep(going)
                ids = ids[going]
            hooks.before()
            hidden = self._decode(state, ids)

    def _tokens(
        self, state: _State, ids: Tensor, base_ids: Tensor, refined: _Refined
    ) -> list[Token]:
        tokens = []
        work = zip(ids.tolist(), base_ids.tolist(), refined.nfe, refined.endings, strict=True)
        for place, (id_, base_id, nfe, ending) in enumerate(work):
            state.drawn[place] += 1
            ended = id_ in self.prepared.backbone.eos_ids
            last = ended or state.drawn[place] >= state.limits[place]
            tokens.append(Token(state.rows[place], id_, base_id, nfe, last, ending))
        return tokens

    def _prefill(self, state: _State) -> Tensor:
        mask = causal_mask(state.valid)
        hidden = self.prepared.backbone.forward(state.ids, state.cache, state.positions(), mask)
        return hidden[:, -1:]

    def _decode(self, state: _State, ids: Tensor) -> Tensor:
        one = torch.ones_like(state.valid[:, :1])
        state.valid = torch.cat((state.valid, one), dim=-1)
        state.last = ids
        positions = state.positions()[:, -1:]
        return self.prepared.backbone.forward(ids[:, None], state.cache, positions, state.mask())

    def _refine(
        self,
        state: _State,
        hidden: Tensor,
        grid: Grid | Adaptive,
        config: SamplerConfig,
        hooks: Hooks,
    ) -> _Refined:
        """The read-out of every row, from fresh noise of its own generator."""
        settings, backbone = self.prepared.config, self.prepared.backbone
        noise = torch.stack([torch.randn(1, settings.flow_dim, generator=g) for g in state.noise])
        x_0 = (noise * settings.noise_scale).to(hidden.device, torch.float64)
        rope = backbone.rotary(state.positions()[:, -1:])
        token = backbone.embedding[state.last][:, None]
        context = Context(state.cache, token, hidden, rope, state.mask())
        # Adaptive rows go one after the other: with steps shared, a row would depend on its batch.
        size = 1 if isinstance(grid, Adaptive) else len(state.rows)
        logits, nfe, endings = list[Tensor](), list[int](), list[Ending]()
        for first in range(0, len(state.rows), size):
            here = slice(first, first + size)
            part, labels, draws = part_of(context, here), state.labels[here], state.draws[here]
            work = Refinement(self.prepared, part, labels, config, draws, hooks)
            logits.append(work.run(grid, x_0[here])[1])
            nfe += [work.nfe] * size
            endings += [work.ending] * size
        return _Refined(torch.cat(logits), nfe, endings)


def _adaptive(config: SamplerConfig, passes: int) -> Grid | Adaptive:
    if config.points is not None:
        raise ConfigError(
            f"{config.method} chooses its own steps: leave points out, got {config.points}"
        )
    if config.max_nfe <= passes:
        return Grid("euler", 0, passes)
    return Adaptive(config.method, config.max_nfe, passes, config.rtol, config.atol)
