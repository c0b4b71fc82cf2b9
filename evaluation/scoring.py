"""Is a written answer right? Reads free text from any model, tuned or not. Pure.

What follows the last "Answer:" is read, or stands behind "####" or in a LaTeX box; a text without
such a marker is read by a rule that is fair to prose, one rule for each check (see CHECKS).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# A label is looked for among the labels it can be confused with.
LABEL_SETS: tuple[tuple[str, ...], ...] = (
    ("billing", "delivery", "technical", "account", "returns"),
    ("sales", "support", "finance", "legal", "personnel"),
    ("urgent", "normal"),
    ("yes", "no"),
)

_MARKER = re.compile(r"answer\s*:(?:\*\*|__)?", re.IGNORECASE)
_OTHER_MARKER = re.compile(r"^ *#### *(\S*\d\S*) *$|\\boxed\{([^{}]*)\}", re.MULTILINE)
# A minus counts as a sign only where no operand stands before it: "10-20" ends in 20.
_NUMBER = re.compile(r"(?:(?<![\w.)])-)?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?")
_BULLET = re.compile(r"\s*(?:[-*•]\s+|[0-9]{1,3}[.)]\s+)(?=\S)")
_SEPARATOR = re.compile(r"[,;|]|\band\b")
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[.!?\n]")
_EDGE = " \t\r\f\v.,;:!?\"'`\u2018\u2019\u201c\u201d*_()[]{}<>"


def extract(text: str, check: str) -> str | None:
    """The answer that `text` gives, in a form that can be compared; None where it gives none."""
    return _check(check).extract(text)


def is_correct(text: str, answer: str, check: str) -> bool:
    """Whether `text` gives `answer`, read as `check` says."""
    return _check(check).matches(text, answer)


@dataclass(frozen=True, slots=True)
class _Check:
    extract: Callable[[str], str | None]
    matches: Callable[[str, str], bool]


def _check(name: str) -> _Check:
    if name not in CHECKS:
        raise ValueError(f"unknown check {name!r}; known: {', '.join(CHECKS)}")
    return CHECKS[name]


def _number(text: str) -> str | None:
    """The last number of the answer line, or of the whole text where no line is marked."""
    marked = _marked(text)
    found = _NUMBER.findall(text if marked is None else _first_line(marked))
    return _plain_number(found[-1]) if found else None


def _number_matches(text: str, answer: str) -> bool:
    found = _number(text)
    return found is not None and found == _number(answer)


def _text(text: str) -> str | None:
    """The answer line, or the last line that is not empty, without case, quotes, full stop."""
    marked = _marked(text)
    return _bare(_last_line(text) if marked is None else _first_line(marked)) or None


def _text_matches(text: str, answer: str) -> bool:
    """Equal, or a sentence without marker that ends in the answer ("The city is Oslo.")."""
    found, wanted = _text(text), _text(answer)
    if found is None or wanted is None:
        return False
    return found == wanted or (_marked(text) is None and found.endswith(f" {wanted}"))


def _list(text: str) -> str | None:
    """The items of the answer line or of its bullets, joined by ", "; the order matters."""
    marked = _marked(text)
    if marked is None:
        items = _bullets(reversed(_lines(text)))[::-1] or _items(
            _last_line(text).rpartition(":")[2]
        )
    else:
        items = _bullets(_lines(marked)) or _items(_first_line(marked))
    plain = [_plain_item(item) for item in items]
    return ", ".join(item for item in plain if item) or None


def _list_matches(text: str, answer: str) -> bool:
    found = _list(text)
    return found is not None and found == _list(answer)


def _label(text: str) -> str | None:
    """The only label of the first sentence that names one, whatever set it is from."""
    every = tuple(label for labels in LABEL_SETS for label in labels)
    return _named(text, every)


def _label_matches(text: str, answer: str) -> bool:
    """The first sentence that names a label of the answer's set names that one alone.

    An answer outside the known sets is compared as text.
    """
    wanted = _bare(answer)
    labels = next((labels for labels in LABEL_SETS if wanted in labels), None)
    return _text_matches(text, answer) if labels is None else _named(text, labels) == wanted


def _named(text: str, labels: tuple[str, ...]) -> str | None:
    marked = _marked(text)
    read = text if marked is None else _first_line(marked)
    for sentence in _SENTENCE.split(read.casefold()):
        named = {word for word in _WORD.findall(sentence) if word in labels}
        if named:
            return named.pop() if len(named) == 1 else None
    return None


def _marked(text: str) -> str | None:
    """What follows the last "Answer:", else what "####" or a box holds; None without a marker."""
    found = list(_MARKER.finditer(text))
    if found:
        return text[found[-1].end() :]
    others = _OTHER_MARKER.findall(text)
    return None if not others else others[-1][0] or others[-1][1]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _first_line(text: str) -> str:
    return next(iter(_lines(text)), "")


def _last_line(text: str) -> str:
    return next(reversed(_lines(text)), "")


def _items(line: str) -> list[str]:
    """Parted at commas and the like, or at spaces where the line is nothing but numbers."""
    words = line.split()
    if words and all(_NUMBER.fullmatch(word) for word in words):
        return words
    return _SEPARATOR.split(line.casefold())


def _bullets(lines: Iterable[str]) -> list[str]:
    """The bulleted or numbered lines that `lines` begins with, without their marks."""
    items = []
    for line in lines:
        bullet = _BULLET.match(line)
        if bullet is None:
            break
        items.append(line[bullet.end() :])
    return items


def _plain_item(item: str) -> str:
    bare = _bare(item)
    return _plain_number(bare) if _NUMBER.fullmatch(bare) else bare


def _plain_number(number: str) -> str:
    """One spelling for one value: "1,234.50" -> "1234.5", "063" -> "63", "-0.0" -> "0"."""
    whole, _, part = number.replace(",", "").lstrip("-").partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    value = f"{whole}.{part}" if part else whole
    return f"-{value}" if number.startswith("-") and value != "0" else value


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(_EDGE)


CHECKS: dict[str, _Check] = {
    "number": _Check(_number, _number_matches),
    "text": _Check(_text, _text_matches),
    "list": _Check(_list, _list_matches),
    "label": _Check(_label, _label_matches),
}
