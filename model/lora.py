"""What the path has of its own in the LM's layers: a low-rank change of a matrix, or a whole one.

x W^T + (x A B) alpha / r (arXiv 2106.09685): A (in, r) starts as N(0, (1/r)^2), B (r, out) as zero.
A whole matrix starts as a copy. Either way an untrained path has the frozen LM's layers.
"""

import torch
from torch import Tensor, nn

from model.backbone import Backbone, Layer, Linear, Shape
from model.config import L2DConfig


class LoRA(nn.Module):
    """The pair A, B beside one frozen matrix (in, out)."""

    def __init__(self, in_features: int, out_features: int, rank: int, scale: float) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.randn(in_features, rank) / rank)
        self.B = nn.Parameter(torch.zeros(rank, out_features))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out): the change alone."""
        return (x @ self.A.to(x.dtype)) @ (self.B.to(x.dtype) * self.scale)

    def delta(self) -> Tensor:
        """The change as a matrix (out, in), float32."""
        return (self.A.float() @ self.B.float()).T * self.scale


class Own(nn.Module):
    """A whole matrix (out, in) of the path, float32, born as a copy of the LM's."""

    def __init__(self, born: Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(born.weight.float().clone())
        self.bias = None if born.bias is None else nn.Parameter(born.bias.float().clone())


class Adapted:
    """A frozen matrix with changes that belong to equal slices of its output (gate | up: two)."""

    def __init__(self, base: Linear, *loras: LoRA) -> None:
        self.base, self.loras = base, loras

    def __call__(self, x: Tensor) -> Tensor:
        changes = [lora(x) for lora in self.loras]
        return self.base(x) + (changes[0] if len(changes) == 1 else torch.cat(changes, dim=-1))

    def merged(self) -> Linear:
        """One matrix that does the same; summed in float32, kept in the base's precision."""
        delta = torch.cat([lora.delta() for lora in self.loras])
        weight = self.base.weight.float() + delta.to(self.base.weight.device)
        return Linear(weight.to(self.base.weight.dtype), self.base.bias)


class Replaced:
    """Matrices of the path's own, side by side, instead of a frozen one; used in its precision."""

    def __init__(self, base: Linear, *own: Own) -> None:
        self.dtype, self.own = base.weight.dtype, own

    def __call__(self, x: Tensor) -> Tensor:
        return self.merged()(x)

    def merged(self) -> Linear:
        """One matrix that does the same."""
        weight = torch.cat(tuple(own.weight for own in self.own)).to(self.dtype)
        biases = tuple(own.bias for own in self.own if own.bias is not None)
        return Linear(weight, torch.cat(biases).to(self.dtype) if biases else None)


def shares_of(config: L2DConfig, backbone: Backbone) -> nn.ModuleList:
    """For every layer what the path has of its own, by name: q, o, gate, up, down."""
    return nn.ModuleList(_share(config, backbone.shape, layer) for layer in backbone.layers)


def _share(config: L2DConfig, s: Shape, layer: Layer) -> nn.ModuleDict:
    matrices = {
        "q": layer.qkv.rows(0, s.heads * s.head_dim),
        "o": layer.o,
        "gate": layer.gate_up.rows(0, s.mlp),
        "up": layer.gate_up.rows(s.mlp, 2 * s.mlp),
        "down": layer.down,
    }

    def own(base: Linear) -> nn.Module:
        if config.weights == "full":
            return Own(base)
        out_features, in_features = base.weight.shape
        return LoRA(in_features, out_features, config.lora_rank, config.lora_scale)

    return nn.ModuleDict({name: own(base) for name, base in matrices.items()})
