"""The frozen language model: weights as plain tensors, one pass that leaves keys and values.

One pass serves every family of the Llama shape (pre-norm, rotary, gated MLP); what differs between
families (biases, query and key norms, head size, windows, layers without rotation) is data. What a
family's config means is said in families.py; reading transformers' modules is the job of hf.py.
"""

from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the LM. h = hidden, H query heads, G key/value heads, D head size, V vocabulary."""

    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp: int
    norm_eps: float


@dataclass(frozen=True, slots=True)
class Linear:
    """y = x W^T + b, with W (out, in)."""

    weight: Tensor
    bias: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        if x.numel() != x.shape[-1]:
            return F.linear(x, self.weight, self.bias)
        # one row: a matrix-vector product reads the weights faster
        row = x.reshape(-1)
        if self.bias is None:
            return torch.mv(self.weight, row).view(*x.shape[:-1], -1)
        return torch.addmv(self.bias, self.weight, row).view(*x.shape[:-1], -1)

    def rows(self, start: int, end: int) -> "Linear":
        """The part that gives outputs start..end, sharing the tensors."""
        return Linear(self.weight[start:end], None if self.bias is None else self.bias[start:end])


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder layer. q, k, v and gate, up are one matrix each: fewer, larger products."""

    norm1: Tensor
    norm2: Tensor
    qkv: Linear
    o: Linear
    gate_up: Linear
    down: Linear
    q_norm: Tensor | None = None
    k_norm: Tensor | None = None
    window: int | None = None
    """Keys a query sees, its own included; None: all before it."""
    rotary: bool = True

    def turned(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        """Queries or keys (B, heads, S, D) with their place in them, where this layer wants it."""
        return rotate(x, rope) if self.rotary else x


@dataclass(slots=True)
class KVCache:
    """Keys (rotated) and values of every layer, each (B, G, capacity, D), filled up to `length`."""

    keys: list[Tensor]
    values: list[Tensor]
    length: int = 0

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write (B, G, S, D) behind what is there; returns views up to and including it."""
        end = self.length + k.shape[2]
        self.keys[layer][:, :, self.length : end] = k
        self.values[layer][:, :, self.length : end] = v
        return self.view(layer, end)

    def view(self, layer: int, end: int | None = None) -> tuple[Tensor, Tensor]:
        end = self.length if end is None else end
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def keep(self, rows: Tensor) -> "KVCache":
        """The same cache with only these rows (indices)."""
        return KVCache([k[rows] for k in self.keys], [v[rows] for v in self.values], self.length)


@dataclass(frozen=True)
class Backbone:
    """A frozen LM as tensors. Never trained, never changed; safe to share between threads."""

    shape: Shape
    embedding: Tensor  # E (V, h)
    layers: tuple[Layer, ...]
    norm: Tensor  # (h,)
    head: Tensor  # (V, h); the embedding itself where tied
    inv_freq: Tensor  # rotary frequencies (D/2,), float32
    rope_scale: float = 1.0
    eos_ids: frozenset[int] = field(default_factory=frozenset)

    @property
    def dtype(self) -> torch.dtype:
        return self.embedding.dtype

    @property
    def device(self) -> torch.device:
        return self.embedding.device

    def new_cache(self, batch: int, capacity: int) -> KVCache:
        s = self.shape
        size = (batch, s.kv_heads, capacity, s.head_dim)

        def blank() -> list[Tensor]:
            return [
                torch.zeros(size, dtype=self.dtype, device=self.device) for _ in range(s.layers)
            ]

        return KVCache(blank(), blank())

    def rotary(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and signed sin, each (B, S, D), for integer positions (B, S); worked out in float32.

        The sine's first half is negative: `rotate` then needs one product with it and no sign.
        """
        angle = positions[..., None].float() * self.inv_freq
        cos, sin = angle.cos() * self.rope_scale, angle.sin() * self.rope_scale
        both = torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)
        return both[0].to(self.dtype), both[1].to(self.dtype)

    def forward(
        self, ids: Tensor, cache: KVCache, positions: Tensor, mask: Tensor | None
    ) -> Tensor:
        """Last hidden state before the final norm, H (B, S, h), for ids (B, S); fills the cache.

        `mask` (B, 1, S, cached + S), True where a query may look; None for one query a row that
        sees all. Windows of layers are applied on top of it.
        """
        x = F.embedding(ids, self.embedding)
        rope = self.rotary(positions)
        for index, layer in enumerate(self.layers):
            x = self._layer(x, index, layer, cache, rope, mask)
        cache.length += ids.shape[1]
        return x

    def _layer(
        self,
        x: Tensor,
        index: int,
        layer: Layer,
        cache: KVCache,
        rope: tuple[Tensor, Tensor],
        mask: Tensor | None,
    ) -> Tensor:
        s = self.shape
        y = rms_norm(x, layer.norm1, s.norm_eps)
        q_size, kv_size = s.heads * s.head_dim, s.kv_heads * s.head_dim
        q, k, v = layer.qkv(y).split((q_size, kv_size, kv_size), dim=-1)
        q = layer.turned(split_heads(q, s.heads, layer.q_norm, s.norm_eps), rope)
        k = layer.turned(split_heads(k, s.kv_heads, layer.k_norm, s.norm_eps), rope)
        k, v = cache.append(index, k, split_heads(v, s.kv_heads))
        x = x + layer.o(attention(q, k, v, mask, layer.window))
        y = rms_norm(x, layer.norm2, s.norm_eps)
        return x + layer.down(gated(layer.gate_up(y)))

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., V) from a state before the final norm (..., h)."""
        return Linear(self.head)(rms_norm(hidden, self.norm, self.shape.norm_eps))

    def to(
        self, dtype: torch.dtype | None = None, device: str | torch.device | None = None
    ) -> "Backbone":
        """A copy in another precision or on another device; a tied head stays tied."""

        def move(x: Tensor) -> Tensor:
            return x.to(device=device, dtype=dtype)

        embedding = move(self.embedding)
        return replace(
            self,
            embedding=embedding,
            head=embedding if self.head is self.embedding else move(self.head),
            norm=move(self.norm),
            layers=tuple(_map_layer(layer, move) for layer in self.layers),
            inv_freq=self.inv_freq.to(device=device),
        )


def _map_layer(layer: Layer, move) -> Layer:  # type: ignore[no-untyped-def]
    def linear(x: Linear) -> Linear:
        return Linear(move(x.weight), None if x.bias is None else move(x.bias))

    def maybe(x: Tensor | None) -> Tensor | None:
        return None if x is None else move(x)

    return Layer(
        move(layer.norm1), move(layer.norm2), linear(layer.qkv), linear(layer.o),
        linear(layer.gate_up), linear(layer.down), maybe(layer.q_norm), maybe(layer.k_norm),
        layer.window, layer.rotary,
    )  # fmt: skip


def rms_norm(x: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """x / rms(x) * weight over the last axis."""
    return F.rms_norm(x, (x.shape[-1],), weight, eps)


def split_heads(x: Tensor, heads: int, norm: Tensor | None = None, eps: float = 0.0) -> Tensor:
    """(B, S, heads D) -> (B, heads, S, D), with the family's per-head norm where it has one."""
    x = x.unflatten(-1, (heads, -1))
    return (x if norm is None else rms_norm(x, norm, eps)).transpose(1, 2)


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary embedding of (B, heads, S, D) by cos and signed sin (B, S, D), by halves."""
    cos, sin = rope[0][:, None], rope[1][:, None]
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), sin)


def attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, window: int | None = None
) -> Tensor:
    """Grouped-query attention; q (B, H, S, D), k and v (B, G, T, D) -> (B, S, H D).

    With a window, a query sees the last `window` of the keys that its mask allows. The H/G heads
    that share a key are folded into the query axis, so keys are never repeated.
    """
    B, H, S, D = q.shape
    G = k.shape[1]
    if window is not None and k.shape[2] > window:
        if mask is None:
            k, v = k[:, :, -window:], v[:, :, -window:]
        else:  # counted among allowed keys: padding takes no place in the window
            mask = mask & (mask.flip(-1).cumsum(-1).flip(-1) <= window)
    folded = q.reshape(B, G, H // G * S, D)
    if mask is not None:
        mask = mask.expand(B, 1, S, k.shape[2]).repeat(1, 1, H // G, 1)
    out = F.scaled_dot_product_attention(folded, k, v, attn_mask=mask)
    return out.reshape(B, H, S, D).transpose(1, 2).reshape(B, S, H * D)


def gated(gate_up: Tensor) -> Tensor:
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate) * up


def causal_mask(valid: Tensor) -> Tensor:
    """(B, 1, S, S), True where a position may look: itself and earlier ones that are not padding.

    `valid` (B, S) is False at padding. A padding position sees itself, so that no row is empty.
    """
    S = valid.shape[1]
    below = torch.ones(S, S, dtype=torch.bool, device=valid.device).tril()
    eye = torch.eye(S, dtype=torch.bool, device=valid.device)
    return ((below & valid[:, None, :]) | eye)[:, None]
