"""The engine's passes by compiled code: bfloat16 weights on a CPU, all else in float32.

One row takes little more than its weights take to come from memory, and rows share that.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from kernels import forms
from kernels.forms import Rows, Sizes, Work
from kernels.layers import run
from kernels.memory import gigabytes_per_second
from kernels.products import LANES
from kernels.team import Team
from model.backbone import Backbone, KVCache, Layer
from model.l2d import Context
from model.passes import Place, TorchPasses
from model.prepared import PreparedPath
from model.refinement import Ask
from model.slots import Slots


def supports(backbone: Backbone) -> bool:
    """Whether the compiled passes can run this LM: on a CPU, in bfloat16, with even sizes."""
    s = backbone.shape
    even = (s.hidden, s.heads * s.head_dim, s.head_dim, s.mlp)
    on_cpu = backbone.device.type == "cpu" and backbone.dtype is torch.bfloat16
    return on_cpu and all(size % LANES == 0 for size in even)


class CompiledPasses:
    """model.passes.Passes, with threads of its own. One caller at a time.

    The caller's torch should keep to one thread beside them: the workers that it would wake look
    for more work for a while, on the cores that these threads need.
    """

    def __init__(self, prepared: PreparedPath, threads: int, int8: bool = False) -> None:
        """Compiles for about ten seconds where that was not done before on this machine.

        With `int8` the matrices are rounded to 255 steps a row: half the memory to read.
        """
        backbone = prepared.backbone
        self.prepared, self.backbone, self.team = prepared, backbone, Team(threads)
        own = [(y.qkv, y.o, y.gate_up, y.down) for y in backbone.layers]
        self._base, self._path = (_Table(backbone, each, int8) for each in (own, prepared.layers))
        self._head = Matrix.of(backbone.head, int8)
        self._plain = _plain_modulations(backbone)
        self._angles = _angles(backbone, 0)
        self._work, self._by_torch = _Buffers(backbone, threads), TorchPasses(prepared)
        s = Sizes(0, 0, 0, 0, 0, 0, 0, 0, 0)
        nothing = self._base.addresses, (0, 0, 0), backbone.shape.norm_eps, 0, Rows(*[0] * 6)
        run(0, 1, 0, s, *nothing, Work(*[0] * 10))

    def read(self, ids: Sequence[int], cache: KVCache) -> Tensor:
        """H (1, S, h) of ids (S) behind what is cached: many rows, for which torch is as fast."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.team.threads)
        try:
            return self._by_torch.read(ids, cache)
        finally:
            torch.set_num_threads(before)

    def gigabytes_per_second(self) -> float:
        """How fast these threads read memory; a pass of one row cannot be faster than that."""
        return gigabytes_per_second(self.team)

    def close(self) -> None:
        """End the threads."""
        self.team.close()

    def decode(self, kv: Slots, rows: Sequence[Place]) -> tuple[Tensor, Tensor]:
        """H (B, 1, h) and logits (B, 1, V) behind every row's token, which enters its slot."""
        R, places = len(rows), [row.length for row in rows]
        x = self.backbone.embedding[torch.tensor([row.token for row in rows])].float()
        mods, exits = [self._plain.data_ptr()] * R, [0] * R
        hidden = torch.empty(x.shape)
        logits = self._run(self._base, kv, rows, places, mods, exits, x, hidden)
        return hidden[:, None], logits[:, None]

    def evaluate(
        self, kv: Slots, rows: Sequence[Place], asks: Sequence[Ask]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Of every row the states (1, Q, h) and logits (1, Q, V) that its Q queries come to."""
        widths = [ask.x.shape[1] for ask in asks]
        made = [self.prepared.at(ask.t, label) for ask in asks for label in ask.labels[0].tolist()]
        each = [row for row, q in zip(rows, widths, strict=True) for _ in range(q)]
        hidden = torch.cat([row.hidden[0] for row in each]).float()
        own = [row.carried[0].expand(q, -1) for row, q in zip(rows, widths, strict=True)]
        token = self.backbone.embedding[torch.tensor([row.token for row in each])].float()
        context = Context(kv.cache, token, hidden, (token, token), None, torch.cat(own).float())
        scale = torch.stack([mods.scale for _, mods in made])[:, None]
        x = torch.cat([ask.x[0] for ask in asks]).float() / scale
        x = self.prepared.path.begin(x, context).contiguous()
        mods = [six.data_ptr() for six, _ in made]
        exits = [mods.exit.data_ptr() for _, mods in made]
        places = [row.length - 1 for row in each]
        logits = self._run(self._path, kv, each, places, mods, exits, x, hidden)
        return hidden[None].split(widths, dim=1), logits[None].split(widths, dim=1)

    def _run(
        self,
        table: "_Table",
        kv: Slots,
        rows: Sequence[Place],
        places: Sequence[int],
        mods: Sequence[int],
        exits: Sequence[int],
        x: Tensor,
        hidden: Tensor,
    ) -> Tensor:
        """Logits (R, V); `hidden` (R, h), float32, becomes the states behind them."""
        s, R = self.backbone.shape, len(rows)
        table.turn_to(kv.cache)
        if max(places) >= len(self._angles[0]):
            self._angles = _angles(self.backbone, max(places))
        cos, sin = (angle[torch.tensor(places)] for angle in self._angles)
        numbers = [[row.slot for row in rows], [row.length for row in rows], mods, exits]
        each = torch.tensor(numbers)
        logits = torch.empty(R, s.vocab)
        room = kv.cache.keys[0].shape[2]
        work = self._work.of(R, room, x, hidden, logits)
        sizes = Sizes(
            s.layers, s.hidden, s.heads, s.kv_heads, s.head_dim, s.mlp, s.vocab, room,
            int(table is self._base),
        )  # fmt: skip
        ending = self.backbone.norm.data_ptr(), self._head.address, _address(self._head.scales)
        own = Rows._make([row.data_ptr() for row in (*each, cos, sin)])
        self.team.run(run, sizes, table.addresses, ending, s.norm_eps, R, own, work)
        return logits


class Matrix(NamedTuple):
    """Weights (n, K), bfloat16; or int8 with the float32 scale (n) of every row."""

    weight: Tensor
    scales: Tensor | None

    @classmethod
    def of(cls, weight: Tensor, int8: bool) -> "Matrix":
        """As it is, or each row in whole steps of a 127th of its largest weight."""
        if not int8:
            return cls(weight.contiguous(), None)
        exact = weight.float()
        scales = exact.abs().amax(dim=1).clamp(min=1e-12) / 127
        return cls((exact / scales[:, None]).round().to(torch.int8), scales)

    @property
    def address(self) -> int:
        return self.weight.data_ptr()


class _Table:
    """Addresses of the matrices of a pass and of the slots it reads."""

    def __init__(self, backbone: Backbone, layers: Sequence[Sequence[Any]], int8: bool) -> None:
        self.addresses = np.zeros((len(layers), forms.COLUMNS), np.int64)
        self._kept = list[object](layers)  # what the addresses point to
        self._cache: KVCache | None = None
        for row, base, (qkv, o, gate_up, down) in zip(
            self.addresses, backbone.layers, layers, strict=True
        ):
            mlp = backbone.shape.mlp
            gate, up = gate_up.rows(0, mlp), gate_up.rows(mlp, 2 * mlp)
            for column, linear in enumerate((qkv, o, gate, up, down)):
                matrix = Matrix.of(linear.weight, int8)
                self._kept.append(matrix)
                row[forms.QKV + column] = matrix.address
                row[forms.QKV_SCALES + column] = _address(matrix.scales)
                row[forms.QKV_BIAS + column] = _address(linear.bias)
            row[forms.Q_NORM], row[forms.K_NORM] = _address(base.q_norm), _address(base.k_norm)
            row[forms.WINDOW], row[forms.ROTARY] = base.window or 0, base.rotary

    def turn_to(self, cache: KVCache) -> None:
        if cache is not self._cache:
            self.addresses[:, forms.KEYS] = [x.data_ptr() for x in cache.keys]
            self.addresses[:, forms.VALUES] = [x.data_ptr() for x in cache.values]
            self._cache = cache


class _Buffers:
    """Memory for what a pass works out on the way."""

    def __init__(self, backbone: Backbone, threads: int) -> None:
        self._shape, self._threads, self._memory = backbone.shape, threads, torch.empty(0)

    def of(self, R: int, room: int, x: Tensor, hidden: Tensor, logits: Tensor) -> Work:
        s = self._shape
        wide = (s.heads + 2 * s.kv_heads) * s.head_dim
        sizes = [self._threads * R * s.hidden, R * wide, R * s.heads * s.head_dim]
        sizes += [R * s.mlp, R * s.mlp, R * s.hidden, self._threads * (3 * s.head_dim + room + 16)]
        starts = np.cumsum([0, *(-(-size // LANES) * LANES for size in sizes)]).tolist()
        if starts[-1] > len(self._memory):
            self._memory = torch.empty(starts[-1])
        start = self._memory.data_ptr()
        on_the_way = [start + 4 * place for place in starts[:-1]]
        return Work._make([x.data_ptr(), hidden.data_ptr(), *on_the_way, logits.data_ptr()])


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


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
