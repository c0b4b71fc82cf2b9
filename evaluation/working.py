"""Does what an answer's working states hold? Reads free text; exact, without floating point. Pure.

A statement is what a reader could check by what is written there and a pocket calculator: a sum as
"13 x 4 = 52" or "25% of 272 = 68", a comparison as "264 > 150", an order as "3 words: ash < elm <
yew" or, behind the list as it was given, "7 4 12: 4<7<12". A text that states nothing of that
kind holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

_PLAIN = str.maketrans({"\N{MULTIPLICATION SIGN}": "x", "*": "x", "\N{MINUS SIGN}": "-", "÷": "/"})
_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_APART = r"(?<![\w.,%:=<>+/-])(?<![:=<>+/-]\s)(?<!^x\s)(?<![\s\d%)]x\s)"
"""In front of a statement: nothing that would belong to it. A name may end in x, though."""
_TERM = rf"(?:(?:{_NUMBER})%\s+of\s+(?:{_NUMBER})|-?(?:{_NUMBER}))"
_STATEMENT = re.compile(
    rf"{_APART}({_TERM}(?:\s*[-+x/]\s*{_TERM}){{0,15}})"
    rf"\s*([=<>])\s*(-?(?:{_NUMBER}))(?![\w%])(?![.,:]\d)(?!\s*[-+x/=<>]\s*-?\d)"
)
_ITEM = rf"(?:-?(?:{_NUMBER})|[^\W\d_]{{2,}})"
_NEXT = rf"(?:\s*[<>]\s*{_ITEM})"
_GIVEN = rf"(?:-?(?:{_NUMBER})(?: -?(?:{_NUMBER})){{2,}}|[^\W\d_]{{2,}}(?:, [^\W\d_]{{2,}}){{2,}})"
_ORDER = re.compile(
    rf"(?:(?<![\w.,-])(\d{{1,4}}) (?:numbers|words): |^({_GIVEN}): |"
    rf"{_APART})"
    rf"({_ITEM}{_NEXT}(?(2){_NEXT}*|{_NEXT}+))(?![\w%])(?![.,:]\d)(?!\s*[-+x/=<>])",
    re.MULTILINE,
)
_PART = re.compile(rf"(?:({_NUMBER})%\s+of\s+)?({_NUMBER})|([-+x/])")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DIGITS = 40
"""A longer number is none that a reader would check."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One sum, comparison or order as it stands in a text."""

    text: str
    holds: bool
    """An equation holds if its right side is the left one, rounded to as many decimals; a whole
    number must be exact. Words are in the order of the alphabet; an order that tells how many are
    in it must have as many, one that follows the list as it was given must have the same."""


def statements(text: str) -> list[Statement]:
    """All of a text, in its order; what divides by zero is none."""
    plain, found = text.translate(_PLAIN), list[tuple[int, Statement]]()
    for match in (*_STATEMENT.finditer(plain), *_ORDER.finditer(plain)):
        right = _in_order(match) if match.re is _ORDER else _sum_holds(match)
        if right is not None and max(map(len, re.findall(r"[0-9,.]+|$", match[0]))) <= _DIGITS:
            said = text[match.start() : match.end()]
            found.append((match.start(), Statement(said, right)))
    return [statement for _, statement in sorted(found, key=lambda pair: pair[0])]


def holds(text: str) -> bool:
    """Whether every statement of the text holds."""
    return all(statement.holds for statement in statements(text))


def every_line_holds(text: str) -> bool:
    """Whether no line, read alone, states what does not hold."""
    return all(map(holds, text.split("\n")))


def _sum_holds(match: re.Match[str]) -> bool | None:
    left = _left(match[1], match[2])
    return None if left is None else _holds(left, match[2], match[3])


def _in_order(match: re.Match[str]) -> bool | None:
    """None where numbers stand beside words."""
    count, given, chain = match.groups()
    first, *rest = re.split(r"\s*([<>])\s*", chain)
    items, signs = [first, *rest[1::2]], rest[::2]
    numbers = [bool(re.search(r"\d", item)) for item in items]
    if any(numbers) and not all(numbers):
        return None
    values = _values(items)
    pairs = zip(signs, pairwise(values), strict=True)
    right = all(a < b if sign == "<" else a > b for sign, (a, b) in pairs)
    complete = given is None or sorted(values) == sorted(_values(re.split(", | ", given)))
    return right and complete and count in (None, str(len(items)))


def _values(items: list[str]) -> list[Any]:
    """As they are compared: all of them numbers, or all of them words."""
    return [_signed(item) if re.search(r"\d", item) else item.casefold() for item in items]


def _left(expression: str, sign: str) -> Fraction | None:
    """What is on the left; None where that is no sum: "a = 5" and "5 = 5" state nothing."""
    sums = re.search(r"[\d\s][-+x/]|%", expression)
    if _DATE.search(expression) or (sign == "=" and not sums):
        return None
    return _value(expression)


def _value(expression: str) -> Fraction | None:
    """Products before sums, from left to right; None where it divides by zero."""
    total, product, sign, before = Fraction(0), None, 1, ""
    for percent, number, operator in _PART.findall(expression):
        if operator and (before or product is None):
            sign = -sign if operator == "-" else sign  # a sign, no difference
            continue
        if operator:
            before = operator
            continue
        value = sign * _fraction(number) * (_fraction(percent) / 100 if percent else 1)
        if product is None:
            product = value
        elif before == "x":
            product *= value
        elif before == "/" and not value:
            return None
        elif before == "/":
            product /= value
        else:
            total, product = total + product, value if before == "+" else -value
        sign, before = 1, ""
    return None if product is None else total + product


def _holds(left: Fraction, sign: str, right: str) -> bool:
    said = _signed(right)
    if sign == "<":
        return left < said
    if sign == ">":
        return left > said
    error = 2 * abs(left - said) * Fraction(10) ** len(right.partition(".")[2])
    return error <= 1 and (error == 0 or "." in right)


def _signed(number: str) -> Fraction:
    return -_fraction(number[1:]) if number.startswith("-") else _fraction(number)


def _fraction(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))
