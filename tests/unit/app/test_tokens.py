"""An answer looked into, two of them side by side, and the list of earlier questions."""

import re
from dataclasses import replace
from datetime import UTC
from html import unescape

from app.i18n import texts
from app.ports import AnswerStatus, TokenTrace, Trace
from app.ports.board import Found
from app.presenters.difference import side_by_side
from app.presenters.mine import found
from app.presenters.tokens import tokens, votes
from app.presenters.tour import tour
from app.services.ask import Receipt
from app.services.mine import Listed
from policies.types import Domain, Importance
from tests.samples import NOON, receipt

EN, JA = texts("en"), texts("ja")
EVIL = "<img src=x onerror=alert(1)>"


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def trace(*parts: TokenTrace) -> Trace:
    return Trace(parts)


def test_changed_words_are_marked_with_what_stood_there_before() -> None:
    shown = tokens(trace(TokenTrace("301", "42", 3, True, 2.0, 0.1)), EN)
    assert '<span class="changed" title="First guess: “42”.' in shown
    assert "refinement changed 1" in plain(shown)


def test_doubt_is_marked_in_two_degrees_and_certainty_not_at_all() -> None:
    shown = tokens(
        trace(
            TokenTrace("a", "a", 3, False, 0.1, 0.1),
            TokenTrace("b", "b", 3, False, 0.9, 0.9),
            TokenTrace("c", "c", 3, False, 2.5, 2.5),
        ),
        EN,
    )
    words = shown.split('<div class="words">')[1]
    assert words.startswith('a<span class="unsure"')
    assert '<span class="very-unsure"' in words
    assert "unsure of 2" in plain(shown)


def test_words_of_a_model_are_text_in_every_view() -> None:
    evil = trace(TokenTrace(EVIL, EVIL + "x", 3, True, 2.0, 2.0))
    one = Found(EVIL, EVIL, EVIL, Importance.HIGH, Domain.MATH, AnswerStatus.RELEASED, 5, "USD",
                None, NOON)  # fmt: skip
    for shown in (
        tokens(evil, EN),
        side_by_side(receipt(EVIL), receipt(EVIL + "y"), EN),
        found([Listed(one, None)], "", UTC, EN),
    ):
        assert "<img" not in shown


def test_without_a_record_it_is_said_why() -> None:
    assert "No record" in plain(tokens(Trace(), EN))
    assert "記録されていません" in tokens(Trace(), JA)


def test_lines_written_again_are_named_with_how_often_and_whether_they_hold_now() -> None:
    def line(text: str, writing: int) -> list[TokenTrace]:
        return [TokenTrace(part, part, 1, False, 0.1, 0.1, writing) for part in (text, "\n")]

    shown = plain(tokens(trace(*line("2 x 3 = 6", 1), *line("6 + 1 = 7", 2)), EN))
    assert "“6 + 1 = 7”: writing 2" in shown
    assert "2 x 3 = 6”" not in shown
    assert "still does not hold" not in shown
    assert "still does not hold" in plain(tokens(trace(*line("6 + 1 = 8", 3)), EN))
    assert "again" not in plain(tokens(trace(*line("6 + 1 = 8", 1)), EN))


def test_votes_are_told_where_there_were_any() -> None:
    assert votes((), EN) == ""
    assert "3 of 5" in votes((3, 3, 3, 1, 1), EN)


def test_side_by_side_marks_what_differs_and_says_what_it_cost_more() -> None:
    shown = side_by_side(
        receipt("It is 42 pens"), receipt("It is 301 pens", cost_nanos=100_000), EN
    )
    assert "<mark>42</mark>" in shown
    assert "<mark>301</mark>" in shown
    assert "$0.0000516 more" in plain(shown)


def test_answers_without_a_pass_differ_and_it_is_said_why_there_was_none() -> None:
    def made(cap: int) -> Receipt:
        whole = receipt()
        units = replace(whole.row.units, nfe=0)
        return replace(whole, row=replace(whole.row, units=units, nfe_cap_per_token=cap))

    shown = plain(side_by_side(made(0), made(1), EN))
    assert "No refinement," in shown
    assert "No word needed refinement," in shown


def test_words_kept_and_words_never_refined_are_not_told_alike() -> None:
    kept = tokens(trace(TokenTrace("a", "a", 1, False, 0.9, 0.1)), EN)
    skipped = tokens(trace(TokenTrace("a", "a", 0, False, 0.1, 0.1)), EN)
    assert "Refinement kept every first guess." in plain(kept)
    assert "No word was refined." in plain(skipped)


def test_equal_answers_are_said_to_be_equal() -> None:
    shown = side_by_side(receipt("301"), receipt("301"), EN)
    assert "<mark>" not in shown
    assert "the same" in plain(shown)


def test_an_empty_list_and_a_search_without_a_find_say_different_things() -> None:
    assert "not asked anything" in found([], "", UTC, EN)
    assert "Nothing found" in found([], "pens", UTC, EN)


def test_a_withheld_answer_is_listed_by_its_state_alone() -> None:
    one = Found("a-1", "How much?", "", Importance.HIGH, Domain.MATH, AnswerStatus.PENDING_REVIEW,
                5, "USD", None, NOON)  # fmt: skip
    assert "Waiting for review" in plain(found([Listed(one, None)], "", UTC, EN))


def test_the_tour_has_three_steps_and_none_is_shown_by_itself() -> None:
    shown = tour(EN)
    assert shown.count("data-step data-target") == 3
    assert shown.count("hidden>") == 4
