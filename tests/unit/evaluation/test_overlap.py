"""What gives a held-out question away is found, in whatever dress; what does not is let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.overlap import Asked, HeldOut, plain
from evaluation.suites import Question, load

SUM = Asked("Please work out 120 + 45.", "165", "add")
RECORD = Asked("Here is a row from our system: name: Ann; city: Oslo. Tell me its city.", "Oslo")
NAME = Asked("Our list has names as Last, First. How is Ann Reed shown?", "Reed, Ann", "swap_name")
COUNT = Asked("How often is pen in pen, cup, pen?", "2", "count_word")
STORY = Asked("A farmer sells eggs at the market each day and buys feed with half of it.", "7")
HELD_OUT = HeldOut([SUM, RECORD, NAME, COUNT, STORY])


@pytest.mark.parametrize(
    ("question", "answer", "kind", "how"),
    [
        ("please WORK out:  120 + 45!", "0", "", "exact"),
        ("What is 45 plus 120?", "165", "plus", "facts"),
        ("What is 45 plus 121?", "166", "add", None),
        ("Write Ann Reed as Last, First.", "Reed, Ann", "swap_name", "facts"),
        ("Write Ann Reed as Last, First.", "Reed, Ann", "other", None),
        ("How often is cup in cup, cup?", "2", "count_word", None),
        (STORY.question.replace("eggs", "milk"), "9", "", "near"),
        ("A farmer sells hay.", "7", "", None),
        ("", "", "", None),
    ],
)
def test_too_near_is_told_from_merely_alike(
    question: str, answer: str, kind: str, how: str | None
) -> None:
    found = HELD_OUT.match(Asked(question, answer, kind))
    assert (found.how if found else None) == how


def test_a_match_names_the_held_out_question() -> None:
    found = HELD_OUT.match(Asked("120 and 45 make?", "165"))
    assert found is not None
    assert found.question == SUM.question


@given(st.sampled_from(load("pilot")), st.sampled_from(["upper", "title", "lower"]))
def test_every_question_of_a_suite_is_found_in_any_case_and_spacing(
    question: Question, case: str
) -> None:
    pilot = HeldOut([Asked(question.question, question.answer, question.kind)])
    dressed = "  ".join(getattr(question.question, case)().split())
    found = pilot.match(Asked(f"- {dressed} ?!", "", ""))
    assert found is not None
    assert found.how == "exact"


@given(st.text())
def test_plain_words_of_plain_words_are_the_same(text: str) -> None:
    assert plain(plain(text)) == plain(text)
