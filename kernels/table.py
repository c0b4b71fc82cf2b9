"""The matrices of the LM's passes and of the path's, and the table of their addresses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from kernels import forms
from kernels.tiles import BFLOAT, BLOCK, LANED_EIGHT, LANED_FOUR
from kernels.unit import DOTS
from kernels.weights import Matrix
from model import published
from model.backbone import Backbone, KVCache, Layer, Linear
from model.errors import WeightsError
from model.l2d import PathLayer
from model.lora import Adapted, Pair
from model.prepared import PreparedPath

_CHANGE: Callable[[Tensor], Matrix] = Matrix.eight if DOTS else Matrix.of
"""Of dot products eight bits are enough: a change is small beside what it changes."""


class Change(NamedTuple):
    """Low-rank, beside a matrix that stays: A (rank, K), B (n, rank)."""

    A: Matrix
    B: Matrix

    @classmethod
    def of(cls, pair: Pair, form: Callable[[Tensor], Matrix] = Matrix.of) -> "Change":
        """With zeros up to a rank that fills blocks."""
        missing = -pair.A.shape[1] % BLOCK
        a, b = pair.A.detach() * pair.scale, pair.B.detach()
        a, b = (torch.nn.functional.pad(x.T.float(), pad) for x, pad in (
            (a, (0, 0, 0, missing)), (b, (0, missing)),
        ))  # fmt: skip
        return cls(form(a), form(b))


class Part(NamedTuple):
    """One of the five matrices of a layer, with what belongs to it."""

    matrix: Matrix
    bias: Tensor | None = None
    change: Change | None = None


class Weights(NamedTuple):
    """Of an LM and its path: five parts a layer (q k v, o, gate, up, down), and the head.

    The path's first is q alone, or q k v where the path reads for itself: it reads with the same.
    """

    base: list[list[Part]]
    path: list[list[Part]]
    head: Matrix

    @classmethod
    def of(cls, prepared: PreparedPath) -> "Weights":
        """In bfloat16, as the backbone has them, the path's changes merged."""
        return cls._in(Matrix.of, prepared)

    @classmethod
    def rounded(cls, prepared: PreparedPath) -> "Weights":
        """The same in eight bits."""
        return cls._in(Matrix.eight, prepared)

    @classmethod
    def _in(cls, form: Callable[[Tensor], Matrix], prepared: PreparedPath) -> "Weights":
        base = [_parts(layer, form) for layer in prepared.backbone.layers]
        path = [_parts(layer, form) for layer in _merged(prepared)]
        return cls(base, path, form(prepared.backbone.head))

    @classmethod
    def published(cls, prepared: PreparedPath, blocks: Mapping[str, Tensor]) -> "Weights":
        """As the base was published (model.published), the path's changes beside them.

        Raises WeightsError where the blocks are not those of the backbone's weights.
        """
        backbone = prepared.backbone
        kept = _Blocks(blocks)
        base = list[list[Part]]()
        for i, layer in enumerate(backbone.layers):
            parts = _parts(layer, Matrix.of)
            base.append([part._replace(matrix=kept.instead(part.matrix, i, m))
                         for m, part in enumerate(parts)])  # fmt: skip
        path = list[list[Part]]()
        unmerged: Sequence[Layer | PathLayer] = (
            prepared.path.reader(backbone).layers
            if prepared.reads_itself
            else prepared.path.layers(backbone)
        )
        for parts, own, merged in zip(base, unmerged, _merged(prepared), strict=True):
            changes = _changes(own)
            path.append(
                [part._replace(change=change) for part, change in zip(parts, changes, strict=True)]
                if changes
                else _parts(merged, Matrix.of)
            )
        return cls(base, path, kept.head(Matrix.of(backbone.head)))

    @property
    def base_bytes(self) -> int:
        """What a pass of the LM reads."""
        matrices = [part.matrix for parts in self.base for part in parts]
        return sum(matrix.data.nbytes for matrix in (*matrices, self.head))

    @property
    def laned(self) -> bool:
        """Whether any is read by kernels.digits."""
        parts = [part.matrix for layers in (self.base, self.path) for p in layers for part in p]
        return any(matrix.form in (LANED_EIGHT, LANED_FOUR) for matrix in (*parts, self.head))

    @property
    def change(self) -> int:
        """The form of the changes that are not merged."""
        change = self.path[0][0].change
        return BFLOAT if change is None else change.A.form

    @property
    def rank(self) -> int:
        """Of the changes that are not merged; 0 where there are none."""
        change = self.path[0][0].change
        return 0 if change is None else change.A.rows


