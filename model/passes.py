"""The passes an engine makes: of the LM over a prompt or a token a row, of the path. Here by torch.

Another way to make them (faster on some processor) needs only the same methods.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from model.backbone import Backbone, KVCache
from model.choice import Logits
from model.l2d import Context
from model.prepared import PreparedPath
from model.refinement import Ask
from model.slots import Slots


class Place(Protocol):
    """Where a row stands."""

    slot: int
    token: int
    """Its newest id."""
    length: int
    """Tokens in its slot."""
    hidden: Tensor  # H (1, 1, h)
    carried: Tensor  # (1, Q, h), what its newest evaluation came to; before the first, H


class Piece(NamedTuple):
    """What is read next of a prompt."""

    slot: int
    start: int
    """Tokens of it that are in its slot already."""
    ids: tuple[int, ...]


class Passes(Protocol):
    """Rows stand in slots side by side."""

    def read(
        self, kv: Slots, pieces: Sequence[Piece], own: bool = False
    ) -> tuple[Tensor, Sequence[Logits]]:
        """H (B, 1, h) and B logits (1, 1, V) behind each piece's last token; all enter their slots.

        No two pieces are of one slot. `own`: as the path reads, not as the LM does.
        """
        ...

    def decode(
        self, kv: Slots, rows: Sequence[Place], own: bool = False
    ) -> tuple[Tensor, Sequence[Logits]]:
        """H (B, 1, h) and B logits (1, 1, V) behind every row's token, which enters its slot."""
        ...

    def evaluate(
        self, kv: Slots, rows: Sequence[Place], asks: Sequence[Ask]
    ) -> tuple[Sequence[Tensor], Sequence[Logits]]:
        """Of every row the states (1, Q, h) and logits (1, Q, V) that its Q queries come to."""
        ...


class TorchPasses:
    """On every device, in the precision of the LM."""

    def __init__(self, prepared: PreparedPath) -> None:
        self.prepared, self.backbone = prepared, prepared.backbone

    @torch.no_grad()
    def read(
        self, kv: Slots, pieces: Sequence[Piece], own: bool = False
    ) -> tuple[Tensor, Sequence[Logits]]:
        reader = self._reader(own)
        hidden = torch.cat([self._read(reader, kv.row(p.slot, p.start), p.ids) for p in pieces])
        return hidden, self._logits(hidden)

    def _reader(self, own: bool) -> Backbone:
        return self.prepared.reader if own else self.backbone

    def _read(self, reader: Backbone, cache: KVCache, ids: Sequence[int]) -> Tensor:
        """One after the other: pieces differ in where they stand and in how long they are."""
        places = torch.arange(cache.length + len(ids), device=self.backbone.device)
        new, row, seen = places[cache.length :], self._tensor([ids]), places[:, None] >= places
        seen = seen[cache.length :][None, None]
        return reader.forward(row, cache, new[None], seen)[:, -1:]

    @torch.no_grad()
    def decode(
        self, kv: Slots, rows: Sequence[Place], own: bool = False
    ) -> tuple[Tensor, Sequence[Logits]]:
        cache = kv.part(rows[0].slot, [r.length for r in rows])
        ids = self._tensor([[r.token] for r in rows])
        positions = self._tensor([[r.length] for r in rows])
        hidden = self._reader(own).forward(ids, cache, positions, cache.mask(new=1))
        return hidden, self._logits(hidden)

    def _logits(self, hidden: Tensor) -> list[Logits]:
        return [Logits(row) for row in self.backbone.logits(hidden).split(1)]

    def evaluate(
        self, kv: Slots, rows: Sequence[Place], asks: Sequence[Ask]
    ) -> tuple[Sequence[Tensor], Sequence[Logits]]:
        widths = [ask.x.shape[1] for ask in asks]
        Q = max(widths)  # where one is guided, the others ask the same twice
        x = torch.cat([ask.x.expand(-1, Q, -1) for ask in asks])
        labels = torch.cat([ask.labels.expand(-1, Q) for ask in asks])
        context = self._context(kv, rows, widths, Q)
        hidden = self.prepared.hidden(x, [ask.t for ask in asks], labels, context)
        own = [hidden[i : i + 1, :q] for i, q in enumerate(widths)]
        logits = self.backbone.logits(torch.cat(own, dim=1))
        return own, [Logits(row) for row in logits.split(widths, dim=1)]

    def _context(self, kv: Slots, rows: Sequence[Place], widths: Sequence[int], Q: int) -> Context:
        cache = kv.part(rows[0].slot, [r.length for r in rows])
        rope = self.backbone.rotary(self._tensor([[r.length - 1] for r in rows]))
        token = self.backbone.embedding[self._tensor([[r.token] for r in rows])]
        hidden, carried = torch.cat([r.hidden for r in rows]), None
        if self.prepared.config.carry:
            own = [r.carried[:, :q].expand(-1, Q, -1) for r, q in zip(rows, widths, strict=True)]
            carried = torch.cat(own)
        token, hidden, cos, sin = (y.expand(-1, Q, -1) for y in (token, hidden, *rope))
        return Context(cache, token, hidden, (cos, sin), cache.mask(), carried)

    def _tensor(self, numbers: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(numbers, device=self.backbone.device)
