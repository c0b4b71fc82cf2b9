"""Two texts as one or side by side, what only one of them has marked; as HTML."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from html import escape

_WORD = re.compile(r"\s+|[A-Za-z]+|\d+|.", re.DOTALL)
LEAST_ALIKE = 0.5
"""Share of pieces in common below which marks would only confuse."""
LONGEST = 4000
"""Pieces compared; longer texts are shown one after the other."""


def compared(before: str, after: str) -> tuple[str, str]:
    """Side by side; without marks where the two have little in common."""
    pieces = _pieces(before, after)
    alike = 2 * sum(_length(old) for old, new in pieces if old == new)
    if alike < LEAST_ALIKE * sum(_length(old) + _length(new) for old, new in pieces):
        return escape(before), escape(after)
    return _beside(pieces)


def inline(before: str, after: str) -> str:
    """Word by word where words have blanks between them, else character by character."""
    return "".join(
        escape(old) if old == new else _marked("del", old) + _marked("ins", new)
        for old, new in _pieces(before, after)
    )


def beside(before: str, after: str) -> tuple[str, str]:
    """Each with the pieces marked that only it has."""
    return _beside(_pieces(before, after))


def _beside(pieces: Sequence[tuple[str, str]]) -> tuple[str, str]:
    left = (escape(old) if old == new else _marked("mark", old) for old, new in pieces)
    right = (escape(new) if old == new else _marked("mark", new) for old, new in pieces)
    return "".join(left), "".join(right)


def _length(text: str) -> int:
    return len(_WORD.findall(text))


def _pieces(before: str, after: str) -> list[tuple[str, str]]:
    """What stands in both, or in place of one another, in order."""
    a, b = _WORD.findall(before), _WORD.findall(after)
    if max(len(a), len(b)) > LONGEST:
        return [(before, after)]
    found = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return [("".join(a[i:j]), "".join(b[k:m])) for _, i, j, k, m in found]


def _marked(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else ""
