"""Tasks adapted from the reasoning-gym package: more kinds to learn and to measure on.

The package is a development dependency and is imported only when a stream is asked for. Its
`gsm_symbolic` is left out: those are templates of GSM8K's test questions.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from random import Random
from typing import Any

from tasks.types import SPLITS, Task

# Each split draws its entries from its own range of package seeds.
SEEDS_PER_SPLIT = 1_000_000_000
WORDINGS: dict[str, tuple[str, ...]] = {
    "train": (
        "{question}",
        "Task: {question}",
        "{question}\nGive the answer.",
        "Solve: {question}",
    ),
    "heldout": ("Please help me with this. {question}", "{question}\nWhat is the right answer?"),
}


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one reasoning-gym data set becomes tasks."""

    domain: str
    check: str
    options: dict[str, int] = field(default_factory=dict)
    question: Callable[[str], str] = str.strip
    answer: Callable[[str], str] = str.strip


def _first_line(question: str) -> str:
    return question.strip().splitlines()[0]


def _last_line(question: str) -> str:
    return question.strip().splitlines()[-1]


def _after_now(question: str) -> str:
    """What follows "Now, " at the beginning of its last line."""
    line = _last_line(question).removeprefix("Now, ")
    return line[0].upper() + line[1:]


def _plain_list(question: str) -> str:
    return _first_line(question).translate(str.maketrans("", "", "[]'"))


def _literal_list(answer: str) -> str:
    return ", ".join(literal_eval(answer))


ADAPTERS: dict[str, Adapter] = {
    "chain_sum": Adapter("math", "number", {"max_terms": 4, "max_digits": 2}),
    "number_sorting": Adapter(
        "data",
        "list",
        {"min_numbers": 4, "max_numbers": 7, "max_decimals": 0, "min_value": 1, "max_value": 99},
        question=_first_line,
        answer=_literal_list,
    ),
    "letter_counting": Adapter("data", "number", {"min_words": 3, "max_words": 6}),
    "word_sequence_reversal": Adapter("data", "list", {"max_words": 6}, question=_last_line),
    "simple_equations": Adapter("math", "number", {"max_terms": 2, "max_value": 20}),
    "products": Adapter("math", "number", {"max_digits": 2}),
    "gcd": Adapter("math", "number", {"max_value": 90}),
    "leg_counting": Adapter(
        "math",
        "number",
        {"min_animals": 2, "max_animals": 3, "max_instances": 9},
        question=_after_now,
    ),
    "word_sorting": Adapter("data", "list", {"max_words": 5}, question=_after_now),
    "number_filtering": Adapter(
        "data",
        "list",
        {"max_numbers": 7, "max_decimals": 0},
        question=_plain_list,
        answer=_literal_list,
    ),
    "number_format": Adapter(
        "data",
        "number",
        {"max_num_candidates": 4, "max_n": 100_000},
        question=_after_now,
    ),
    "family_relationships": Adapter("data", "text", {"max_family_size": 6}),
}


def reasoning_stream(seed: int, split: str, kind: str) -> Iterator[Task]:
    """Tasks of one reasoning-gym kind, for ever; same seed, same tasks."""
    if kind not in ADAPTERS:
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join(ADAPTERS)}")
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return _stream(Random(f"{seed}/{split}/{kind}"), split, kind, _create_dataset())


def _stream(rng: Random, split: str, kind: str, create: Callable[..., Any]) -> Iterator[Task]:
    adapter = ADAPTERS[kind]
    while True:
        entry_seed = SPLITS.index(split) * SEEDS_PER_SPLIT + rng.randrange(SEEDS_PER_SPLIT)
        entry = create(kind, size=1, seed=entry_seed, **adapter.options)[0]
        number = rng.randrange(len(WORDINGS[split]))
        answer = adapter.answer(entry["answer"])
        if not answer:  # as of a filter that nothing passes
            continue
        yield Task(
            domain=adapter.domain,
            kind=kind,
            template=f"{kind}/{split[0]}{number}",
            question=WORDINGS[split][number].format(question=adapter.question(entry["question"])),
            response=f"Answer: {answer}",
            answer=answer,
            check=adapter.check,
        )


def _create_dataset() -> Callable[..., Any]:
    try:
        create: Callable[..., Any] = import_module("reasoning_gym").create_dataset
    except ImportError as error:
        raise RuntimeError(
            "reasoning-gym is not installed; run: pip install -r requirements-dev.txt"
        ) from error
    return create
