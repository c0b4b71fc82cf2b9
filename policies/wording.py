"""Phrases that a rule looks for in a question, and the language that a question is written in.

A phrase is no regular expression: it is looked for from left to right and never tried again, so the
time is at most the length of the question times that of the phrase, whatever either says.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MAX_PHRASE = 200
"""Characters of one phrase."""


class Language(StrEnum):
    """As far as the writing tells; Latin letters are shared by too many languages to say more."""

    LATIN = "latin"
    JAPANESE = "japanese"
    CHINESE = "chinese"
    KOREAN = "korean"
    CYRILLIC = "cyrillic"
    OTHER = "other"


_SCRIPTS = (
    ("CJK", "han"), ("HIRAGANA", "kana"), ("KATAKANA", "kana"), ("HALFWIDTH KATAKANA", "kana"),
    ("HANGUL", "hangul"), ("LATIN", "latin"), ("CYRILLIC", "cyrillic"),
    ("THAI", "thai"), ("LAO", "lao"), ("KHMER", "khmer"), ("MYANMAR", "myanmar"),
)  # fmt: skip
"""How Unicode's names of letters begin."""
_UNSPACED = {"han", "kana", "hangul", "thai", "lao", "khmer", "myanmar"}
"""Words follow one another without blanks, or carry their endings with them."""
KANA_SHARE = 10
"""Per cent of the letters from which on a text is Japanese, whatever else it quotes."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text between two stars; bound where it must begin or end with a whole word."""

    text: str
    bound_left: bool
    bound_right: bool

    def find(self, text: str, start: int) -> int:
        """Where the earliest match from `start` on ends, or -1."""
        while (at := text.find(self.text, start)) >= 0:
            end = at + len(self.text)
            left = not self.bound_left or not _inside_word(text, at)
            right = not self.bound_right or not _inside_word(text, end)
            if left and right:
                return end
            start = at + 1
        return -1


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in their order. `*` stands for any text; beside a blank it leaves words whole."""

    pieces: tuple[_Piece, ...]

    def found_in(self, text: str) -> bool:
        """Whether a text, as `evened` gives it, has the phrase."""
        at = 0
        for piece in self.pieces:
            at = piece.find(text, at)
            if at < 0:
                return False
        return True


@lru_cache(maxsize=20_000)
def phrase(written: str) -> Phrase:
    """Raises ValueError saying what a phrase may be."""
    if len(written) > MAX_PHRASE:
        raise ValueError(f"a phrase has at most {MAX_PHRASE} characters, this one {len(written)}")
    pieces = []
    parts = evened(written).split("*")
    for place, part in enumerate(parts):
        text = part.strip()
        if text:
            left = place == 0 or part[0] == " "
            right = place == len(parts) - 1 or part[-1] == " "
            pieces.append(_Piece(text, left, right))
    if not any(c.isalnum() for piece in pieces for c in piece.text):
        raise ValueError("a phrase needs a letter or digit")
    return Phrase(tuple(pieces))


def evened(text: str) -> str:
    """Without what must not matter: case, width of characters, kinds and numbers of blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def language(text: str) -> Language:
    """Of a question, by its letters. Han without any kana is taken for Chinese."""
    counts: dict[str, int] = {}
    for c in unicodedata.normalize("NFKC", text):
        if c.isalpha():
            counts[_script(c)] = counts.get(_script(c), 0) + 1
    letters = sum(counts.values())
    if letters == 0:
        return Language.OTHER
    if 100 * counts.get("kana", 0) >= KANA_SHARE * letters:
        return Language.JAPANESE
    most = max(counts, key=lambda script: (counts[script], script))
    named = {
        "han": Language.CHINESE,
        "kana": Language.JAPANESE,
        "hangul": Language.KOREAN,
        "latin": Language.LATIN,
        "cyrillic": Language.CYRILLIC,
    }
    return named.get(most, Language.OTHER)


def _inside_word(text: str, at: int) -> bool:
    """Whether the characters before and behind a place belong to one word."""
    return 0 < at < len(text) and _of_word(text[at - 1]) and _of_word(text[at])


def _of_word(c: str) -> bool:
    return c.isalnum() and _script(c) not in _UNSPACED


@lru_cache(maxsize=4096)
def _script(c: str) -> str:
    name = unicodedata.name(c, "")
    return next((script for start, script in _SCRIPTS if name.startswith(start)), "other")
