"""The engine's passes by compiled code on a CPU: weights in few bits, all else in float32.

One row takes little more than its weights take to come from memory, and rows share that.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from kernels.entry import NOTHING, Entry, EntryWeights
from kernels.forms import Rows, Sizes, Work
from kernels.layers import run
from kernels.memory import gigabytes_per_second
from kernels.packing import DIGITS, PLAIN, UNIT, packing_bytes
from kernels.products import scratch_bytes
from kernels.table import Table, Weights
from kernels.team import Team
from kernels.telling import PARTS, TOLD
from kernels.tiles import BLOCK, LANES, WIDTH
from kernels.unit import AVAILABLE
from model.backbone import Backbone, Layer
from model.choice import Logits
from model.passes import Piece, Place
from model.prepared import PreparedPath
from model.refinement import Ask
from model.slots import Slots

Told = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
"""Of logits (R, V), (R, 3): see kernels.telling."""


def supports(backbone: Backbone) -> bool:
    """Whether the compiled passes can run this LM: on a CPU, in bfloat16, with even sizes."""
    s = backbone.shape
    blocks = (s.hidden, s.heads * s.head_dim, s.mlp)
    on_cpu = backbone.device.type == "cpu" and backbone.dtype is torch.bfloat16
    return on_cpu and s.head_dim % LANES == 0 and all(size % BLOCK == 0 for size in blocks)


class CompiledPasses:
    """model.passes.Passes, with threads of its own. One caller at a time.

    The caller's torch should keep to one thread beside them: the workers that it would wake look
    for more work for a while, on the cores that these threads need.
    """

    def __init__(
        self, prepared: PreparedPath, threads: int, weights: Weights | None = None
    ) -> None:
        """Compiles for about twenty seconds where that was not done before on this machine.

        `weights` are those to read instead of the backbone's in bfloat16.
        """
        weights = weights or Weights.of(prepared)
        backbone = prepared.backbone
        self.prepared, self.backbone, self.team = prepared, backbone, Team(threads)
        self._base, self._path = Table(backbone, weights.base), Table(backbone, weights.path)
        self._own = self._path if prepared.reads_itself else self._base
        self._head, self._change = weights.head, (weights.rank, weights.change)
        self._laned = weights.laned
        self.weights_bytes = weights.base_bytes
        """What one pass of the LM reads."""
        self._plain = _plain_modulations(backbone)
        self._angles = _angles(backbone, 0)
        self._entry = EntryWeights(prepared.path)
        self._work = _Buffers(backbone, threads, weights.rank, self._entry.width)
        s = Sizes(*[0] * 12)
        nothing = (
            self._base.addresses,
            NOTHING,
            (0, 0, 0),
            backbone.shape.norm_eps,
            0,
            0,
            Rows(*[0] * 7),
        )
        run(0, 1, 0, s, *nothing, Work(*[0] * 15))

    def read(
        self, kv: Slots, pieces: Sequence[Piece], own: bool = False
    ) -> tuple[Tensor, Sequence[Logits]]:
        """H (B, 1, h) and B logits (1, 1, V) behind each piece's last token; all enter their slots.

        Every token is a row, whose prompt it belongs to does not matter.
        """
        ids = [id_ for piece in pieces for id_ in piece.ids]
        slots = [piece.slot for piece in pieces for _ in piece.ids]
        places = [piece.start + i for piece in pieces for i in range(len(piece.ids))]
        last = np.cumsum([len(piece.ids) for piece in pieces]) - 1
        hidden, logits = self._forward(kv, ids, slots, places, last.tolist(), own)
        return hidden[last][:, None], logits

    def gigabytes_per_second(self) -> float:
        """How fast these threads read memory; a pass of one row cannot be faster than that."""
        return gigabytes_per_second(self.team)

    def close(self) -> None:
        """End the threads."""
        self.team.close()

    def decode(
        self, kv: Slots, rows: Sequence[Place], own: bool = False
    ) -> tuple[Tensor, Sequence[Logits]]:
        """H (B, 1, h) and B logits (1, 1, V) behind every row's token, which enters its slot."""
        each = [row.token for row in rows], [row.slot for row in rows], [row.length for row in rows]
        hidden, logits = self._forward(kv, *each, range(len(rows)), own)
        return hidden[:, None], logits

    def evaluate(
        self, kv: Slots, rows: Sequence[Place], asks: Sequence[Ask]
    ) -> tuple[Sequence[Tensor], Sequence[Logits]]:
        """Of every row the states (1, Q, h) and logits (1, Q, V) that its Q queries come to."""
        widths = [ask.x.shape[1] for ask in asks]
        made = [self.prepared.at(ask.t, label) for ask in asks for label in ask.labels[0].tolist()]
        each = [row for row, q in zip(rows, widths, strict=True) for _ in range(q)]
        hidden = torch.cat([row.hidden[0] for row in each]).float()
        own = [r.carried[0, :q].expand(q, -1) for r, q in zip(rows, widths, strict=True)]
        carried = torch.cat(own).float()
        scale = torch.stack([mods.scale for _, mods in made])[:, None]
        state = self._entry.state(torch.cat([ask.x[0] for ask in asks]).float() / scale)
        entry = self._entry.addressed(state, carried)
        x = self._embedded([row.token for row in each])
        if not self.prepared.path.from_token:
            x.zero_()
        mods = [six.data_ptr() for six, _ in made]
        exits = [mods.exit.data_ptr() for _, mods in made]
        slots, lengths = [row.slot for row in each], [row.length for row in each]
        places, ends = [length - 1 for length in lengths], range(len(each))
        rows_of = slots, lengths, mods, exits
        made_of = self._run(self._path, kv, rows_of, places, ends, x, hidden, entry)
        return hidden[None].split(widths, dim=1), _each(*made_of, widths)

    def _forward(
        self,
        kv: Slots,
        ids: Sequence[int],
        slots: Sequence[int],
        lengths: Sequence[int],
        ends: Sequence[int],
        own: bool,
    ) -> tuple[Tensor, list[Logits]]:
        """H (R, h) of a pass of the LM, or as the path reads; logits of the rows `ends`."""
        x = self._embedded(ids)
        hidden = torch.empty(x.shape)
        plain = [self._plain.data_ptr()] * len(ids), [0] * len(ids)
        rows = slots, lengths, *plain
        table = self._own if own else self._base
        made = self._run(table, kv, rows, lengths, ends, x, hidden)
        return hidden, _each(*made, [1] * len(ends))

    def _embedded(self, ids: Sequence[int]) -> Tensor:
        """E of these tokens (R, h), float32."""
        return self.backbone.embedding[torch.tensor(ids)].float()

    def _run(
        self,
        table: Table,
        kv: Slots,
        rows: Sequence[Sequence[int]],
        places: Sequence[int],
        ends: Sequence[int],
        x: Tensor,
        hidden: Tensor,
        entry: Entry = NOTHING,
    ) -> tuple[Tensor, Told]:
        """Logits (ends, V), what is told of them (ends, 3).

        `hidden` (R, h), float32, becomes the states behind all rows.

        `rows` are their slots, lengths, and addresses of modulations and exits; `places` is where
        in the text they stand.
        """
        s, R = self.backbone.shape, len(x)
        table.turn_to(kv.cache)
        if max(places) >= len(self._angles[0]):
            self._angles = _angles(self.backbone, max(places))
        cos, sin = (angle[torch.tensor(places)] for angle in self._angles)
        each, wanted = torch.tensor(rows), torch.tensor(ends)
        logits = torch.empty(len(ends), s.vocab)
        told = np.empty((len(ends), TOLD), np.float32)
        room = kv.cache.keys[0].shape[2]
        packing = DIGITS if self._laned else UNIT if AVAILABLE and R > WIDTH else PLAIN
        work = self._work.of(R, room, packing, x, hidden, logits, told)
        sizes = Sizes(
            s.layers, s.hidden, s.heads, s.kv_heads, s.head_dim, s.mlp, s.vocab, room,
            int(entry is NOTHING), *self._change, packing,
        )  # fmt: skip
        ending = self.backbone.norm.data_ptr(), self._head.address, self._head.form
        own = Rows._make([row.data_ptr() for row in (*each, cos, sin, wanted)])
        self.team.run(
            run, sizes, table.addresses, entry, ending, s.norm_eps, R, len(ends), own, work
        )
        return logits, told


