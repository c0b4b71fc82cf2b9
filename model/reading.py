"""Prompts on their way into slots: several are read in one pass, each piece by piece.

What most prompts begin with, the chat template, is read once and copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from model.backbone import Backbone
from model.choice import Logits
from model.passes import Passes, Piece
from model.request import Request
from model.slots import Slots

_AT_ONCE = 8
"""Prompts read side by side; each holds a slot for its keys and values meanwhile."""


@dataclass(eq=False, slots=True)
class Prompt:
    """A prompt to read, for those rows of its request that share it."""

    request: Request
    ids: tuple[int, ...]
    places: list[int]
    slot: int | None = None
    """Where it is read; None as long as it waits for one."""
    read: int = 0
    """Tokens in its slot."""
    told: int = 0
    """Of these, how many were counted."""


class Part(NamedTuple):
    """What a pass read of a prompt."""

    prompt: Prompt
    new: int
    """Tokens to be counted: the prefix, too, though it was only copied."""
    hidden: Tensor  # H (1, 1, h) of the newest
    logits: Logits  # (1, 1, V) behind it, of what read it
    slot: int
    """Where keys and values of all that was read are; good until the next pass."""


class Desk:
    """Prompts that wait and those being read, the oldest first."""

    def __init__(
        self, backbone: Backbone, passes: Passes, prefix: Sequence[int], own: bool = False
    ) -> None:
        """`own`: for prompts that the path reads for itself."""
        self.prompts, self._own = list[Prompt](), own
        self._passes, self.kv, self._free = passes, Slots(backbone), list(range(_AT_ONCE))
        self._prefix, self._begun = tuple(prefix), Slots(backbone)
        if prefix:
            self._begun.reserve(1, len(prefix))
            passes.read(self._begun, [Piece(0, 0, self._prefix)], own)

    def read(self, most: int) -> list[Part]:
        """One pass over at most so many tokens of as many prompts as they reach for."""
        taken = list[tuple[Prompt, Piece]]()
        for prompt in self.prompts:
            if most <= 0 or not self._seat(prompt):
                break
            assert prompt.slot is not None
            ids = prompt.ids[prompt.read : prompt.read + most]
            taken.append((prompt, Piece(prompt.slot, prompt.read, ids)))
            most -= len(ids)
        if not taken:
            return []
        hidden, logits = self._passes.read(self.kv, [piece for _, piece in taken], self._own)
        return [
            self._part(prompt, piece, hidden[i : i + 1], logits[i])
            for i, (prompt, piece) in enumerate(taken)
        ]

    def leave(self, prompt: Prompt) -> None:
        """It was read, or is wanted no more."""
        self.prompts.remove(prompt)
        if prompt.slot is not None:
            self._free.append(prompt.slot)

    def _part(self, prompt: Prompt, piece: Piece, hidden: Tensor, logits: Logits) -> Part:
        prompt.read = piece.start + len(piece.ids)
        new, prompt.told = prompt.read - prompt.told, prompt.read
        return Part(prompt, new, hidden, logits, piece.slot)

    def _seat(self, prompt: Prompt) -> bool:
        """Whether it has a slot, or gets one, in which the prefix stands if it begins so."""
        if prompt.slot is None and self._free:
            prompt.slot, n = self._free.pop(), len(self._prefix)
            self.kv.reserve(prompt.slot + 1, len(prompt.ids))
            if 0 < n < len(prompt.ids) and prompt.ids[:n] == self._prefix:
                self.kv.enter(prompt.slot, self._begun, 0, n)
                prompt.read = n
        return prompt.slot is not None
