"""What the path has of its own in the LM's layers: a low-rank change of a matrix, or a whole one.

x W^T + (x A B) alpha / r (arXiv 2106.09685): A (in, r) starts as N(0, (1/r)^2), B (r, out) as zero.
A whole matrix starts as a copy. Either way an untrained path has the frozen LM's layers. Where it
reads for itself, keys and values have a share too: beside low-rank queries they look through the
same A, so that q, k and v stay one matrix with one change.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.backbone import Backbone, Layer, Linear, Shape
from model.config import L2DConfig


class Pair(NamedTuple):
    """The change x -> x A B scale."""

    A: Tensor  # (in, r)
    B: Tensor  # (r, out)
    scale: float

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out): the change alone."""
        return (x @ self.A.to(x.dtype)) @ (self.B.to(x.dtype) * self.scale)

    def delta(self) -> Tensor:
        """The change as a matrix (out, in), float32."""
        return (self.A.float() @ self.B.float()).T * self.scale


class LoRA(nn.Module):
    """The trained pair beside one frozen matrix (in, out)."""

    def __init__(self, in_features: int, out_features: int, rank: int, scale: float) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.randn(in_features, rank) / rank)
        self.B = nn.Parameter(torch.zeros(rank, out_features))
        self.scale = scale

    @property
    def pair(self) -> Pair:
        return Pair(self.A, self.B, self.scale)


class Beside(nn.Module):
    """More outputs of a pair: B (r, out) behind the pair's own A."""

    def __init__(self, out_features: int, rank: int) -> None:
        super().__init__()
        self.B = nn.Parameter(torch.zeros(rank, out_features))


class Own(nn.Module):
    """A whole matrix (out, in) of the path, float32, born as a copy of the LM's."""

    def __init__(self, born: Linear) -> None:
        super().__init__()
        self.weight = nn.Parameter(born.weight.float().clone())
        self.bias = None if born.bias is None else nn.Parameter(born.bias.float().clone())


class Adapted:
    """A frozen matrix with changes that belong to slices of its output, in their order."""

    def __init__(self, base: Linear, *pairs: Pair) -> None:
        self.base, self.pairs = base, pairs

    def __call__(self, x: Tensor) -> Tensor:
        changes = [pair(x) for pair in self.pairs]
        return self.base(x) + (changes[0] if len(changes) == 1 else torch.cat(changes, dim=-1))

    def merged(self) -> Linear:
        """One matrix that does the same; summed in float32, kept in the base's precision."""
        delta = torch.cat([pair.delta() for pair in self.pairs])
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


def shared(base: Linear, *shares: nn.Module) -> Adapted | Replaced:
    """The LM's matrix with what the path has of its own in slices of it, in their order."""
    whole, pairs = list[Own](), list[Pair]()
    for share in shares:
        if isinstance(share, Own):
            whole.append(share)
        elif isinstance(share, LoRA):
            pairs.append(share.pair)
        elif isinstance(share, Beside):
            first = pairs.pop()
            pairs.append(first._replace(B=torch.cat((first.B, share.B), dim=1)))
    return Replaced(base, *whole) if whole else Adapted(base, *pairs)


def shares_of(config: L2DConfig, backbone: Backbone) -> nn.ModuleList:
    """For every layer what the path has of its own, by name: q, o, gate, up, down; its own kv."""
    return nn.ModuleList(_share(config, backbone.shape, layer) for layer in backbone.layers)


def _share(config: L2DConfig, s: Shape, layer: Layer) -> nn.ModuleDict:
    q_size, kv_size = s.heads * s.head_dim, 2 * s.kv_heads * s.head_dim
    keys_and_values = layer.qkv.rows(q_size, q_size + kv_size)
    matrices = {
        "q": layer.qkv.rows(0, q_size),
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

    shares = nn.ModuleDict({name: own(base) for name, base in matrices.items()})
    if config.reading == "own":
        whole = config.weights == "full"
        shares["kv"] = own(keys_and_values) if whole else Beside(kv_size, config.lora_rank)
    return shares
