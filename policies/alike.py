"""How alike two questions are by their letters: enough to find what was decided before. Pure."""

from collections.abc import Iterable
from typing import TypeVar

from policies.wording import evened

T = TypeVar("T")
LETTERS = 3
LEAST = 0.2
"""Below this two questions have little more in common than their language."""


def letters(text: str) -> frozenset[str]:
    """Every run of three letters, in any script; case and width do not count."""
    plain = evened(text)
    return frozenset(plain[i : i + LETTERS] for i in range(max(1, len(plain) - LETTERS + 1)))


def likeness(a: frozenset[str], b: frozenset[str]) -> float:
    """Jaccard's index: shared runs over all runs; from 0 to 1."""
    return len(a & b) / len(a | b)


def most_alike(question: str, others: Iterable[tuple[T, str]], limit: int) -> list[tuple[float, T]]:
    """The likest first, with how like they are; none below LEAST."""
    asked = letters(question)
    found = [(likeness(asked, letters(text)), other) for other, text in others]
    close = [each for each in found if each[0] >= LEAST]
    return sorted(close, key=lambda each: -each[0])[:limit]
