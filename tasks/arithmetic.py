"""Plain sums, differences and products, broken into steps a small model can take."""

from __future__ import annotations

from random import Random

from tasks.types import Draw, Kind


def _add(rng: Random) -> Draw:
    a, b = rng.randint(100, 799), rng.randint(21, 399)
    tens, rest = _head(b)
    middle = a + tens
    steps = [f"{a} + {tens} = {middle}"]
    if rest:
        steps.append(f"{middle} + {rest} = {a + b}")
    return _two(a, b, a + b, steps)


def _subtract(rng: Random) -> Draw:
    a = rng.randint(150, 999)
    b = rng.randint(21, min(a - 10, 399))
    tens, rest = _head(b)
    middle = a - tens
    steps = [f"{a} - {tens} = {middle}"]
    if rest:
        steps.append(f"{middle} - {rest} = {a - b}")
    return _two(a, b, a - b, steps)


def _multiply(rng: Random) -> Draw:
    a, b = rng.randint(12, 160), rng.randint(3, 9)
    parts = [digit * b for digit in _places(a)]
    steps = [f"{place} x {b} = {part}" for place, part in zip(_places(a), parts, strict=True)]
    total = parts[0]
    for part in parts[1:]:
        steps.append(f"{total} + {part} = {total + part}")
        total += part
    return _two(a, b, total, steps)


def _running_total(rng: Random) -> Draw:
    terms = [rng.randint(4, 99) for _ in range(rng.choice((3, 3, 4)))]
    steps, total = running_total(terms)
    listed = ", ".join(map(str, terms[:-1])) + f" and {terms[-1]}"
    fields = {"sum": " + ".join(map(str, terms)), "listed": listed}
    return Draw(fields, str(total), steps)


def _plus_minus(rng: Random) -> Draw:
    a, b = rng.randint(20, 300), rng.randint(10, 200)
    c = rng.randint(5, a + b - 1) if a + b < 200 else rng.randint(5, 199)
    if rng.random() < 0.5 and c < a:
        steps: tuple[str, ...] = (f"{a} - {c} = {a - c}", f"{a - c} + {b} = {a - c + b}")
        shown = f"{a} - {c} + {b}"
    else:
        steps = (f"{a} + {b} = {a + b}", f"{a + b} - {c} = {a + b - c}")
        shown = f"{a} + {b} - {c}"
    return Draw({"shown": shown}, str(a + b - c), steps)


def _two(a: int, b: int, answer: int, steps: list[str]) -> Draw:
    return Draw({"a": str(a), "b": str(b)}, str(answer), tuple(steps))


def running_total(terms: list[int]) -> tuple[tuple[str, ...], int]:
    steps, total = [], terms[0]
    for term in terms[1:]:
        steps.append(f"{total} + {term} = {total + term}")
        total += term
    return tuple(steps), total


def _head(number: int) -> tuple[int, int]:
    """The first place of a number and what is left: 275 -> 200 and 75."""
    unit = 100 if number >= 100 else 10
    return number // unit * unit, number % unit


def _places(number: int) -> list[int]:
    """The places that are not zero: 147 -> 100, 40, 7."""
    digits = str(number)
    places = [int(digit) * 10 ** (len(digits) - 1 - i) for i, digit in enumerate(digits)]
    return [place for place in places if place]


ARITHMETIC: tuple[Kind, ...] = (
    Kind(
        "math",
        "add",
        "number",
        _add,
        train=(
            "What is {a} + {b}?",
            "Add {a} and {b}.",
            "{a} + {b} = ?",
            "Find the sum of {a} and {b}.",
            "How much is {a} plus {b}?",
            "Calculate {a} + {b}.",
            "{a} plus {b} is what?",
            "An account holds {a} and receives {b}. How much is in it now?",
        ),
        heldout=(
            "Please work out {a} + {b}.",
            "What do you get when you add {b} to {a}?",
            "Compute the total of {a} and {b}.",
        ),
    ),
    Kind(
        "math",
        "subtract",
        "number",
        _subtract,
        train=(
            "What is {a} - {b}?",
            "Subtract {b} from {a}.",
            "{a} - {b} = ?",
            "Find the difference of {a} and {b}.",
            "How much is {a} minus {b}?",
            "Calculate {a} - {b}.",
            "{a} minus {b} is what?",
            "An account holds {a} and pays out {b}. How much is left in it?",
        ),
        heldout=(
            "Please work out {a} - {b}.",
            "What is left when you take {b} away from {a}?",
            "Compute the difference between {a} and {b}.",
        ),
    ),
    Kind(
        "math",
        "multiply",
        "number",
        _multiply,
        train=(
            "What is {a} x {b}?",
            "Multiply {a} by {b}.",
            "{a} x {b} = ?",
            "Find the product of {a} and {b}.",
            "How much is {a} times {b}?",
            "Calculate {a} x {b}.",
            "{b} times {a} is what?",
            "One part costs {a}. What do {b} parts cost?",
        ),
        heldout=(
            "Please work out {a} x {b}.",
            "What do you get when you multiply {a} and {b}?",
            "Compute {a} multiplied by {b}.",
        ),
    ),
    Kind(
        "math",
        "running_total",
        "number",
        _running_total,
        train=(
            "What is {sum}?",
            "Add these numbers: {listed}.",
            "{sum} = ?",
            "Find the sum of {listed}.",
            "Calculate {sum}.",
            "Sales were {listed}. What is the total?",
            "The invoice lines are {listed}. What is the sum?",
            "Give the total of {listed}.",
        ),
        heldout=(
            "Please work out {sum}.",
            "The daily orders were {listed}. How many orders were there altogether?",
            "Compute the total of these amounts: {listed}.",
        ),
    ),
    Kind(
        "math",
        "plus_minus",
        "number",
        _plus_minus,
        train=(
            "What is {shown}?",
            "Calculate {shown}.",
            "{shown} = ?",
            "Find {shown}.",
            "How much is {shown}?",
            "Give the result of {shown}.",
            "Solve {shown}.",
            "What does {shown} equal?",
        ),
        heldout=("Please work out {shown}.", "Compute {shown}.", "What do you get for {shown}?"),
    ),
)
