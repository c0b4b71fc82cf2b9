"""From logits to tokens: filters, draws, penalties; how sure a distribution is; where to stop.

A row's draws come from its own generator, one number a token whatever the filters and the budget
are, so that runs of one seed can be compared token by token.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from model.config import Choice, Gate

_NO_CHANCE = 1e-9
"""What is left of all chances where rounding alone may have left it."""

Stop = Callable[[Sequence[int]], bool]
"""Whether an answer, as ids, ends with its newest token."""


class Logits:
    """Logits (B, Q, V) of a pass, and what is asked of them again and again, worked out once."""

    def __init__(self, values: Tensor) -> None:
        self.values = values

    @classmethod
    def known(cls, values: Tensor, best: Tensor, entropy: Tensor, finite: bool) -> "Logits":
        """Where whoever made them has worked out the rest with them."""
        logits = cls(values)
        logits.best, logits.entropy, logits.finite = best, entropy, finite
        return logits

    @cached_property
    def best(self) -> Tensor:
        """The first of the largest (B, Q)."""
        if self.values.device.type == "cpu" and self.values.dtype is torch.float32:
            return torch.from_numpy(np.asarray(self.values.numpy().argmax(-1)))  # 4 times as fast
        return self.values.argmax(-1)

    @cached_property
    def entropy(self) -> Tensor:
        """In nats (B, Q) of their softmax, float32."""
        below = self.values.float() - self.values.amax(-1, keepdim=True)
        weights = below.exp()  # of log_softmax it would take three times as long
        total = weights.sum(-1)
        return total.log() - (weights * below).sum(-1) / total

    @cached_property
    def finite(self) -> bool:
        """Whether all are numbers. Their sum is not where one of them is not."""
        return math.isfinite(self.values.sum(dtype=torch.float32))


def choose(
    logits: Logits,
    choice: Choice,
    written: Sequence[Sequence[int]],
    generators: Sequence[torch.Generator],
    spent: Mapping[int, float] = MappingProxyType({}),
) -> Tensor:
    """One id a row (B,) from logits (B, 1, V). `written`: the answer of each row so far.

    `spent`, of single tokens: a share of their chance, in [0, 1], that they shall not have; it
    counts for nothing where no other token has a chance, and at temperature 0.
    """
    logits = _asked(logits, choice, written)
    if choice.temperature == 0.0:
        return logits.best[:, 0]
    chance, ids = _chances(logits, choice)
    if spent:
        left = torch.ones(chance.shape[-1], dtype=chance.dtype)
        left[list(spent)] -= torch.tensor(list(spent.values()), dtype=chance.dtype)
        fresh = chance * left.to(chance.device)[ids]
        chance = torch.where(fresh.sum(-1, keepdim=True) > _NO_CHANCE, fresh, chance)
    below = chance.cumsum(-1)
    drawn = torch.stack([torch.rand(1, dtype=torch.float64, generator=g) for g in generators])
    place = torch.searchsorted(below, drawn.to(below.device) * below[:, -1:], right=True)
    last = chance.shape[-1] - 1 - (chance > 0).flip(-1).int().argmax(-1, keepdim=True)
    return ids.gather(-1, place.minimum(last))[:, 0]


def chance_of(token: int, logits: Logits, choice: Choice, written: Sequence[int]) -> float:
    """With which `choose` would draw it from logits (1, 1, V) if nothing were spent."""
    logits = _asked(logits, choice, [written])
    if choice.top_k is None and choice.top_p == 1.0:  # no sorting
        warm = logits.values[0, 0].float() / choice.temperature
        return float((warm[token] - warm.logsumexp(-1)).exp())
    chance, ids = _chances(logits, choice)
    return float(chance[ids == token].sum() / chance.sum())


def _asked(logits: Logits, choice: Choice, written: Sequence[Sequence[int]]) -> Logits:
    if choice.repetition_penalty == 1.0:
        return logits
    return _penalised(logits.values, choice.repetition_penalty, written)


def _chances(logits: Logits, choice: Choice) -> tuple[Tensor, Tensor]:
    """Of all tokens from the most likely one on, 0 outside the filters; and their ids. (B, V)."""
    warm = logits.values[:, 0].double() / choice.temperature
    chance, ids = warm.softmax(-1).sort(-1, descending=True)
    outside = chance.cumsum(-1) - chance >= choice.top_p
    if choice.top_k is not None:
        outside[:, choice.top_k :] = True
    outside[:, 0] = False
    return chance.masked_fill(outside, 0.0), ids


def _penalised(logits: Tensor, penalty: float, written: Sequence[Sequence[int]]) -> Logits:
    """Positive logits divided, negative ones multiplied; arXiv 1909.05858, section 4.1."""
    logits = logits.clone()
    for (row,), ids in zip(logits, written, strict=True):
        seen = torch.tensor(sorted(set(ids)), dtype=torch.long, device=row.device)
        row[seen] = torch.where(row[seen] > 0, row[seen] / penalty, row[seen] * penalty)
    return Logits(logits)


def sure(logits: Logits, gate: Gate) -> bool:
    """Whether a distribution, logits (1, 1, V), is as certain as the gate asks."""
    if gate.by == "entropy":
        return bool(logits.entropy <= gate.threshold)
    return bool(logits.values.float().softmax(-1).amax() >= gate.threshold)


def stop_at(texts: Sequence[str], decode: Callable[[list[int]], str]) -> Stop:
    """Stops once the answer's text holds one of `texts`, however it is cut into tokens."""
    return lambda ids: any(text in decode(list(ids)) for text in texts)
