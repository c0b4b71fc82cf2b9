"""Both catalogues say the same, all that is said is in them, and nothing is in them unsaid."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from app.i18n import LOCALES, choose, texts
from policies import errors

ROOT = Path(__file__).parents[3]
SPEAKERS = [
    ROOT / "app" / "guarded.py",
    *sorted((ROOT / "app" / "figures").glob("*.py")),
    *sorted((ROOT / "app" / "views").glob("*.py")),
    *sorted((ROOT / "app" / "presenters").glob("*.py")),
]
PARTS = ("app", "policies", "storage")
"""What raises errors that people read."""
EN, JA = (texts(language).messages for language in ("en", "ja"))
AREAS = {key.split(".")[0] for key in EN}
KEY = re.compile(r"[a-z_]+(\.[a-z_]*[a-z])+")
SPOKEN = {"label", "placeholder", "info", "value", "title", "text"}


def trees(files: list[Path]) -> Iterator[ast.AST]:
    for file in files:
        yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def is_key(text: str) -> bool:
    return bool(KEY.fullmatch(text)) and text.split(".")[0] in AREAS


def plain_keys() -> set[str]:
    return {
        node.value
        for node in trees(SPEAKERS)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_key(node.value)
    }


def key_patterns() -> set[str]:
    """Keys put together: f"importance.{i}.means" -> importance\\..+\\.means."""
    found = set()
    for node in trees(SPEAKERS):
        if not isinstance(node, ast.JoinedStr):
            continue
        parts = [str(p.value) if isinstance(p, ast.Constant) else None for p in node.values]
        if str(parts[0]).split(".")[0] in AREAS and all(p is None or " " not in p for p in parts):
            found.add("".join(".+" if p is None else re.escape(p) for p in parts))
    return found


def reasons(error: ast.Call) -> Iterator[str]:
    """What an error names as its reason: by keyword, or as the second argument; either of two."""
    given = [word.value for word in error.keywords if word.arg == "reason"] + error.args[1:2]
    for value in given:
        for part in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            if isinstance(part, ast.Constant) and part.value:
                yield str(part.value)


def error_keys() -> set[str]:
    kinds = {n: e for n, e in vars(errors).items() if isinstance(e, type)}
    coded = {n: e.code for n, e in kinds.items() if issubclass(e, errors.PilotError)}
    codes = set(coded.values())
    for node in trees([f for part in PARTS for f in (ROOT / part).rglob("*.py")]):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in ("InvalidInput", "Unauthenticated"):
                codes |= {f"{coded[name]}.{reason}" for reason in reasons(node)}
            first = node.args[0] if node.args else None
            named = isinstance(node.func, ast.Name) and node.func.id == "Reason"
            if named and isinstance(first, ast.Constant):
                codes.add(str(first.value))
    return codes


def test_catalogues_have_the_same_keys() -> None:
    assert EN.keys() == JA.keys()


@pytest.mark.parametrize("key", sorted(EN))
def test_a_message_has_the_same_placeholders_in_both_languages(key: str) -> None:
    en, ja = ({name for _, name, _, _ in Formatter().parse(m[key]) if name} for m in (EN, JA))
    assert en == ja


def test_no_key_is_given_twice() -> None:
    for language in LOCALES:
        file = ROOT / "app" / "i18n" / f"{language}.json"
        pairs = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=list)
        assert len({key for key, _ in pairs}) == len(pairs)


def test_no_space_parts_a_number_from_its_counter_in_japanese() -> None:
    parted = re.compile(r"[0-9}] (語|行に|人|つ|文字|時間|分後|秒|件|回|問|さん)")
    assert [key for key, said in JA.items() if parted.search(said)] == []


def test_every_key_used_is_in_the_catalogue() -> None:
    assert plain_keys() - EN.keys() == set()
    silent = {p for p in key_patterns() if not any(re.fullmatch(p, key) for key in EN)}
    assert silent == set()


def test_every_error_and_reason_has_its_words() -> None:
    assert error_keys() - EN.keys() == set()


def test_no_message_is_left_over() -> None:
    patterns = key_patterns()
    used = plain_keys() | error_keys()
    left = {k for k in EN if k not in used and not any(re.fullmatch(p, k) for p in patterns)}
    assert left == set()


def literal(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and bool(value.value)
    )


def test_views_say_nothing_of_their_own() -> None:
    spoken = [
        f"{word.arg}={ast.unparse(word.value)}"
        for node in trees(sorted((ROOT / "app" / "views").glob("*.py")))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg in SPOKEN and literal(word.value)
    ]
    assert spoken == []


def test_technical_words_stay_behind_the_page() -> None:
    for messages in (EN, JA):
        assert not [m for m in messages.values() if re.search(r"\bnfe\b(?!})", m, re.IGNORECASE)]


@pytest.mark.parametrize(
    ("forced", "accept", "language"),
    [
        (None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, "en-US,en;q=0.9,ja;q=0.8", "en"),
        (None, "de-DE,ja;q=0.5,en;q=0.2", "ja"),
        (None, "fr", "en"),
        (None, None, "en"),
        (None, "ja;q=nonsense, en", "en"),
        (None, "ja;q=0", "en"),
        ("ja", "en-US", "ja"),
        ("en", "ja-JP", "en"),
        ("klingon", "ja-JP", "ja"),
    ],
)
def test_language_is_the_forced_one_else_the_browsers_best(
    forced: str | None, accept: str | None, language: str
) -> None:
    assert choose(forced, accept) == language


def test_an_unknown_language_is_answered_in_english() -> None:
    assert texts("xx").language == "en"
