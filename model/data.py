"""From (question, response, class) to padded batches of token ids.

Where the examples come from is the caller's business.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor


class Tokens(Protocol):
    """What training needs of a tokenizer; model.hf.Prompter is one."""

    def prompt(self, question: str) -> list[int]: ...

    def answer(self, text: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the response the model shall learn, and its guidance class if any."""

    question: str
    response: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """B examples, padded on the right; the next token of positions (B, R) is part of a response."""

    ids: Tensor  # (B, S)
    positions: Tensor  # (B, R), index into S of the token that the flow position stands on
    targets: Tensor  # (B, R), the true next token
    valid: Tensor  # (B, R), False where a shorter response was padded
    labels: Tensor  # (B,), row of the class table

    @property
    def tokens(self) -> int:
        return int(self.valid.sum())


def batches(
    examples: Iterable[Example], tokens: Tokens, class_index: dict[str, int], size: int, seed: int
) -> Iterator[Batch]:
    """Batches of `size`; in pools of 32 batches, like lengths go together, to pad little."""
    rng = random.Random(seed)
    none = len(class_index)
    stream = iter(examples)
    while pool := list(islice(stream, 32 * size)):
        rows = [
            (
                tokens.prompt(x.question),
                tokens.answer(x.response),
                class_index.get(x.label or "", none),
            )
            for x in pool
        ]
        rows.sort(key=lambda row: (len(row[1]), len(row[0])))
        groups = [rows[i : i + size] for i in range(0, len(rows), size)]
        rng.shuffle(groups)
        for group in groups:
            yield collate(group)


def collate(rows: list[tuple[list[int], list[int], int]]) -> Batch:
    """One batch from (prompt ids, answer ids, class row) each."""
    B = len(rows)
    S = max(len(p) + len(a) for p, a, _ in rows)
    R = max(len(a) for _, a, _ in rows)
    ids = torch.zeros(B, S, dtype=torch.long)
    positions, targets = torch.zeros(B, R, dtype=torch.long), torch.zeros(B, R, dtype=torch.long)
    valid = torch.zeros(B, R, dtype=torch.bool)
    for i, (prompt, answer, _) in enumerate(rows):
        n, r = len(prompt), len(answer)
        ids[i, : n + r] = torch.tensor(prompt + answer)
        positions[i, :r] = torch.arange(n - 1, n - 1 + r)
        targets[i, :r] = torch.tensor(answer)
        valid[i, :r] = True
    return Batch(ids, positions, targets, valid, torch.tensor([row[2] for row in rows]))
