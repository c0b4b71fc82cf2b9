"""Do the sums in an answer's working hold? Reads free text; exact, without floating point. Pure.

A statement is what a reader could check with a pocket calculator: "13 x 4 = 52", "25% of 272 = 68",
"264 > 150". A text that states nothing of that kind holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_PLAIN = str.maketrans({"\N{MULTIPLICATION SIGN}": "x", "*": "x", "\N{MINUS SIGN}": "-", "÷": "/"})
_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_TERM = rf"(?:(?:{_NUMBER})%\s+of\s+(?:{_NUMBER})|-?(?:{_NUMBER}))"
_STATEMENT = re.compile(
    rf"(?<![\w.,%:=<>+/-])(?<![x:=<>+/-]\s)({_TERM}(?:\s*[-+x/]\s*{_TERM}){{0,15}})"
    rf"\s*([=<>])\s*(-?(?:{_NUMBER}))(?![\w%])(?![.,:]\d)(?!\s*[-+x/=<>]\s*\d)"
)
_PART = re.compile(rf"(?:({_NUMBER})%\s+of\s+)?({_NUMBER})|([-+x/])")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DIGITS = 40
"""A longer number is none that a reader would check."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One sum or comparison as it stands in a text."""

    text: str
    holds: bool
    """An equation holds if its right side is the left one, rounded to as many decimals; a whole
    number must be exact."""


def statements(text: str) -> list[Statement]:
    """All of a text, in its order; what divides by zero is none."""
    found = []
    for match in _STATEMENT.finditer(text.translate(_PLAIN)):
        left = _left(match[1], match[2])
        if left is not None and max(map(len, re.findall(r"[0-9,.]+", match[0]))) <= _DIGITS:
            said = text[match.start() : match.end()]
            found.append(Statement(said, _holds(left, match[2], match[3])))
    return found


def holds(text: str) -> bool:
    """Whether every statement of the text holds."""
    return all(statement.holds for statement in statements(text))


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
    said = _fraction(right)
    if sign == "<":
        return left < said
    if sign == ">":
        return left > said
    error = 2 * abs(left - said) * Fraction(10) ** len(right.partition(".")[2])
    return error <= 1 and (error == 0 or "." in right)


def _fraction(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))
