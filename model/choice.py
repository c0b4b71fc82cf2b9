"""From logits to tokens: filters, draws, penalties; how sure a distribution is; where to stop.

A row's draws come from its own generator, one number a token whatever the filters and the budget
are, so that runs of one seed can be compared token by token.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from model.config import Choice, Gate

Stop = Callable[[Sequence[int]], bool]
"""Whether an answer, as ids, ends with its newest token."""


def best(logits: Tensor) -> Tensor:
    """The first of the largest (...) in logits (..., V)."""
    if logits.device.type == "cpu" and logits.dtype is torch.float32:
        return torch.from_numpy(np.asarray(logits.numpy().argmax(-1)))  # four times as fast there
    return logits.argmax(-1)


def finite(logits: Tensor) -> bool:
    """Whether all are numbers. Their sum is not where one of them is not."""
    return math.isfinite(logits.sum(dtype=torch.float32))


def choose(
    logits: Tensor,
    choice: Choice,
    written: Sequence[Sequence[int]],
    generators: Sequence[torch.Generator],
) -> Tensor:
    """One id a row (B,) from logits (B, V). `written`: the answer of each row so far."""
    if choice.repetition_penalty != 1.0:
        logits = _penalised(logits, choice.repetition_penalty, written)
    if choice.temperature == 0.0:
        return best(logits)
    chance, ids = (logits.double() / choice.temperature).softmax(-1).sort(-1, descending=True)
    outside = chance.cumsum(-1) - chance >= choice.top_p
    if choice.top_k is not None:
        outside[:, choice.top_k :] = True
    outside[:, 0] = False
    below = chance.masked_fill(outside, 0.0).cumsum(-1)
    drawn = torch.stack([torch.rand(1, dtype=torch.float64, generator=g) for g in generators])
    place = torch.searchsorted(below, drawn.to(below.device) * below[:, -1:], right=True)
    last = (~outside).sum(-1, keepdim=True) - 1
    return ids.gather(-1, place.minimum(last))[:, 0]


def _penalised(logits: Tensor, penalty: float, written: Sequence[Sequence[int]]) -> Tensor:
    """Positive logits divided, negative ones multiplied; arXiv 1909.05858, section 4.1."""
    logits = logits.clone()
    for row, ids in zip(logits, written, strict=True):
        seen = torch.tensor(sorted(set(ids)), dtype=torch.long, device=row.device)
        row[seen] = torch.where(row[seen] > 0, row[seen] / penalty, row[seen] * penalty)
    return logits


def entropy(logits: Tensor) -> Tensor:
    """In nats (...) of softmax(logits (..., V)), float32."""
    below = logits.float() - logits.amax(-1, keepdim=True)
    weights = below.exp()  # of log_softmax it would take three times as long
    total = weights.sum(-1)
    return total.log() - (weights * below).sum(-1) / total


def sure(logits: Tensor, gate: Gate) -> Tensor:
    """Where (...) a distribution of logits (..., V) is as certain as the gate asks."""
    if gate.by == "entropy":
        return entropy(logits) <= gate.threshold
    return logits.float().softmax(-1).amax(-1) >= gate.threshold


def stop_at(texts: Sequence[str], decode: Callable[[list[int]], str]) -> Stop:
    """Stops once the answer's text holds one of `texts`, however it is cut into tokens."""
    return lambda ids: any(text in decode(list(ids)) for text in texts)
