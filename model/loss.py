"""The training objective: cross-entropy of the true token, from a noisy guess at a random time.

L2D.md section 4. Beyond the paper, x_t may be built from the model's own guess instead of the
truth, as it is in sampling: so later passes learn to check and correct a guess, not only copy it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from model.backbone import Backbone, KVCache, causal_mask
from model.data import Batch
from model.l2d import Context, FlowPath, PathLayer, refine
from model.path import interpolate


@dataclass(frozen=True, slots=True)
class Draws:
    """How x_t is drawn."""

    per_token: int = 3
    """Times a response token is used, at stratified t."""
    own_guess_share: float = 0.0
    """Share of draws whose x_1 is the model's own guess; the target stays the true token."""
    unroll: int = 1
    """Own guesses come from 1..unroll passes, each fed the one before, the first fed the LM's."""
    class_dropout: float = 0.2
    """Chance that a draw is made without its class."""


@dataclass(frozen=True, slots=True)
class Place:
    """The frozen LM's pass over a batch: what every draw of its positions starts from."""

    cache: KVCache
    token: Tensor  # (B, R, h)
    hidden: Tensor  # (B, R, h)
    rope: tuple[Tensor, Tensor]
    mask: Tensor  # (B, 1, R, S)

    def repeated(self, times: int) -> Context:
        """Context of (B, R x times) flow positions, every position asked `times` times."""
        cos, sin = (x.repeat(1, times, 1) for x in self.rope)
        token, hidden = (x.repeat(1, times, 1) for x in (self.token, self.hidden))
        return Context(self.cache, token, hidden, (cos, sin), self.mask.repeat(1, 1, times, 1))


@torch.no_grad()
def read(backbone: Backbone, batch: Batch) -> Place:
    """Run the frozen LM once over a batch."""
    B, S = batch.ids.shape
    cache = backbone.new_cache(B, S)
    every = torch.arange(S, device=batch.ids.device).expand(B, S)
    mask = causal_mask(torch.ones_like(batch.ids, dtype=torch.bool))
    hidden = backbone.forward(batch.ids, cache, every, mask)
    index = batch.positions[..., None].expand(-1, -1, hidden.shape[-1])
    may_look = torch.arange(S, device=batch.ids.device) <= batch.positions[..., None]
    token = backbone.embedding[batch.ids.gather(1, batch.positions)]
    rope = backbone.rotary(batch.positions)
    return Place(cache, token, hidden.gather(1, index), rope, may_look[:, None])


class Objective:
    """Draws noise, times and guesses for one batch, gives its loss. Random only by `generator`."""

    def __init__(
        self, backbone: Backbone, path: FlowPath, draws: Draws, generator: torch.Generator
    ) -> None:
        self.backbone, self.path, self.draws, self.generator = backbone, path, draws, generator

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy in nats over all draws of the batch's response tokens."""
        place, K = read(self.backbone, batch), self.draws.per_token
        layers = self.path.layers(self.backbone)
        x_1 = self._rows(batch.targets).repeat(1, K, 1)  # (B, K R, d)
        if self.draws.own_guess_share:
            own = self._own_guess(batch, place, layers).repeat(1, K, 1)
            use = self._uniform(x_1.shape[:2]) < self.draws.own_guess_share
            x_1 = torch.where(use[..., None], own, x_1)
        t = self._stratified(batch.targets.shape, K)
        labels = self._labels(batch, x_1.shape[1])
        hidden = self._pass(x_1, t, labels, place.repeated(K), layers)
        valid = batch.valid.repeat(1, K)
        logits = self.backbone.logits(hidden[valid])
        return F.cross_entropy(logits.float(), batch.targets.repeat(1, K)[valid])

    def _pass(
        self, x_1: Tensor, t: Tensor, labels: Tensor, context: Context, layers: list[PathLayer]
    ) -> Tensor:
        sigma = self.path.config.noise_scale
        x_0 = torch.randn(x_1.shape, generator=self.generator) * sigma
        mods = self.path.modulations(self.backbone, t, labels)
        x_t = interpolate(x_0.to(x_1.device), x_1, t)
        return refine(self.backbone, layers, self.path, x_t, mods, context)

    @torch.no_grad()
    def _own_guess(self, batch: Batch, place: Place, layers: list[PathLayer]) -> Tensor:
        """x_1_hat (B, R, d) after a random number of passes, the first fed the LM's own guess."""
        x_1 = self._rows(self.backbone.logits(place.hidden).argmax(-1))
        context, labels = place.repeated(1), self._labels(batch, x_1.shape[1])
        passes = int(torch.randint(1, self.draws.unroll + 1, (), generator=self.generator))
        for _ in range(passes):
            t = self._uniform(x_1.shape[:2])
            hidden = self._pass(x_1, t, labels, context, layers)
            x_1 = self._rows(self.backbone.logits(hidden).argmax(-1))
        return x_1

    def _rows(self, ids: Tensor) -> Tensor:
        """Rows of R (..., d) for these tokens; the other 49 thousand are not needed here."""
        return self.path.flow_table(self.backbone.embedding[ids])

    def _labels(self, batch: Batch, width: int) -> Tensor:
        none = len(self.path.config.classes)
        labels = batch.labels[:, None].expand(-1, width)
        drop = self._uniform(labels.shape) < self.draws.class_dropout
        return torch.where(drop, none, labels)

    def _stratified(self, shape: torch.Size, times: int) -> Tensor:
        """t (B, K R): of the K draws of a token, one lies in each K-th of [0, 1]."""
        slots = torch.arange(times).repeat_interleave(shape[1])
        return (self._uniform(torch.Size((shape[0], times * shape[1]))) + slots) / times

    def _uniform(self, shape: torch.Size) -> Tensor:
        return torch.rand(shape, generator=self.generator)


@torch.no_grad()
def losses_at(objective: Objective, batch: Batch, times: tuple[float, ...]) -> list[float]:
    """Cross-entropy in nats, x_t from the truth, at each of the times; time 0 is the LM itself."""
    place = read(objective.backbone, batch)
    layers = objective.path.layers(objective.backbone)
    x_1 = objective._rows(batch.targets)
    labels = batch.labels[:, None].expand(-1, x_1.shape[1])
    out = []
    for time in times:
        t = torch.full(x_1.shape[:2], time)
        hidden = objective._pass(x_1, t, labels, place.repeated(1), layers)
        logits = objective.backbone.logits(hidden[batch.valid]).float()
        out.append(float(F.cross_entropy(logits, batch.targets[batch.valid])))
    return out
