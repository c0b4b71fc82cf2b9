"""Data tasks on lists that end in one number: count what matches, find the extreme."""

from __future__ import annotations

from itertools import accumulate
from random import Random

from tasks.draws import compared, contest, distinct_numbers, join_items
from tasks.types import Draw, Kind
from tasks.vocab import WORDS


def _count_over(rng: Random) -> Draw:
    numbers = [rng.randint(1, 99) for _ in range(rng.randint(4, 7))]
    limit = rng.choice((20, 25, 30, 40, 50, 60, 70, 75))
    return _matched(numbers, limit, ">")


def _count_under(rng: Random) -> Draw:
    numbers = [rng.randint(1, 99) for _ in range(rng.randint(4, 7))]
    limit = rng.choice((25, 30, 40, 50, 60, 70, 80))
    return _matched(numbers, limit, "<")


def _count_word(rng: Random) -> Draw:
    word, *others = rng.sample(WORDS, 4)
    words = [word] * rng.randint(1, 4) + rng.choices(others, k=rng.randint(2, 5))
    rng.shuffle(words)
    counts = list(accumulate(int(each == word) for each in words))
    steps = tuple(f"{each}: {count}" for each, count in zip(words, counts, strict=True))
    return Draw({"list": join_items(words), "word": word}, str(counts[-1]), steps)


def _extreme(rng: Random) -> Draw:
    numbers = distinct_numbers(rng)
    most, pick = rng.choice(
        (("largest", max), ("highest", max), ("smallest", min), ("lowest", min))
    )
    steps = contest(numbers, pick, most)
    return Draw({"list": join_items(numbers), "most": most}, str(pick(numbers)), steps)


def _matched(numbers: list[int], limit: int, wanted: str) -> Draw:
    """A line for every number: how it stands to the limit, and how many matched so far."""
    signs = [compared(number, limit) for number in numbers]
    counts = list(accumulate(int(sign == wanted) for sign in signs))
    steps = tuple(
        f"{number} {sign} {limit}: {count}"
        for number, sign, count in zip(numbers, signs, counts, strict=True)
    )
    fields = {"list": join_items(numbers), "limit": str(limit)}
    return Draw(fields, str(counts[-1]), steps)


COUNTING: tuple[Kind, ...] = (
    Kind(
        "data",
        "count_over",
        "number",
        _count_over,
        train=(
            "How many of these numbers are over {limit}? {list}",
            "Count the values greater than {limit}: {list}.",
            "In the list {list}, how many numbers are larger than {limit}?",
            "Values: {list}. How many are above {limit}?",
            "The scores are {list}. How many are more than {limit}?",
            "How many entries of {list} exceed {limit}?",
            "Count how many are higher than {limit}: {list}",
            "Orders were {list}. How many were over {limit}?",
        ),
        heldout=(
            "We measured {list}. How often was the value above {limit}?",
            "Tell me the count of numbers bigger than {limit} among {list}.",
            "Of the amounts {list}, how many lie over {limit}?",
        ),
    ),
    Kind(
        "data",
        "count_under",
        "number",
        _count_under,
        train=(
            "How many of these numbers are under {limit}? {list}",
            "Count the values less than {limit}: {list}.",
            "In the list {list}, how many numbers are smaller than {limit}?",
            "Values: {list}. How many are below {limit}?",
            "The scores are {list}. How many are less than {limit}?",
            "How many entries of {list} fall below {limit}?",
            "Count how many are lower than {limit}: {list}",
            "Stock levels are {list}. How many are under {limit}?",
        ),
        heldout=(
            "We measured {list}. How often was the value below {limit}?",
            "Tell me the count of numbers smaller than {limit} among {list}.",
            "Of the amounts {list}, how many lie under {limit}?",
        ),
    ),
    Kind(
        "data",
        "count_word",
        "number",
        _count_word,
        train=(
            "How many times does {word} occur in: {list}?",
            "Count the word {word} in this list: {list}.",
            "In {list}, how often is {word} listed?",
            "Items: {list}. How many are {word}?",
            "How many entries equal {word}? {list}",
            "The column contains {list}. Count {word}.",
            "Count how often {word} is in {list}.",
            "Tags: {list}. How many times is {word} used?",
        ),
        heldout=(
            "The log shows {list}. How often does {word} appear?",
            "Look at {list} and tell me the number of times {word} is there.",
            "What is the frequency of {word} in {list}?",
        ),
    ),
    Kind(
        "data",
        "extreme",
        "number",
        _extreme,
        train=(
            "What is the {most} number in {list}?",
            "Find the {most} value: {list}.",
            "Which of these is the {most}? {list}",
            "Values: {list}. Give the {most}.",
            "From {list}, pick the {most} number.",
            "The scores are {list}. What is the {most} score?",
            "Return the {most} of {list}.",
            "Prices: {list}. What is the {most} price?",
        ),
        heldout=(
            "Among {list}, which number is {most}?",
            "Our branches sold {list}. Name the {most} figure.",
            "Please tell me the {most} entry of the list {list}.",
        ),
    ),
)
