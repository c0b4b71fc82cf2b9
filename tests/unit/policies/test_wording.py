"""Phrases and languages: what they find, and that no phrase can make the search slow."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.wording import MAX_PHRASE, Language, evened, language, phrase


@pytest.mark.parametrize(
    ("written", "text", "found"),
    [
        ("tax", "What TAX is due?", True),
        ("tax", "Syntax and taxis", False),
        ("tax*", "Two taxis", True),
        ("*tax", "Bad syntax", True),
        ("sign off", "Please sign\n  off today", True),
        ("sign off", "sign it off", False),
        ("sign * off", "sign it off", True),
        ("sign * off", "design it off", False),
        ("terminat*contract", "We terminated the subcontract", True),
        ("terminat* * contract", "We terminated the subcontract", False),
        ("contract*terminat", "terminate a contract", False),
        ("解除", "契約を解除したい", True),
        ("契約*解除", "解除して契約する", False),
        ("\uff36\uff29\uff30", "a vip guest", True),
        ("ﾃﾞｰﾀ", "データを消す", True),
        ("straße", "STRASSE", True),
        ("a.c", "abc", False),
        ("c++", "use c++ here", True),
    ],
)
def test_phrase_is_found_as_whole_words_unless_a_star_says_otherwise(
    written: str, text: str, found: bool
) -> None:
    assert phrase(written).found_in(evened(text)) is found


WORDS = st.text(alphabet="ab *", max_size=12)


@given(WORDS.filter(lambda w: re.search("[ab]", w) is not None), st.text("ab ", max_size=30))
def test_a_phrase_finds_what_the_same_regular_expression_finds(written: str, text: str) -> None:
    parts = evened(written).split("*")
    joined = []
    for i, part in enumerate(parts):
        if part.strip():
            left = r"\b" if i == 0 or part[0] == " " else ""
            right = r"\b" if i == len(parts) - 1 or part[-1] == " " else ""
            joined.append(left + re.escape(part.strip()) + right)
    expected = re.search(".*?".join(joined), evened(text)) is not None
    assert phrase(written).found_in(evened(text)) is expected


def test_no_phrase_makes_the_search_slow() -> None:
    """As a regular expression these take longer than anyone waits."""
    began = time.perf_counter()
    assert not phrase("*a" * (MAX_PHRASE // 2 - 2) + "*!b").found_in("a" * 20_000)
    assert not phrase("a" * (MAX_PHRASE - 1) + "b").found_in("a" * 20_000)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("written", ["", "*", "  * ", "!?", "a" * (MAX_PHRASE + 1)])
def test_phrase_that_says_nothing_or_too_much_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="a phrase"):
        phrase(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How many pens are left?", Language.LATIN),
        ("残りのペンは何本ですか", Language.JAPANESE),
        ("CRMのtableにINSERTする", Language.JAPANESE),
        ("ﾍﾟﾝ", Language.JAPANESE),
        ("还剩几支笔", Language.CHINESE),
        ("펜이 몇 개 남았나요", Language.KOREAN),
        ("Сколько ручек", Language.CYRILLIC),
        ("12 + 30 = ?", Language.OTHER),
        ("كم", Language.OTHER),
        ("The word 猫 means cat", Language.LATIN),
    ],
)
def test_language_is_told_by_the_letters(text: str, expected: Language) -> None:
    assert language(text) is expected
