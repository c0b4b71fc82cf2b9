"""One catalogue of all that people read, in English and Japanese, and the choice between them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOCALES = {"en": "en_US", "ja": "ja_JP"}
"""Language of the words -> locale of numbers, money and dates."""
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Texts:
    """The messages of one language."""

    language: str
    locale: str
    messages: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The message, its placeholders filled. Plain text: who puts it into HTML escapes it."""
        return self.messages[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.messages


@cache
def texts(language: str) -> Texts:
    """Messages of a language; of English where there are none."""
    known = language if language in LOCALES else DEFAULT
    file = Path(__file__).with_name(f"{known}.json")
    return Texts(known, LOCALES[known], json.loads(file.read_text(encoding="utf-8")))


def choose(forced: str | None, accept_language: str | None) -> str:
    """What the address forces, else the browser's best match, else English."""
    if forced in LOCALES:
        return str(forced)
    wishes = [_wish(part) for part in (accept_language or "").split(",")]
    for weight, tag in sorted(wishes, key=lambda wish: -wish[0]):
        if weight > 0 and (language := tag.split("-")[0]) in LOCALES:
            return language
    return DEFAULT


def _wish(part: str) -> tuple[float, str]:
    """`ja;q=0.8` -> (0.8, "ja"); what cannot be read weighs nothing."""
    tag, _, quality = part.strip().lower().partition(";q=")
    try:
        return float(quality or 1), tag
    except ValueError:
        return 0.0, tag
