"""Conditioning on time and class: c(t, g), and from it six vectors a layer and one for the exit.

They depend on t and g alone, never on the token: at inference each (t, g) is worked out once.
L2D.md section 3; the shared form is adaLN-single of arXiv 2310.00426, section 2.3.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.config import L2DConfig


class LayerModulation(NamedTuple):
    """Scale a, shift s and gate g of the attention (1) and the MLP (2); each (..., h)."""

    a1: Tensor
    s1: Tensor
    g1: Tensor
    a2: Tensor
    s2: Tensor
    g2: Tensor


def mlp(in_features: int, hidden: int, out_features: int, zero: bool = False) -> nn.Sequential:
    """Two linear layers with SiLU between; `zero` starts the last one at zero."""
    last = nn.Linear(hidden, out_features)
    if zero:
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(in_features, hidden), nn.SiLU(), last)


def gates_of(six: Tensor) -> Tensor:
    """The gates g1 and g2 among six vectors side by side (..., 6 h), as a view (..., 2, h)."""
    return six.data.unflatten(-1, (6, -1))[..., 2::3, :]


class Conditioning(nn.Module):
    """c(t, g) = MLP([cos(t w), sin(t w)]) + class_table[g], (..., time_dim)."""

    freqs: Tensor

    def __init__(self, config: L2DConfig) -> None:
        super().__init__()
        half = config.time_frequencies // 2
        freqs = 10000.0 ** -(torch.arange(half, dtype=torch.float32) / half)
        self.register_buffer("freqs", freqs, persistent=False)
        self.mlp = mlp(config.time_frequencies, config.time_dim, config.time_dim)
        classes = len(config.classes)
        self.class_table = nn.Embedding(classes + 1, config.time_dim) if classes else None

    def forward(self, t: Tensor, label: Tensor) -> Tensor:
        """t (...) in [0,1], float32; label (...) row of the class table (last row: no class)."""
        angle = t[..., None] * self.freqs
        c: Tensor = self.mlp(torch.cat((angle.cos(), angle.sin()), dim=-1))
        return c if self.class_table is None else c + self.class_table(label)


class PerLayer(nn.Module):
    """One modulation network a layer, as in the reference: 6 h (time_dim + 1) weights for each."""

    def __init__(self, config: L2DConfig, layers: int, hidden: int, gate: float) -> None:
        super().__init__()
        size = config.time_dim
        nets = [mlp(size, size, 6 * hidden, zero=True) for _ in range(layers)]
        for net in nets:
            *_, bias = net.parameters()
            nn.init.constant_(gates_of(bias), gate)
        self.nets = nn.ModuleList(nets)

    def forward(self, c: Tensor) -> list[LayerModulation]:
        return [LayerModulation(*net(c).chunk(6, dim=-1)) for net in self.nets]


class Shared(nn.Module):
    """One network for all layers plus an offset (6 h) a layer that does not depend on time."""

    def __init__(self, config: L2DConfig, layers: int, hidden: int, gate: float) -> None:
        super().__init__()
        self.net = mlp(config.time_dim, config.time_dim, 6 * hidden, zero=True)
        self.offsets = nn.Parameter(torch.zeros(layers, 6 * hidden))
        nn.init.constant_(gates_of(self.offsets), gate)

    def forward(self, c: Tensor) -> list[LayerModulation]:
        common = self.net(c)
        return [LayerModulation(*(common + offset).chunk(6, dim=-1)) for offset in self.offsets]


MODULATIONS = {"per_layer": PerLayer, "shared": Shared}