class _Buffers:
    """Memory for what a pass works out on the way."""

    def __init__(self, backbone: Backbone, threads: int, rank: int, width: int) -> None:
        self._shape, self._threads, self._rank = backbone.shape, threads, rank
        self._inner = max(backbone.shape.mlp, width)
        self._memory = torch.empty(0)

    def of(
        self,
        R: int,
        room: int,
        packing: int,
        x: Tensor,
        hidden: Tensor,
        logits: Tensor,
        told: Told,
    ) -> Work:
        starts = self._starts(R, room, packing)
        if starts[-1] > len(self._memory):
            self._memory = torch.empty(starts[-1])
        start = self._memory.data_ptr()
        *on_the_way, parts = [start + 4 * place for place in starts[:-1]]
        ends = logits.data_ptr(), parts, told.ctypes.data
        return Work._make([x.data_ptr(), hidden.data_ptr(), *on_the_way, *ends])

    @lru_cache(maxsize=64)  # noqa: B019  # as many as there are sizes of batches; lives as long
    def _starts(self, R: int, room: int, packing: int) -> list[int]:
        """Where each begins, in float32, and behind the last."""
        s = self._shape
        wide = (s.heads + 2 * s.kv_heads) * s.head_dim
        sizes = [self._threads * R * s.hidden, R * wide, R * s.heads * s.head_dim]
        longest = max(s.hidden, s.mlp, s.heads * s.head_dim)
        sizes += [R * self._inner, R * s.mlp, R * s.hidden, 2 * R * self._rank]
        packed = packing_bytes(packing, R, longest, self._rank, self._threads) if packing else 0
        sizes += [self._threads * scratch_bytes(longest) // 4, packed // 4]
        sizes += [self._threads * (2 * s.head_dim + room + 16), self._threads * R * PARTS]
        return [0, *accumulate(-(-size // LANES) * LANES for size in sizes)]


def _each(logits: Tensor, told: Told, widths: Sequence[int]) -> list[Logits]:
    """Of every row, (1, Q, V), from those (R, V) of all and what is told of them (R, 3)."""
    values, finite = logits[None], np.isfinite(told[:, 2]).tolist()
    best = torch.from_numpy(told[:, 0].astype(np.int64))[None]
    entropy = torch.from_numpy(told[:, 1])[None]
    rows = [slice(end - q, end) for q, end in zip(widths, accumulate(widths), strict=True)]
    return [
        Logits.known(values[:, its], best[:, its], entropy[:, its], all(finite[its]))
        for its in rows
    ]


def _plain_modulations(backbone: Backbone) -> Tensor:
    """(L, 6, h): those with which a pass of the path is a pass of the LM."""
    one, zero = torch.ones_like(backbone.norm), torch.zeros_like(backbone.norm)

    def six(layer: Layer) -> Tensor:
        return torch.stack([layer.norm1, zero, one, layer.norm2, zero, one])

    return torch.stack([six(layer) for layer in backbone.layers])


def _angles(backbone: Backbone, last: int) -> tuple[Tensor, Tensor]:
    """cos and signed sin (S, D) in float32, for twice as many positions as are needed now."""
    precise = replace(backbone, embedding=backbone.embedding[:0].float())  # whose precision it is
    cos, sin = precise.rotary(torch.arange(max(1024, 2 * last))[None])
    return cos[0], sin[0]
