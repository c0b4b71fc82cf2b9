"""A path ready to sample: changes merged, flow table built, modulations made once a (t, class).

Holds weights only. Nothing here belongs to a request, so any number of them may share it.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from model.backbone import Backbone
from model.l2d import Context, FlowPath, Modulations, PathLayer, Projection, refine
from model.lora import Adapted
from model.modulation import LayerModulation

_KEPT_MODULATIONS = 512
"""(t, class) pairs: several grids at once, 0.2 MB each for the built-in model."""


class _Key(NamedTuple):
    t: float
    label: int


class PreparedPath:
    """The frozen LM and its path, for inference. `table` is R (V, d), float32."""

    def __init__(self, backbone: Backbone, path: FlowPath) -> None:
        self.backbone, self.config, self._path = backbone, path.config, path
        # Bounded, as adaptive solvers hardly ever come back to the same time. Safe between threads.
        self._for = lru_cache(maxsize=_KEPT_MODULATIONS)(self._modulations)
        with torch.no_grad():
            self.table = path.flow_table(backbone.embedding)
            self._layers = [
                PathLayer(*(_merge(p) for p in layer)) for layer in path.layers(backbone)
            ]

    @torch.no_grad()
    def evaluate(self, x_t: Tensor, t: float, labels: Tensor, context: Context) -> Tensor:
        """Logits (B, Q, V) of one evaluation at time t in [0, 1]; x_t (B, Q, d), labels (B, Q)."""
        mods = self._at(t, labels)
        hidden = refine(self.backbone, self._layers, self._path, x_t, mods, context)
        return self.backbone.logits(hidden)

    def _at(self, t: float, labels: Tensor) -> Modulations:
        rows = labels.flatten().tolist()
        if len(set(rows)) == 1:
            return self._for(_Key(t, rows[0]))
        each = [self._for(_Key(t, row)) for row in rows]

        def gather(parts: list[Tensor]) -> Tensor:
            return torch.stack(parts).unflatten(0, labels.shape)

        layers = [
            LayerModulation(*(gather(list(part)) for part in zip(*same_layer, strict=True)))
            for same_layer in zip(*(m.layers for m in each), strict=True)
        ]
        return Modulations(layers, gather([m.exit for m in each]), each[0].scale)

    def _modulations(self, key: _Key) -> Modulations:
        device = self.backbone.device
        t = torch.tensor(key.t, dtype=torch.float32, device=device)
        label = torch.tensor(key.label, device=device)
        return self._path.modulations(self.backbone, t, label)


def _merge(projection: Projection) -> Projection:
    return projection.merged() if isinstance(projection, Adapted) else projection
