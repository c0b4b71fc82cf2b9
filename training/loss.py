"""The training objective: cross-entropy of the true token, from a noisy guess at a random time.

L2D.md section 4. Beyond the paper, the draws of a token may follow one another as evaluations do in
sampling: x_t is then built from the guess of the draw before instead of the truth, so that a later
pass learns to check and correct a guess, not only to copy it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from model.backbone import Backbone, KVCache, causal_mask
from model.errors import ConfigError
from model.l2d import Context, FlowPath, PathLayer, refine
from model.path import interpolate
from training.data import Batch


@dataclass(frozen=True, slots=True)
class Draws:
    """How x_t is drawn."""

    per_token: int = 3
    """Times a response token is used, from early to late."""
    stratified: bool = True
    """One time in each part of [0, 1]; otherwise each is drawn from all of it (the paper)."""
    own_guess_share: float = 0.0
    """Share of draws whose x_1 is the guess of the draw before (of the first: the LM's own)."""
    class_dropout: float = 0.2
    """Chance that a row is used without its class."""

    def __post_init__(self) -> None:
        if self.per_token < 1:
            raise ConfigError(f"draws.per_token must be at least 1, got {self.per_token}")
        for name in ("own_guess_share", "class_dropout"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"draws.{name} must be in [0, 1], got {getattr(self, name)}")


def read(reader: Backbone, batch: Batch) -> Context:
    """One pass of what reads over a batch: the context of its (B, R) response positions."""
    B, S = batch.ids.shape
    cache: KVCache = reader.new_cache(B, S)
    own = batch.owner[:, :, None] == batch.owner[:, None, :]  # packed examples see not each other
    mask = causal_mask(torch.ones_like(own[:, 0])) & own[:, None]
    hidden = reader.forward(batch.ids, cache, batch.places, mask)
    index = batch.positions[..., None]
    may_look = mask.gather(2, index[:, None].expand(-1, -1, -1, S))
    token = reader.embedding[batch.ids.gather(1, batch.positions)]
    rope = reader.rotary(batch.places.gather(1, batch.positions))
    hidden = hidden.gather(1, index.expand(-1, -1, hidden.shape[-1]))
    return Context(cache, token, hidden, rope, may_look)


class Objective:
    """Draws noise, times and guesses for one batch, gives its loss. Random only by `generator`."""

    def __init__(
        self, backbone: Backbone, path: FlowPath, draws: Draws, generator: torch.Generator
    ) -> None:
        self.backbone, self.path, self.draws, self.generator = backbone, path, draws, generator

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy in nats over all draws of the batch's response tokens.

        A path that reads for itself learns that too: its reading counts as one more draw.
        """
        return torch.stack(self.chain(batch, list(self._times(batch)))).mean()

    def chain(self, batch: Batch, times: Sequence[Tensor]) -> list[Tensor]:
        """Cross-entropy of one draw at each of the times, each (B, R); later ones see earlier.

        In front of them that of the reading, where it is the path's own.
        """
        reader, valid, losses = self.path.reader(self.backbone), batch.valid, list[Tensor]()
        with torch.set_grad_enabled(reader is not self.backbone):
            context = read(reader, batch)
            logits = self.backbone.logits(context.hidden[valid])
        layers, labels = self.path.layers(self.backbone), self._labels(batch)
        if reader is not self.backbone:
            losses.append(F.cross_entropy(logits.float(), batch.targets[valid]))
        for t in times:
            guess = batch.targets.clone()
            guess[valid] = logits.argmax(-1)
            own = self._uniform(batch) < self.draws.own_guess_share
            x_1 = self._rows(torch.where(own, guess, batch.targets))
            hidden = self._pass(batch, x_1, t, labels, context, layers)
            logits = self.backbone.logits(hidden[valid])
            losses.append(F.cross_entropy(logits.float(), batch.targets[valid]))
            context = replace(context, carried=hidden.detach())
        return losses

    def _pass(
        self,
        batch: Batch,
        x_1: Tensor,
        t: Tensor,
        labels: Tensor,
        context: Context,
        layers: list[PathLayer],
    ) -> Tensor:
        noise = torch.randn(batch.total, x_1.shape[-1], generator=self.generator).to(x_1.device)
        x_0 = noise[batch.index] * self.path.config.noise_scale
        mods = self.path.modulations(self.backbone, t, labels)
        return refine(self.backbone, layers, self.path, interpolate(x_0, x_1, t), mods, context)

    def _rows(self, ids: Tensor) -> Tensor:
        """Rows of R (..., d) for these tokens; the other 49 thousand are not needed here."""
        return self.path.flow_table(self.backbone.embedding[ids])

    def _labels(self, batch: Batch) -> Tensor:
        """Class rows (B, R); a token keeps its class, or is without it, over all its draws."""
        drop = self._uniform(batch) < self.draws.class_dropout
        return torch.where(drop, len(self.path.config.classes), batch.labels)

    def _times(self, batch: Batch) -> Tensor:
        """t (K, B, R), of every token in rising order."""
        K = self.draws.per_token
        t = torch.stack([self._uniform(batch) for _ in range(K)])
        if not self.draws.stratified:
            return t.sort(dim=0).values
        return (t + torch.arange(K, device=t.device)[:, None, None]) / K

    def _uniform(self, batch: Batch) -> Tensor:
        """(B, R), drawn for the whole step, so that no way to part or pack it changes a draw."""
        return torch.rand(batch.total, generator=self.generator).to(batch.ids.device)[batch.index]


@torch.no_grad()
def losses_at(objective: Objective, batch: Batch, times: tuple[float, ...]) -> list[float]:
    """Cross-entropy in nats, x_t from the truth, at each of the times; time 0 is what reads."""
    context = read(objective.path.reader(objective.backbone), batch)
    layers = objective.path.layers(objective.backbone)
    x_1 = objective._rows(batch.targets)
    out = []
    for time in times:
        t = torch.full(x_1.shape[:2], time, device=x_1.device)
        hidden = objective._pass(batch, x_1, t, batch.labels, context, layers)
        logits = objective.backbone.logits(hidden[batch.valid]).float()
        out.append(float(F.cross_entropy(logits, batch.targets[batch.valid])))
    return out
