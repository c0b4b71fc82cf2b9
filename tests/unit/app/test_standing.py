"""What the requester is told of a review, in both languages: state, place, time, question, why."""

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from app.i18n import texts
from app.ports import AnswerStatus, Message, MessageKind, Place
from app.ports.board import Found
from app.presenters import mine
from app.presenters.parts import minute, passes, zone
from app.presenters.standing import place, standing
from app.services.mine import Listed
from app.services.review_waiting import Standing
from policies.review import ItemKind, ItemState, OutcomeKind
from policies.types import Domain, Importance
from tests.samples import NOON
from tests.unit.app.test_presenters import EVIL, plain

EN, JA = texts("en"), texts("ja")
TOKYO = zone("Asia/Tokyo")
HOUR = timedelta(hours=1)
WAITS = Standing(
    kind=ItemKind.REQUIRED,
    own=True,
    state=ItemState.WAITING,
    outcome=None,
    ahead=2,
    waiting=7,
    opened_at=NOON,
    due_at=NOON + 8 * HOUR,
    overdue=False,
    expected_at=NOON + HOUR,
    in_review=False,
    messages=[],
    reasons=[],
)
ASKED = replace(
    WAITS,
    state=ItemState.ASKED,
    messages=[Message("a-1", MessageKind.QUESTION, "chika", f"Which invoice? {EVIL}", NOON)],
)


def told(found: Standing, language: str = "en") -> str:
    return plain(standing(found, NOON, TOKYO, texts(language)))


def decided(outcome: OutcomeKind, *reasons: str) -> Standing:
    return replace(WAITS, state=ItemState.DECIDED, outcome=outcome, reasons=list(reasons))


def test_one_that_waits_says_its_place_and_when_it_is_expected_in_the_readers_zone() -> None:
    said = told(WAITS)
    assert "Waiting for a reviewer" in said
    assert "3 of 7" in said
    assert plain(f"Expected {minute(NOON + HOUR, TOKYO, EN)}") in said
    assert minute(NOON + HOUR, TOKYO, EN) != minute(NOON + HOUR, UTC, EN)
    assert "レビュー待ち" in told(WAITS, "ja")
    assert "3番目" in told(WAITS, "ja")


def test_too_few_reviews_promise_no_time_and_a_passed_one_says_any_moment() -> None:
    assert "Not known yet" in told(replace(WAITS, expected_at=None))
    assert "Any moment" in told(replace(WAITS, expected_at=NOON))
    assert "This time is over." in told(replace(WAITS, overdue=True))


def test_one_that_is_being_read_says_so() -> None:
    assert "A reviewer is reading it now." in told(replace(WAITS, in_review=True))
    assert "A reviewer is reading it now." not in told(WAITS)


def test_a_question_is_shown_as_it_is_with_its_asker_and_what_to_do() -> None:
    html = standing(ASKED, NOON, TOKYO, EN)
    assert EVIL not in html
    said = plain(html)
    assert f"Which invoice? {EVIL}" in said
    assert "chika" in said
    assert "reply below" in said
    assert "3 of 8" in said  # it is counted among those that wait once it is back
    assert "After your reply" in said


def test_who_did_not_ask_is_not_told_to_reply() -> None:
    assert "reply below" not in told(replace(ASKED, own=False))


def test_while_it_waits_the_figures_are_the_same_three_whatever_the_news() -> None:
    news = (WAITS, replace(WAITS, in_review=True, overdue=True), replace(WAITS, expected_at=None))
    shapes = {
        tuple(html.count(part) for part in ('class="fact"', 'class="note"', "<h4", "notice"))
        for html in (standing(one, NOON, TOKYO, EN) for one in news)
    }
    assert shapes == {(3, 3, 0, 0)}


def test_a_decision_says_what_was_decided_and_why() -> None:
    corrected = told(decided(OutcomeKind.CORRECTED, "off by one"))
    assert "corrected the answer" in corrected
    assert "off by one" in corrected
    rejected = decided(OutcomeKind.REJECTED, "made up")
    assert "made up" in told(rejected)
    assert "公開されませんでした" in told(rejected, "ja")


def test_a_random_check_concerns_who_asked_only_where_they_are_asked() -> None:
    assert not replace(WAITS, kind=ItemKind.AUDIT).concerns_them
    assert replace(ASKED, kind=ItemKind.AUDIT).concerns_them
    assert WAITS.concerns_them


def listed(status: AnswerStatus, at: Place | None, answer: str = "") -> str:
    row = Found(
        "a-1", "How much?", answer, Importance.HIGH, Domain.MATH, status, 1, "USD", None, NOON
    )
    return plain(mine.found([Listed(row, at)], "", TOKYO, EN))


def test_the_list_says_the_place_or_that_a_reviewer_asks() -> None:
    pending = AnswerStatus.PENDING_REVIEW
    assert "number 3 in the queue" in listed(pending, Place(ItemState.WAITING, 2))
    assert "A reviewer has a question" in listed(pending, Place(ItemState.ASKED, 2))
    assert "in the queue" not in listed(AnswerStatus.RELEASED, None, "42")
    assert place(Place(ItemState.WAITING, 0), JA).startswith("レビュー待ち")


@pytest.mark.parametrize(
    ("count", "en", "ja"),
    [
        (0, "0 refinement passes", "推敲0回"),
        (1, "1 refinement pass", "推敲1回"),
        (1440, "1,440 refinement passes", "推敲1,440回"),
    ],
)
def test_one_pass_is_said_in_the_singular(count: int, en: str, ja: str) -> None:
    assert (passes(count, EN), passes(count, JA)) == (en, ja)
