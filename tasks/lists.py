"""Data tasks on lists: sort, tidy, join."""

from __future__ import annotations

from random import Random

from tasks.draws import distinct_numbers, join_items
from tasks.types import Draw, Kind
from tasks.vocab import NAMES, WORDS


def _sort_up(rng: Random) -> Draw:
    numbers = distinct_numbers(rng)
    return _sorted(numbers, sorted(numbers), " ", "<")


def _sort_down(rng: Random) -> Draw:
    numbers = distinct_numbers(rng)
    return _sorted(numbers, sorted(numbers, reverse=True), " ", ">")


def _sort_words(rng: Random) -> Draw:
    words = rng.sample(rng.choice((WORDS, WORDS, NAMES)), rng.randint(3, 6))
    return _sorted(words, sorted(words), ", ", "<")


def _sorted(
    items: list[int] | list[str], ordered: list[int] | list[str], between: str, sign: str
) -> Draw:
    """The list as it was given and a chain of it: one can be held against the other."""
    step = f"{between.join(map(str, items))}: {sign.join(map(str, ordered))}"
    return Draw({"list": join_items(items)}, join_items(ordered), (step,))


def _dedupe(rng: Random) -> Draw:
    items = _words_or_numbers(rng, 3, 5)
    shown = items + rng.choices(items, k=rng.randint(1, 3))
    rng.shuffle(shown)
    return Draw({"list": join_items(shown)}, join_items(list(dict.fromkeys(shown))))


def _reverse(rng: Random) -> Draw:
    items = _words_or_numbers(rng, 3, 6)
    numbered = [f"{place} {item}" for place, item in enumerate(items, start=1)]
    steps = (join_items(numbered), join_items(numbered[::-1]))
    return Draw({"list": join_items(items)}, join_items(items[::-1]), steps)


def _join_codes(rng: Random) -> Draw:
    codes = [_code(rng) for _ in range(rng.randint(2, 4))]
    mark, name = rng.choice(
        (("-", "a hyphen"), ("_", "an underscore"), ("/", "a slash"), (".", "a dot"))
    )
    return Draw({"list": join_items(codes), "mark": mark, "name": name}, mark.join(codes))


def _words_or_numbers(rng: Random, least: int, most: int) -> list[str]:
    amount = rng.randint(least, most)
    if rng.random() < 0.5:
        return rng.sample(WORDS, amount)
    return [str(number) for number in rng.sample(range(2, 99), amount)]


def _code(rng: Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHKLMNPRSTUVWX", k=2))
    return letters if rng.random() < 0.5 else str(rng.randint(10, 99))


LISTS: tuple[Kind, ...] = (
    Kind(
        "data",
        "sort_up",
        "list",
        _sort_up,
        train=(
            "Sort these numbers from smallest to largest: {list}.",
            "Sort in ascending order: {list}",
            "Put {list} in ascending order.",
            "Order the values {list} from low to high.",
            "List these numbers, smallest first: {list}.",
            "Arrange {list} so that they increase.",
            "Here are some scores: {list}. Sort them from lowest to highest.",
            "The prices are {list}. Sort them, cheapest first.",
        ),
        heldout=(
            "Please give me {list} in increasing order.",
            "Rank the following amounts from the smallest up: {list}.",
            "Our sensors read {list}. Write the readings in rising order.",
        ),
    ),
    Kind(
        "data",
        "sort_down",
        "list",
        _sort_down,
        train=(
            "Sort these numbers from largest to smallest: {list}.",
            "Sort in descending order: {list}",
            "Put {list} in descending order.",
            "Order the values {list} from high to low.",
            "List these numbers, largest first: {list}.",
            "Arrange {list} so that they decrease.",
            "Here are some scores: {list}. Sort them from highest to lowest.",
            "The prices are {list}. Sort them, most expensive first.",
        ),
        heldout=(
            "Please give me {list} in decreasing order.",
            "Rank the following amounts from the largest down: {list}.",
            "Our sensors read {list}. Write the readings in falling order.",
        ),
    ),
    Kind(
        "data",
        "sort_words",
        "list",
        _sort_words,
        train=(
            "Sort these words alphabetically: {list}.",
            "Sort from A to Z: {list}",
            "Put {list} in alphabetical order.",
            "Order {list} by the alphabet.",
            "Alphabetize this list: {list}.",
            "Arrange the entries {list} from A to Z.",
            "Sort this column of text: {list}.",
            "Give {list} in dictionary order.",
        ),
        heldout=(
            "Please list the following alphabetically: {list}.",
            "In a directory sorted A to Z, how would {list} be ordered?",
            "The rows are {list}. Write them in order of the alphabet.",
        ),
    ),
    Kind(
        "data",
        "dedupe",
        "list",
        _dedupe,
        train=(
            "Remove the duplicates, keep the order: {list}.",
            "Remove repeated entries from {list}. Keep the first of each.",
            "Deduplicate this list: {list}",
            "List each item of {list} once, in order of first appearance.",
            "Give the unique values in order: {list}.",
            "Drop repeats from {list}, keeping the order.",
            "Column: {list}. Return the distinct values in order.",
            "Clean this list of duplicates and keep its order: {list}.",
        ),
        heldout=(
            "Some entries appear twice or more: {list}. Write each only once, same order.",
            "Please strip duplicate items out of {list} without changing the order.",
            "Which different values are in {list}? Name them in the order they come.",
        ),
    ),
    Kind(
        "data",
        "reverse",
        "list",
        _reverse,
        train=(
            "Reverse this list: {list}.",
            "Write {list} in reverse order.",
            "Give these items from last to first: {list}.",
            "Turn the order of {list} around.",
            "List {list} backwards.",
            "Rows: {list}. Return them in reversed order.",
            "Output the entries in opposite order: {list}.",
            "Start from the end and list: {list}.",
        ),
        heldout=(
            "Please flip the sequence {list}.",
            "Read {list} from the end to the beginning and write it down.",
            "The queue is {list}. Show it last entry first.",
        ),
    ),
    Kind(
        "data",
        "join_codes",
        "text",
        _join_codes,
        train=(
            'Join {list} with "{mark}".',
            "Join these codes with {name}: {list}",
            "Combine {list} into one code with {name} between the parts.",
            'Parts: {list}. Separator: "{mark}". Build the code.',
            "Make one code from {list}, separated by {name}.",
            'Put "{mark}" between the parts {list}.',
            "Concatenate {list} using {name} as separator.",
            "Write {list} as one code, {name} between parts.",
        ),
        heldout=(
            "Please link the pieces {list} by {name}.",
            'The article number consists of {list}, connected by "{mark}". Write it.',
            "Create a single key out of {list} and set {name} between them.",
        ),
    ),
)
