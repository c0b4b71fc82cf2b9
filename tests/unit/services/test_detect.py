"""The guess of a domain: how often it is right on wordings that it was not made from."""

import pytest

from app.services.detect import CUES, READ, guess
from evaluation.suites import load
from policies.types import Domain
from scripts.generate_cues import text


@pytest.mark.parametrize(
    ("question", "domain"),
    [
        ("A crate holds 24 lamps. How many lamps are in 7 crates?", Domain.MATH),
        ("Please list the following alphabetically: river, anchor, apple.", Domain.DATA),
        ("請求書の支払期日はいつですか。契約には30日以内とあります", Domain.BUSINESS),
        ("リンゴを3個、みかんを5個買うと合計いくらですか", Domain.MATH),
        ("What is the capital of France?", Domain.GENERAL),
        ("", Domain.GENERAL),
        ("!?", Domain.GENERAL),
    ],
)
def test_a_question_is_told_by_its_words(question: str, domain: Domain) -> None:
    assert guess(question) is domain


def test_on_held_out_wordings_a_clear_guess_is_mostly_right() -> None:
    """Nine in ten of the clear ones, and 85 % are clear: measured on 1,020 questions."""
    clear = [(guess(q.question), q.domain) for q in load("pilot")]
    clear = [(found, truth) for found, truth in clear if found is not Domain.GENERAL]
    right = sum(found == truth for found, truth in clear)
    assert len(clear) >= 0.83 * 1020
    assert right >= 0.88 * len(clear)


def test_the_cues_are_those_of_the_training_tasks() -> None:
    assert CUES.read_text(encoding="utf-8") == text()


def test_a_long_question_is_read_from_its_beginning_only() -> None:
    assert guess("x" * READ + " How many lamps are left of 24 in 7 crates?") is Domain.GENERAL
