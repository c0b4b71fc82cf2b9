"""Low-rank change of a frozen matrix: x W^T + (x A B) alpha / r (arXiv 2106.09685).

A (in, r) starts as N(0, (1/r)^2), B (r, out) as zero: an untrained path is the frozen LM's layer.
"""

import torch
from torch import Tensor, nn

from model.backbone import Linear


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
