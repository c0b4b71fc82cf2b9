"""A failed writing is not made again; every other keeps the chance that it had without it."""

from itertools import product
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.choice import Logits, chance_of, choose
from model.config import Choice
from model.untried import Untried

LETTERS, LENGTH = 3, 3
LINES = list(product(range(LETTERS), repeat=LENGTH))
SEEDS = st.integers(0, 10**6)


def speaker(seed: int) -> dict[tuple[int, ...], torch.Tensor]:
    """Logits (V,) behind every beginning of a line."""
    generator = torch.Generator().manual_seed(seed)
    starts = [start for n in range(LENGTH) for start in product(range(LETTERS), repeat=n)]
    return {start: 2 * torch.randn(LETTERS, generator=generator) for start in starts}


def chances(logits: torch.Tensor) -> list[float]:
    return logits.double().softmax(-1).tolist()


def line_chance(speaks: dict[tuple[int, ...], torch.Tensor], line: tuple[int, ...]) -> float:
    return prod(chances(speaks[line[:n]])[line[n]] for n in range(LENGTH))


def left_of(
    untried: Untried, speaks: dict[tuple[int, ...], torch.Tensor], line: tuple[int, ...]
) -> float:
    """The chance with which this line is written next; it fails then."""
    total = 1.0
    for n, token in enumerate(line):
        of, spent = chances(speaks[line[:n]]), untried.spent
        left = [chance * (1 - spent.get(t, 0.0)) for t, chance in enumerate(of)]
        total *= left[token] / sum(left) if sum(left) > 1e-9 else 0.0
        untried.drawn(token, of[token])
    untried.failed()
    return total


@given(seed=SEEDS, order=st.permutations(LINES), gone=st.integers(0, len(LINES) - 1))
def test_a_line_has_the_chance_it_had_given_that_it_is_none_that_failed(
    seed: int, order: list[tuple[int, ...]], gone: int
) -> None:
    speaks, untried = speaker(seed), Untried()
    for line in order[:gone]:
        left_of(untried, speaks, line)
    lost = sum(line_chance(speaks, line) for line in order[:gone])
    expected = line_chance(speaks, order[gone]) / (1 - lost) if 1 - lost > 1e-6 else None
    found = left_of(untried, speaks, order[gone])
    assert expected is None or found == pytest.approx(expected, rel=1e-4)


@settings(max_examples=20)
@given(seed=SEEDS)
def test_every_line_is_written_once_before_one_is_written_twice(seed: int) -> None:
    speaks, untried, seen = speaker(seed), Untried(), list[tuple[int, ...]]()
    choice, generator = Choice(temperature=3.0), torch.Generator().manual_seed(seed)
    for _ in LINES:
        line: tuple[int, ...] = ()
        for _ in range(LENGTH):
            logits = Logits(speaks[line][None, None])
            token = int(choose(logits, choice, [line], [generator], untried.spent))
            untried.drawn(token, chance_of(token, logits, choice, line))
            line += (token,)
        untried.failed()
        seen.append(line)
    assert sorted(seen) == LINES
    assert sum(untried.spent.values()) == pytest.approx(LETTERS)


def test_a_beginning_that_no_failed_line_has_spends_nothing() -> None:
    untried = Untried()
    for token in (0, 1):
        untried.drawn(token, 0.5)
    untried.failed()
    assert untried.spent == {0: 0.5}
    untried.drawn(2, 0.1)
    assert untried.spent == {}


LOGITS = Logits(torch.tensor([[[0.5, 0.3, 0.2]]]).log())


def test_what_is_spent_is_not_drawn_unless_nothing_is_left() -> None:
    choice = Choice(temperature=1.0)

    def drawn(spent: dict[int, float]) -> list[float]:
        generator = torch.Generator().manual_seed(3)
        times = 4000
        ids = [int(choose(LOGITS, choice, [[]], [generator], spent)) for _ in range(times)]
        return [ids.count(i) / times for i in range(3)]

    bound = 4 * 0.5 / 4000**0.5
    for spent, expected in (
        ({}, [0.5, 0.3, 0.2]),
        ({0: 1.0}, [0, 0.6, 0.4]),
        ({0: 0.6, 2: 1.0}, [0.4, 0.6, 0]),
        ({0: 1.0, 1: 1.0, 2: 1.0}, [0.5, 0.3, 0.2]),
    ):
        shares = drawn(spent)
        assert all(abs(a - b) < bound for a, b in zip(shares, expected, strict=True)), spent
        assert all(a == 0 for a, b in zip(shares, expected, strict=True) if b == 0), spent
    assert int(choose(LOGITS, Choice(), [[]], [], {0: 1.0})) == 0  # at temperature 0 the best


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(temperature=1.0), [0.5, 0.3, 0.2]),
        (Choice(temperature=1.0, top_k=2), [0.625, 0.375, 0]),
        (Choice(temperature=1.0, top_p=0.6), [0.625, 0.375, 0]),
        (Choice(temperature=0.5), [25 / 38, 9 / 38, 4 / 38]),
    ],
)
def test_the_chance_of_a_token_is_that_with_which_it_is_drawn(
    choice: Choice, expected: list[float]
) -> None:
    assert [chance_of(i, LOGITS, choice, []) for i in range(3)] == pytest.approx(expected, abs=1e-6)
