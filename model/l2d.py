"""The diffusion path beside a frozen LM: (x_t, t, class, what the LM left) -> logits of the token.

Everything trained lives in `FlowPath`; the LM is a `Backbone` and never changes. L2D.md section 3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from model.backbone import Backbone, KVCache, Layer, attention, gated, rms_norm, split_heads
from model.config import L2DConfig
from model.lora import shared, shares_of
from model.modulation import MODULATIONS, Conditioning, LayerModulation, mlp
from model.path import entry_scale


class Modulations(NamedTuple):
    """All that time and class decide, for positions (...): six vectors a layer, exit, scale."""

    layers: list[LayerModulation]  # a1, a2 with the LM's own norm weight already added
    exit: Tensor  # w(c(t)) - w(c(0)), (..., h)
    scale: Tensor  # (...), what x_t is divided by


@dataclass(frozen=True, slots=True)
class Context:
    """What the LM's own pass left for flow positions (B, Q): its cache, H, where each stands."""

    cache: KVCache
    token: Tensor  # E of the token that stands there (B, Q, h)
    hidden: Tensor  # H (B, Q, h), before the final norm
    rope: tuple[Tensor, Tensor]  # cos, sin (B, Q, D)
    mask: Tensor | None  # (B, 1, Q, cached): True where a flow position may look
    carried: Tensor | None = None  # (B, Q, h) of the evaluation before; at first H


Projection = Callable[[Tensor], Tensor]


class PathLayer(NamedTuple):
    """The path's own view of one decoder layer: the LM's matrices with their changes."""

    q: Projection
    o: Projection
    gate_up: Projection
    down: Projection


class FlowPath(nn.Module):
    """The trained part: entry, conditioning, modulation, exit, and its own share of every layer."""

    def __init__(self, config: L2DConfig, backbone: Backbone) -> None:
        super().__init__()
        s = backbone.shape
        self.config, self.from_token = config, config.start == "token"
        self.table = nn.Linear(s.hidden, config.flow_dim)
        self.entry = mlp(config.flow_dim, config.encoder_dim, s.hidden, zero=self.from_token)
        self.carry = nn.Linear(s.hidden, s.hidden, bias=False) if config.carry else None
        if self.carry is not None:
            nn.init.zeros_(self.carry.weight)
        self.condition = Conditioning(config)
        modulation = MODULATIONS[config.modulation]
        self.modulation = modulation(config, s.layers, s.hidden, gate=float(self.from_token))
        self.exit = mlp(config.time_dim, config.time_dim, s.hidden, zero=True)
        # `lora` or `full`: the names of the tensors say which
        self.add_module(config.weights, shares_of(config, backbone))

    def flow_table(self, embedding: Tensor) -> Tensor:
        """R (V, d) float32: sqrt(d) times the unit vector of each token's projected embedding."""
        rows = self.table(embedding.float())
        return nn.functional.normalize(rows, dim=-1) * rows.shape[-1] ** 0.5

    def begin(self, x: Tensor, context: Context) -> Tensor:
        """What enters the first layer (B, Q, h) at the scaled state x (B, Q, d), float32."""
        f: Tensor = self.entry(x)
        if self.carry is not None:
            before = context.hidden if context.carried is None else context.carried
            f = f + self.carry(nn.functional.rms_norm(before.float(), f.shape[-1:]))
        f = f.to(context.token.dtype)
        return f + context.token if self.from_token else f

    def modulations(self, backbone: Backbone, t: Tensor, label: Tensor) -> Modulations:
        """For times t (...) in [0,1] and class rows label (...); worked out in float32, as t is."""
        c = self.condition(t, label)
        exit_weight = self.exit(c) - self.exit(self.condition(torch.zeros_like(t), label))
        if self.from_token:
            exit_weight = exit_weight + (1 - (1 - t) ** 4)[..., None]
        layers = []
        for base, m in zip(backbone.layers, self.modulation(c), strict=True):
            m = m._replace(a1=base.norm1 + m.a1, a2=base.norm2 + m.a2)
            layers.append(LayerModulation(*(x.to(backbone.dtype) for x in m)))
        scale = entry_scale(t, self.config.noise_scale)
        return Modulations(layers, exit_weight.to(backbone.dtype), scale)

    def layers(self, backbone: Backbone) -> list[PathLayer]:
        """The LM's matrices with this path's changes beside them, or its own, an entry a layer."""
        q_size = backbone.shape.heads * backbone.shape.head_dim
        return [
            PathLayer(shared(layer.qkv.rows(0, q_size), own["q"]), *_others(layer, own))
            for layer, own in self._each(backbone)
        ]

    def reader(self, backbone: Backbone) -> Backbone:
        """What leaves the keys and values that the path looks at: the LM, or with changes as here.

        These are then in keys and values too.
        """
        if self.config.reading == "base":
            return backbone
        layers = list[Layer]()
        for layer, own in self._each(backbone):
            o, gate_up, down = _others(layer, own)
            qkv: Any = shared(layer.qkv, own["q"], own["kv"])
            layers.append(replace(layer, qkv=qkv, o=o, gate_up=gate_up, down=down))
        return replace(backbone, layers=tuple(layers))

    def _each(self, backbone: Backbone) -> Iterator[tuple[Layer, Any]]:
        shares: Any = getattr(self, self.config.weights)
        return zip(backbone.layers, shares, strict=True)


def _others(layer: Layer, own: Any) -> tuple[Any, Any, Any]:
    """All matrices but the first: o, gate and up, down."""
    gate_up = shared(layer.gate_up, own["gate"], own["up"])
    return shared(layer.o, own["o"]), gate_up, shared(layer.down, own["down"])


def refine(
    backbone: Backbone,
    layers: list[PathLayer],
    path: FlowPath,
    x_t: Tensor,
    mods: Modulations,
    context: Context,
) -> Tensor:
    """One evaluation: the changed hidden state (B, Q, h) whose logits are the new guess.

    x_t (B, Q, d) in any precision; divided in float32. A flow position looks at the LM's keys up
    to and including its own and at no other flow position; it writes nothing into the cache.
    """
    s = backbone.shape
    f = path.begin(x_t.float() / mods.scale[..., None], context)
    for index, (base, own, m) in enumerate(zip(backbone.layers, layers, mods.layers, strict=True)):
        y = torch.addcmul(m.s1, rms_norm(f, None, s.norm_eps), m.a1)
        q = base.turned(split_heads(own.q(y), s.heads, base.q_norm, s.norm_eps), context.rope)
        keys, values = context.cache.view(index)
        f = torch.addcmul(f, m.g1, own.o(attention(q, keys, values, context.mask, base.window)))
        y = torch.addcmul(m.s2, rms_norm(f, None, s.norm_eps), m.a2)
        f = torch.addcmul(f, m.g2, own.down(gated(own.gate_up(y))))
    return torch.addcmul(context.hidden, mods.exit, f)
