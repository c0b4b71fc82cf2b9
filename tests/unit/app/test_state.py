"""What a tab remembers: one key for one sending, one stop flag for one run."""

from dataclasses import replace
from threading import Event

import pytest

from app.views.state import REPLIES, Form, Replies, Running


def test_a_second_press_keeps_the_key_of_the_first() -> None:
    first = Form().sent()
    assert first.key
    assert first.sent().key == first.key


def test_the_next_question_gets_a_new_key() -> None:
    first = Form().sent()
    assert replace(first, key=None).sent().key != first.key


def test_what_waits_for_its_turn_can_be_stopped() -> None:
    running = Running()
    running.sent("tab")
    running.stop("tab")
    with running.run("tab") as flag:
        assert flag.is_set()


def test_stopping_one_tab_leaves_the_others_alone() -> None:
    running = Running()
    with running.run("tab") as mine, running.run("other") as other:
        running.stop("tab")
        assert (mine.is_set(), other.is_set()) == (True, False)


def test_a_stop_does_not_reach_the_next_run() -> None:
    running = Running()
    with running.run("tab"):
        running.stop("tab")
    running.stop("tab")
    with running.run("tab") as flag:
        assert isinstance(flag, Event)
        assert not flag.is_set()


def test_a_half_written_reply_is_there_again_and_each_answer_has_its_own() -> None:
    replies = Replies()
    assert replies.turn("a-1", "") == ""
    assert replies.turn("a-2", "Net, pl") == ""
    assert replies.turn("a-1", "Gross") == "Net, pl"
    assert replies.turn("", "Net, please") == ""
    assert replies.turn("a-2", "") == "Gross"
    assert replies.turn("a-1", "") == "Net, please"  # and what was emptied is forgotten
    assert replies.turn("a-2", " ") == ""


def test_a_sent_reply_is_no_draft_any_more() -> None:
    replies = Replies("a-1")
    replies.turn("a-2", "Net")
    replies.sent("a-1")
    assert replies.turn("a-1", "") == ""


def test_drafts_are_kept_as_they_are_typed_and_come_back_after_a_reload() -> None:
    replies = Replies("a-1")
    replies.keep("Net, pl")
    again = Replies.kept("", dict(replies.drafts))
    assert again.turn("a-1", "") == "Net, pl"


@pytest.mark.parametrize("foreign", [None, "text", 7, [["a-1", "x"]], {"a-1": 7, 7: "x"}])
def test_what_a_browser_keeps_that_is_not_ours_is_no_draft(foreign: object) -> None:
    assert Replies.kept("a-1", foreign).drafts == {}


def test_a_tab_remembers_its_latest_replies_only() -> None:
    replies = Replies()
    for number in range(100):
        replies.turn(f"a-{number}", f"reply {number - 1}")
    assert len(replies.drafts) == REPLIES
    assert replies.turn("a-98", "") == "reply 98"
