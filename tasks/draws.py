"""Helpers that several families of tasks draw with."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tasks.types import Draw
from tasks.vocab import CLIENTS, ITEMS, NAMES, PACKS


def people(rng: Random) -> dict[str, str]:
    """Who and what a word problem is about."""
    who, other = rng.sample(NAMES, 2)
    return {
        "who": who,
        "other": other,
        "item": rng.choice(ITEMS),
        "pack": rng.choice(PACKS),
        "client": rng.choice(CLIENTS),
    }


def word_problem(rng: Random, answer: int, steps: tuple[str, ...], **numbers: int) -> Draw:
    """A draw with people and goods around the numbers."""
    fields = people(rng) | {key: str(value) for key, value in numbers.items()}
    return Draw(fields, str(answer), steps)


def distinct_numbers(rng: Random) -> list[int]:
    """Four to seven numbers, all different."""
    top = rng.choice((99, 99, 400, 999))
    return rng.sample(range(2, top), rng.randint(4, 7))


def join_items(items: list[int] | list[str]) -> str:
    """A list as people write it."""
    return ", ".join(map(str, items))


def compared(a: int, b: int) -> str:
    """The sign that stands between them."""
    return "<" if a < b else ">" if a > b else "="


def contest(
    numbers: list[int], pick: Callable[..., int], aim: str, shown: Callable[[int], str] = str
) -> tuple[str, ...]:
    """The aim, then a line for each number but the first: against the best so far, and the best."""
    steps, best = [aim], numbers[0]
    for number in numbers[1:]:
        better = pick(best, number)
        steps.append(f"{shown(number)} {compared(number, best)} {best}: {shown(better)}")
        best = better
    return tuple(steps)
