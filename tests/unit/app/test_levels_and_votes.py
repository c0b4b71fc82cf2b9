"""How long people wait and what they preferred: in words, rows and bars, each with its n."""

from datetime import timedelta

from app.figures import votes as chart
from app.i18n import texts
from app.ports import AnswerStatus, PairCount, Queue
from app.ports.board import Audited, ReviewLevel, Sampled
from app.presenters import facts, votes
from app.presenters.levels import levels
from policies.types import Domain, Importance, Units
from tests.samples import NOON

EN, JA = texts("en"), texts("ja")
ROUTINE, STANDARD, HIGH = Importance.ROUTINE, Importance.STANDARD, Importance.HIGH
PAIR = PairCount(ROUTINE, 0, STANDARD, 1, 2, 6, 1, 1, seen=3)
UNSEEN = PairCount(STANDARD, 1, HIGH, 7, 0, 0, 0, 0, seen=1)
NOBODY = Queue(waiting=0, limit=32, seconds=0.0)


def took(importance: Importance, *seconds: float | None) -> list[Sampled]:
    return [
        Sampled(
            importance, Domain.MATH, 1, 1, 1, Units(1, 1, 1), 0.1, each, AnswerStatus.RELEASED, None
        )
        for each in seconds
    ]


def test_more_compute_is_told_with_its_interval_and_n() -> None:
    said = votes.preferred([PAIR], EN)
    assert "Standard (1) against Routine (0): better in 60.0% of 10 blind votes" in said
    assert "interval 31.3% to 83.2%" in said
    assert "as good in 10.0%, worse in 20.0%, both of no use in 10.0%" in said
    assert "Not counted: 3 votes" in said


def test_votes_with_open_eyes_alone_are_no_finding() -> None:
    said = votes.preferred([UNSEEN], JA)
    assert "<li>" not in said
    assert "評価1票は含みません" in said
    assert list(chart([UNSEEN], EN).data[0].y) == []
    assert "No blind vote yet" in votes.preferred([], EN)


def test_a_bar_a_pair_is_all_of_its_votes() -> None:
    figure = chart([PAIR, UNSEEN], EN)
    assert [bar.name for bar in figure.data] == [
        "Less compute was better",
        "As good as each other",
        "Both of no use",
        "More compute was better",
    ]
    assert [list(bar.x) for bar in figure.data] == [[0.2], [0.1], [0.1], [0.6]]
    assert list(figure.data[0].y) == ["Routine (0) against Standard (1)"]
    assert "60.0% (6 of 10 votes)" in figure.data[3].customdata[0]


def test_the_rows_to_take_along_are_the_counts() -> None:
    (row,) = votes.sheet([PAIR], EN).rows
    assert row == ["Routine (0)", "Standard (1)", 2, 1, 1, 6, 10, 3]


def test_times_of_answers_need_five_of_an_importance() -> None:
    few = levels(NOBODY, took(ROUTINE, 1, 2, 3, 4), [], NOON, EN)
    assert "Too few answers yet" in few
    enough = levels(NOBODY, took(ROUTINE, 1, 2, 3, 4, 5, None), [], NOON, EN)
    assert "Too few" not in enough
    assert ">3 s<" in enough
    assert "answer-times.csv" in enough


def test_the_line_says_how_many_wait_and_when_a_new_question_begins() -> None:
    assert "at once" in levels(NOBODY, [], [], NOON, EN)
    assert "90 s" in levels(Queue(12, 32, 90.0), [], [], NOON, EN)


def test_answers_released_as_written_are_counted_among_those_that_had_to_wait() -> None:
    decided = ReviewLevel(HIGH, 0, 0, None, 8, (3600.0,) * 10, 7)
    never = ReviewLevel(Importance.CRITICAL, 1, 0, NOON, 0, (), 0)
    said = facts.reviewed([decided, never], Audited(0, 0), [], EN)
    assert "High: released as written" in said
    assert "70.0%" in said
    assert "n = 10" in said
    assert "Critical" not in said


def test_reviews_say_what_waits_and_what_was_decided_in_time() -> None:
    waits = ReviewLevel(HIGH, 3, 1, NOON - timedelta(hours=5), 8, (3600.0,) * 10, 7)
    never = ReviewLevel(Importance.CRITICAL, 1, 0, NOON, 0, (), 0)
    said = levels(NOBODY, [], [waits, never], NOON, EN)
    assert "80.0% (95% interval 49.0% to 94.3%, n = 10)" in said
    assert ">5 h<" in said
    assert said.count(EN("levels.nothing")) == 2
    assert "No answer has had to wait" in levels(NOBODY, [], [], NOON, EN)
