"""Keys and values of the rows under way: a slot a row, so that those of a batch lie side by side.

Every row fills its slot from position 0 on to a length of its own; what lies behind is masked. A
prompt is read apart from them, then copied into the slots of the rows that share it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.backbone import Backbone, KVCache

_ROWS, _POSITIONS = 8, 128
"""Slots grow in such steps."""


class Slots:
    """Row i stands in slot i. Keys and values of each layer are (slots, G, positions, D).

    They lie in one piece, so that a row is copied, moved or swapped by one operation.
    """

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._hold(self._blank(0, 0))

    def _blank(self, rows: int, positions: int) -> Tensor:
        s, b = self.backbone.shape, self.backbone
        size = (2, s.layers, rows, s.kv_heads, positions, s.head_dim)
        return torch.zeros(size, dtype=b.dtype, device=b.device)

    def _hold(self, whole: Tensor) -> None:
        self._whole = whole  # (2, L, slots, G, positions, D)
        self.cache = KVCache([*whole[0]], [*whole[1]])

    def reserve(self, rows: int, positions: int) -> None:
        """Room for this many rows, each this long; what is there stays."""
        _, _, n, _, room, _ = self._whole.shape
        if rows <= n and positions <= room:
            return
        larger = self._blank(max(n, _up(rows, _ROWS)), max(room, _up(positions, _POSITIONS)))
        larger[:, :, :n, :, :room] = self._whole
        self._hold(larger)

    def enter(self, slot: int, others: "Slots", its: int, length: int) -> None:
        """A row begins with the first tokens of one of other slots."""
        self._whole[:, :, slot, :, :length] = others._whole[:, :, its, :, :length]
        self._whole[:, :, slot, :, length:] = 0  # a mask would not keep out a NaN left by another

    def move(self, slot: int, to: int) -> None:
        self._whole[:, :, to] = self._whole[:, :, slot]

    def swap(self, a: int, b: int, length: int) -> None:
        """Two rows change places; neither is longer than `length`."""
        one, other = (self._whole[:, :, i, :, :length] for i in (a, b))
        kept = one.clone()
        one.copy_(other)
        other.copy_(kept)

    def row(self, slot: int, length: int) -> KVCache:
        """One slot with so many tokens in it, as a cache of one row; not copied."""
        keys, values = (
            [store[slot : slot + 1] for store in each]
            for each in (self.cache.keys, self.cache.values)
        )
        return KVCache(keys, values, length)

    def part(self, first: int, lengths: Sequence[int]) -> "Part":
        """The slots from `first` on, whose rows have these lengths, as a cache."""
        return Part(self.cache, first, lengths)


class Part(KVCache):
    """Some slots side by side, without a copy. What is appended lies behind each row."""

    def __init__(self, cache: KVCache, first: int, lengths: Sequence[int]) -> None:
        super().__init__(cache.keys, cache.values, max(lengths))
        self._rows = slice(first, first + len(lengths))
        self._ends = None if min(lengths) == self.length else torch.tensor(lengths)

    def mask(self, new: int = 0) -> Tensor | None:
        """(B, 1, 1, T) for one query a row, `new` tokens longer; None where all are of a length."""
        if self._ends is None:
            return None
        seen = torch.arange(self.length + new) < self._ends[:, None] + new
        return seen[:, None, None].to(self.keys[0].device)

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write one token a row (B, G, 1, D), each behind its own."""
        for store, new in ((self.keys[layer], k), (self.values[layer], v)):
            rows = store[self._rows]
            if self._ends is None:
                rows[:, :, self.length : self.length + 1] = new
            else:
                rows[torch.arange(len(rows)), :, self._ends] = new[:, :, 0]
        return self.view(layer, self.length + 1)

    def view(self, layer: int, end: int | None = None) -> tuple[Tensor, Tensor]:
        end = self.length if end is None else end
        return self.keys[layer][self._rows, :, :end], self.values[layer][self._rows, :, :end]


def _up(n: int, step: int) -> int:
    return -(-n // step) * step