class Table:
    """Addresses of the matrices of a pass and of the slots it reads."""

    def __init__(self, backbone: Backbone, layers: Sequence[Sequence[Part]]) -> None:
        self.addresses = np.zeros((len(layers), forms.COLUMNS), np.int64)
        self._kept = layers  # what the addresses point to
        self._cache: KVCache | None = None
        for row, base, parts in zip(self.addresses, backbone.layers, layers, strict=True):
            for m, (matrix, bias, change) in enumerate(parts):
                row[m], row[m + forms.FORM] = matrix.address, matrix.form
                row[m + forms.BIAS] = address(bias)
                if change is not None:
                    row[m + forms.A], row[m + forms.B] = change.A.address, change.B.address
            row[forms.Q_NORM], row[forms.K_NORM] = address(base.q_norm), address(base.k_norm)
            row[forms.WINDOW], row[forms.ROTARY] = base.window or 0, base.rotary

    def turn_to(self, cache: KVCache) -> None:
        """Read and write these slots."""
        if cache is not self._cache:
            self.addresses[:, forms.KEYS] = [x.data_ptr() for x in cache.keys]
            self.addresses[:, forms.VALUES] = [x.data_ptr() for x in cache.values]
            self._cache = cache


def address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


class _Blocks:
    """The published blocks, found by the names of a Llama's weights."""

    _NAMES = (
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        ("self_attn.o_proj",), ("mlp.gate_proj",), ("mlp.up_proj",), ("mlp.down_proj",),
    )  # fmt: skip

    def __init__(self, blocks: Mapping[str, Tensor]) -> None:
        self._blocks = blocks

    def instead(self, matrix: Matrix, layer: int, m: int) -> Matrix:
        names = [f"model.layers.{layer}.{name}.weight" for name in self._NAMES[m]]
        return self._same(matrix, names)

    def head(self, matrix: Matrix) -> Matrix:
        tied = "lm_head.weight" not in self._blocks
        return self._same(matrix, ["model.embed_tokens.weight" if tied else "lm_head.weight"])

    def _same(self, matrix: Matrix, names: list[str]) -> Matrix:
        n, K = matrix.data.shape
        if missing := [name for name in names if name not in self._blocks]:
            raise WeightsError(f"the published weights lack {missing[0]}")
        rows = torch.cat([self._blocks[name] for name in names]) if len(names) > 1 else (
            self._blocks[names[0]]
        )  # fmt: skip
        some = slice(None, None, 97)  # all were compared when they were kept
        if len(rows) != n or not torch.equal(
            published.numbers(rows[some], K).bfloat16(), matrix.data[some]
        ):
            raise WeightsError(f"the published weights of {names[0]} are not those of the base")
        return Matrix.published(rows, K).fastest()


def _parts(layer: Layer | PathLayer, form: Callable[[Tensor], Matrix]) -> list[Part]:
    first: Any = layer.qkv if isinstance(layer, Layer) else layer.q
    o, gate_up, down = cast(tuple[Linear, Linear, Linear], (layer.o, layer.gate_up, layer.down))
    mlp = down.weight.shape[1]
    gate, up = gate_up.rows(0, mlp), gate_up.rows(mlp, 2 * mlp)
    return [Part(form(linear.weight), linear.bias) for linear in (first, o, gate, up, down)]


def _merged(prepared: PreparedPath) -> Sequence[Layer | PathLayer]:
    """What the path has of its own: all that it reads with, where it reads for itself."""
    return prepared.reader.layers if prepared.reads_itself else prepared.layers


def _changes(layer: Layer | PathLayer) -> list[Change]:
    """Of the five matrices; none where the path has whole ones of its own."""
    first: Any = layer.qkv if isinstance(layer, Layer) else layer.q
    each = [p for p in (first, layer.o, layer.gate_up, layer.down) if isinstance(p, Adapted)]
    return [Change.of(pair, _CHANGE) for projection in each for pair in projection.pairs]
