"""The diffusion path beside a frozen LM: (x_t, t, class, what the LM left) -> logits of the token.

Everything trained lives in `FlowPath`; the LM is a `Backbone` and never changes. L2D.md section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from model.backbone import Backbone, KVCache, attention, gated, rms_norm, rotate, split_heads
from model.config import L2DConfig
from model.lora import Adapted, LoRA
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


Projection = Callable[[Tensor], Tensor]


class PathLayer(NamedTuple):
    """The path's own view of one decoder layer: the LM's matrices with their changes."""

    q: Projection
    o: Projection
    gate_up: Projection
    down: Projection


class FlowPath(nn.Module):
    """The trained part: entry, conditioning, modulation, exit and the LoRA pairs of every layer."""

    def __init__(self, config: L2DConfig, backbone: Backbone) -> None:
        super().__init__()
        s, rank, scale = backbone.shape, config.lora_rank, config.lora_scale
        self.config, self.from_token = config, config.start == "token"
        self.table = nn.Linear(s.hidden, config.flow_dim)
        self.entry = mlp(config.flow_dim, config.encoder_dim, s.hidden, zero=self.from_token)
        self.condition = Conditioning(config)
        modulation = MODULATIONS[config.modulation]
        self.modulation = modulation(config, s.layers, s.hidden, gate=float(self.from_token))
        self.exit = mlp(config.time_dim, config.time_dim, s.hidden, zero=True)
        q_size = s.heads * s.head_dim
        self.lora = nn.ModuleList(
            nn.ModuleDict(
                {
                    "q": LoRA(s.hidden, q_size, rank, scale),
                    "o": LoRA(q_size, s.hidden, rank, scale),
                    "gate": LoRA(s.hidden, s.mlp, rank, scale),
                    "up": LoRA(s.hidden, s.mlp, rank, scale),
                    "down": LoRA(s.mlp, s.hidden, rank, scale),
                }
            )
            for _ in range(s.layers)
        )

    def flow_table(self, embedding: Tensor) -> Tensor:
        """R (V, d) float32: sqrt(d) times the unit vector of each token's projected embedding."""
        rows = self.table(embedding.float())
        return nn.functional.normalize(rows, dim=-1) * rows.shape[-1] ** 0.5

    def begin(self, x: Tensor, token: Tensor) -> Tensor:
        """What enters the first layer (B, Q, h), from the scaled state and the token's embedding."""
        f = self.entry(x).to(token.dtype)
        return f + token if self.from_token else f

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
        """The LM's matrices with this path's changes beside them, one entry a layer."""
        q_size = backbone.shape.heads * backbone.shape.head_dim
        out = []
        pairs: Any = self.lora  # a ModuleList does not say what it holds
        for layer, lora in zip(backbone.layers, pairs, strict=True):
            q = layer.qkv.rows(0, q_size)
            out.append(
                PathLayer(
                    q=Adapted(q, lora["q"]),
                    o=Adapted(layer.o, lora["o"]),
                    gate_up=Adapted(layer.gate_up, lora["gate"], lora["up"]),
                    down=Adapted(layer.down, lora["down"]),
                )
            )
        return out


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
    f = path.begin(x_t.float() / mods.scale[..., None], context.token)
    for index, (base, own, m) in enumerate(zip(backbone.layers, layers, mods.layers, strict=True)):
        y = rms_norm(f, None, s.norm_eps) * m.a1 + m.s1
        q = rotate(split_heads(own.q(y), s.heads, base.q_norm, s.norm_eps), context.rope)
        keys, values = context.cache.view(index)
        f = f + m.g1 * own.o(attention(q, keys, values, context.mask))
        y = rms_norm(f, None, s.norm_eps) * m.a2 + m.s2
        f = f + m.g2 * own.down(gated(own.gate_up(y)))
    return context.hidden + mods.exit * f
