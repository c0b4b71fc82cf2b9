"""The loss of a LoRA fine-tune of a Hugging Face model, with no token computed for nothing."""

from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from training.data import Batch, Row, collate

HEAD_ROWS = 128
WIDTH = 128
"""Tokens, about, of the rows that examples are packed into."""


def loss_of(lm: Any, rows: list[Row], width: int = WIDTH) -> Tensor:
    """Mean cross-entropy in nats of the response tokens.

    What all rows begin with, the frame of a first question, is read once; the rest is packed.
    """
    decoder, alike = lm.get_base_model().model, alike_at_first(rows)
    rests = [Row(row.ids[alike:], [i - alike for i in row.at], row.label) for row in rows]
    batch, cache = collate(rests, width).to(lm.device), None
    if alike:
        first = torch.tensor([rows[0].ids[:alike]], device=lm.device)
        cache = decoder(input_ids=first, use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(batch.ids))
    hidden = decoder(
        input_ids=batch.ids,
        position_ids=batch.places + alike,
        attention_mask=mask_of(batch, alike, lm.dtype),
        past_key_values=cache,
    ).last_hidden_state  # (B, S, h)
    index = torch.arange(len(hidden), device=lm.device)[:, None]
    at = hidden[index, batch.positions][batch.valid]  # (tokens, h)
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


def mask_of(batch: Batch, alike: int, dtype: torch.dtype) -> Tensor:
    """(B, 1, S, alike + S): each token sees the common beginning and its own example up to it."""
    own = batch.owner[:, :, None] == batch.owner[:, None, :]
    seen = torch.nn.functional.pad(own.tril(), (alike, 0), value=True)[:, None]
    return torch.zeros(seen.shape, dtype=dtype, device=own.device).masked_fill(
        ~seen, torch.finfo(dtype).min
    )
