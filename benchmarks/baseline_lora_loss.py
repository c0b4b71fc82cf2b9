"""The loss of a LoRA fine-tune of a Hugging Face model, with no token computed for nothing."""

from itertools import takewhile
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface

from training.data import Row, collate

HEAD_ROWS = 128
WIDTH = 256
"""Tokens, about, of the rows that examples are packed into."""
BEGINS = -2
"""Owner of the tokens that all examples begin with."""


def grouped_attention(
    _module: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scaling: float, **_: Any
) -> tuple[Tensor, None]:
    """q (B, H, T, d), k and v (B, K, T, d), mask (B, 1, T, T) -> (B, T, H, d), no weights.

    Beside transformers' own no key is repeated for its queries, and the scores stay in the
    precision of the rest: with rows this short a step takes a sixth less (docs/LOG.md).
    """
    B, H, T, d = q.shape
    K = k.shape[1]
    scores = (q * scaling).reshape(B, K, H // K * T, d) @ k.transpose(2, 3)
    weights = (scores.view(B, K, H // K, T, T) + mask[:, :, None]).softmax(-1)
    out = weights.view(B, K, H // K * T, T) @ v
    return out.view(B, H, T, d).transpose(1, 2).contiguous(), None


GROUPED = "grouped"
AttentionInterface.register(GROUPED, grouped_attention)


def loss_of(lm: Any, rows: list[Row], width: int = WIDTH) -> Tensor:
    """Mean cross-entropy in nats of the response tokens.

    Packed; what all examples begin with, the frame of a first question, stands once in a row.
    """
    decoder, alike = lm.get_base_model().model, alike_at_first(rows)
    rests = [Row(row.ids[alike:], [i - alike for i in row.at], row.label) for row in rows]
    batch = collate(rests, width).to(lm.device)
    first = torch.tensor(rows[0].ids[:alike], dtype=torch.long, device=lm.device)
    at_first = torch.arange(alike, device=lm.device)
    owner = in_front(torch.full_like(first, BEGINS), batch.owner)
    hidden = decoder(
        input_ids=in_front(first, batch.ids),
        position_ids=in_front(at_first, batch.places + alike),
        attention_mask=mask_of(owner, lm.dtype),
        use_cache=False,
    ).last_hidden_state  # (B, T, h)
    index = torch.arange(len(hidden), device=lm.device)[:, None]
    at = hidden[index, alike + batch.positions][batch.valid]  # (tokens, h)
    head = lm.get_base_model().lm_head.weight
    total: Tensor = HeadLoss.apply(at, head, batch.targets[batch.valid])  # type: ignore[no-untyped-call]
    return total / len(at)


class HeadLoss(torch.autograd.Function):
    """Cross-entropies behind a frozen head, summed; some rows at a time with their gradient.

    The logits of a whole step, and as much again for their gradient, are more than caches hold:
    so it takes a third of the time.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
        """hidden (N, h), head (V, h), targets (N,) -> float32."""
        grad, total = torch.empty_like(hidden), torch.zeros((), device=hidden.device)
        for start in range(0, len(hidden), HEAD_ROWS):
            some = slice(start, start + HEAD_ROWS)
            true = targets[some, None]
            logits = (hidden[some] @ head.T).float()
            total += (logits.logsumexp(-1) - logits.gather(1, true)[:, 0]).sum()
            slope = logits.softmax(-1)
            slope.scatter_add_(1, true, torch.full_like(true, -1, dtype=slope.dtype))
            grad[some] = slope.to(head.dtype) @ head
        ctx.save_for_backward(grad)
        return total

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = ctx.saved_tensors
        return (grad * above).to(grad.dtype), None, None


def alike_at_first(rows: list[Row]) -> int:
    """Tokens that stand in front of every row, none of them behind the question."""
    most = min(row.at[0] for row in rows)
    columns = zip(*(row.ids[:most] for row in rows), strict=True)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))


def in_front(first: Tensor, rows: Tensor) -> Tensor:
    """(F,) in front of every row of (B, S)."""
    return torch.cat([first.expand(len(rows), -1), rows], dim=1)


def mask_of(owner: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, 1, T, T): a token sees the beginning and its own example, up to itself."""
    seen = (owner[:, :, None] == owner[:, None, :]) | (owner[:, None, :] == BEGINS)
    mask = torch.zeros(seen.shape, dtype=dtype, device=owner.device)
    return mask.masked_fill(~seen.tril(), torch.finfo(dtype).min)[:, None]
