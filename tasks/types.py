"""What a task is and how a kind of task makes one. Pure: draws come from the rng passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

SPLITS = ("train", "heldout")


@dataclass(frozen=True, slots=True)
class Task:
    """One question, the text the model shall write, and the answer it is scored by."""

    domain: str
    kind: str
    template: str
    question: str
    response: str
    answer: str
    check: str


@dataclass(frozen=True, slots=True)
class Draw:
    """The numbers and names of one task: what fills the wording, the working, the answer."""

    fields: dict[str, str]
    answer: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A family of tasks: wordings as data and a function that draws what fills them.

    A wording belongs to one split only. `draw_heldout` is set where the drawn material
    itself (not only the wording) must be new to the model in the held-out split.
    """

    domain: str
    name: str
    check: str
    draw: Callable[[Random], Draw]
    train: tuple[str, ...]
    heldout: tuple[str, ...]
    draw_heldout: Callable[[Random], Draw] | None = None

    def __call__(self, rng: Random, split: str) -> Task:
        wordings = self._wordings(split)
        number = rng.randrange(len(wordings))
        draw = self.draw_heldout if split == "heldout" and self.draw_heldout else self.draw
        drawn = draw(rng)
        return Task(
            domain=self.domain,
            kind=self.name,
            template=f"{self.name}/{split[0]}{number}",
            question=wordings[number].format(**drawn.fields),
            response="\n".join((*drawn.steps, f"Answer: {drawn.answer}")),
            answer=drawn.answer,
            check=self.check,
        )

    def _wordings(self, split: str) -> tuple[str, ...]:
        if split not in SPLITS:
            raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
        return self.train if split == "train" else self.heldout


def worded(kinds: tuple[Kind, ...], more: Mapping[str, tuple[str, ...]]) -> tuple[Kind, ...]:
    """The same kinds with more wordings for training, by name; a name of no kind is an error."""
    unknown = set(more) - {kind.name for kind in kinds}
    if unknown:
        raise ValueError(f"wordings of unknown kinds: {', '.join(sorted(unknown))}")
    return tuple(replace(kind, train=kind.train + more.get(kind.name, ())) for kind in kinds)
