"""A path ready to sample: changes merged, flow table built, modulations made once a (t, class).

Holds weights only. Nothing here belongs to a request, so any number of them may share it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from model.backbone import Backbone, Layer, Linear, Shape
from model.l2d import Context, FlowPath, Modulations, PathLayer, refine
from model.modulation import LayerModulation

_KEPT_MODULATIONS = 512
"""(t, class) pairs: several grids at once, 0.2 MB each for the built-in model."""


Times = float | Sequence[float]
"""One for all rows of a batch, or one for each."""


class _Key(NamedTuple):
    t: float
    label: int


class PreparedPath:
    """The frozen LM and its path, for inference. `table` is R (V, d), float32.

    `reader` leaves the keys and values that the path looks at: the LM itself, or one of its own.
    """

    def __init__(self, backbone: Backbone, path: FlowPath) -> None:
        self.backbone, self.config, self.path = backbone, path.config, path
        # Bounded, as adaptive solvers hardly ever come back to the same time. Safe between threads.
        self._for = lru_cache(maxsize=_KEPT_MODULATIONS)(self._modulations)
        with torch.no_grad():
            self.table = path.flow_table(backbone.embedding)
            self.reader = _merged(path.reader(backbone)) if self.reads_itself else backbone
            self.layers = (
                [_of_reader(layer, backbone.shape) for layer in self.reader.layers]
                if self.reads_itself
                else [PathLayer(*map(_merge, layer)) for layer in path.layers(backbone)]
            )

    @property
    def reads_itself(self) -> bool:
        """Whether `reader` is another than the LM."""
        return self.config.reading == "own"

    def noise(self, generator: torch.Generator) -> Tensor:
        """A place's x_0 (1, 1, d) in float64."""
        noise = torch.randn(1, 1, self.config.flow_dim, generator=generator)
        return (noise * self.config.noise_scale).to(self.backbone.device, torch.float64)

    def evaluate(self, x_t: Tensor, t: Times, labels: Tensor, context: Context) -> Tensor:
        """Logits (B, Q, V) of one evaluation at time t in [0, 1]; x_t (B, Q, d), labels (B, Q)."""
        return self.backbone.logits(self.hidden(x_t, t, labels, context))

    @torch.no_grad()
    def hidden(self, x_t: Tensor, t: Times, labels: Tensor, context: Context) -> Tensor:
        """The state (B, Q, h) behind these logits, which the next evaluation may carry on from."""
        mods = self._at(t, labels)
        return refine(self.backbone, self.layers, self.path, x_t, mods, context)

    def at(self, t: float, label: int) -> tuple[Tensor, Modulations]:
        """Modulations of a (t, class), and those of the layers once more in one piece (L, 6, h)."""
        return self._for(_Key(t, label))

    def _at(self, t: Times, labels: Tensor) -> Modulations:
        times = [t] * len(labels) if isinstance(t, float) else t
        keys = [_Key(t, g) for t, row in zip(times, labels.tolist(), strict=True) for g in row]
        if len(set(keys)) == 1:
            return self._for(keys[0])[1]
        each = [self._for(key) for key in keys]

        def gather(parts: list[Tensor], place: int = 0) -> Tensor:
            return torch.stack(parts, dim=place).unflatten(place, labels.shape)

        layers = gather([six for six, _ in each], place=2)  # (L, 6, B, Q, h)
        return Modulations(
            [LayerModulation(*layer) for layer in layers],
            gather([mods.exit for _, mods in each]),
            gather([mods.scale for _, mods in each]),
        )

    def _modulations(self, key: _Key) -> tuple[Tensor, Modulations]:
        device = self.backbone.device
        t = torch.tensor(key.t, dtype=torch.float32, device=device)
        label = torch.tensor(key.label, device=device)
        mods = self.path.modulations(self.backbone, t, label)
        six = torch.stack([torch.stack(layer) for layer in mods.layers])
        return six, mods._replace(layers=[LayerModulation(*layer) for layer in six])


def _merge(projection: Any) -> Linear:
    merged: Linear = projection.merged()
    return merged


def _merged(reader: Backbone) -> Backbone:
    """With plain matrices."""
    layers = [
        replace(
            layer,
            qkv=_merge(layer.qkv),
            o=_merge(layer.o),
            gate_up=_merge(layer.gate_up),
            down=_merge(layer.down),
        )
        for layer in reader.layers
    ]
    return replace(reader, layers=tuple(layers))


def _of_reader(layer: Layer, s: Shape) -> PathLayer:
    """The path's view of a layer that reads with the same changes; shares its matrices."""
    q = layer.qkv.rows(0, s.heads * s.head_dim)
    return PathLayer(q, layer.o, layer.gate_up, layer.down)
