"""The review of one's own answer by the page's handlers, over real services and SQLite."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import gradio as gr
import pytest

from app.services.ask import AskForm
from app.services.mine import Mine
from app.views.ask_later import LaterHandlers
from app.views.ask_standing import SHOWN, StandingHandlers
from app.views.state import Form, Replies
from policies.review import ItemState, VerdictKind
from policies.types import Domain, Importance
from tests.integration.ui.test_owners_pages import ZONE, by
from tests.pages import ANSWER, Pages, now, pages
from tests.people import AIKO, CHIKA, Cookies

MINUTE = timedelta(minutes=1)
QUESTION, REPLY = "Net or gross?", "Net, please."


@dataclass
class Tab:
    """What a requester's page shows, by its handlers."""

    made: Pages
    handlers: StandingHandlers
    answer_id: str
    last: str = ""
    replies: Replies = field(default_factory=Replies)

    @property
    def kept(self) -> tuple[str, object]:
        return self.replies.answer_id, self.replies.drafts

    def show(self, person: str = "aiko", typed: str = "") -> list[object]:
        form = Form(answer_id=self.answer_id)
        found = list(self.handlers.on_show(ZONE, form, typed, *self.kept, by(person)))
        self.last = str(found[0])
        return found

    def tick(self) -> list[object]:
        form = Form(answer_id=self.answer_id)
        return list(self.handlers.on_tick(ZONE, "", form, self.last, by("aiko")))

    def reply(self, words: str, person: str = "aiko") -> list[object]:
        form = Form(answer_id=self.answer_id)
        return list(self.handlers.on_reply(ZONE, "", form, words, *self.kept, by(person)))

    def state(self) -> ItemState:
        with self.made.uow() as unit:
            return unit.reviews.get(self.answer_id).state


@pytest.fixture
def tab(made: Pages) -> Tab:
    *_, last = made.ask(AIKO, AskForm("How much?", Importance.HIGH, Domain.MATH), "k-1")
    later = LaterHandlers(made.ask, Mine(made.uow), Cookies())
    handlers = StandingHandlers(made.desks.reviewing.waiting, later, Cookies())
    return Tab(made, handlers, last.row.id)  # type: ignore[union-attr]


def asks(tab: Tab) -> None:
    desk = tab.made.desks.reviewing.desk
    desk.claim(CHIKA, tab.answer_id)
    desk.ask(CHIKA, tab.answer_id, QUESTION)


def test_question_and_reply_go_to_and_fro_and_the_answer_is_in_the_queue_again(tab: Tab) -> None:
    html, panel, timer, *_ = tab.show()
    assert "1 of 1" in str(html)
    assert (panel["visible"], timer["active"]) == (False, True)  # type: ignore[index]
    asks(tab)
    html, panel, _, _, _, listed, *_ = tab.tick()
    assert QUESTION in str(html)
    assert panel["visible"]  # type: ignore[index]
    assert "A reviewer has a question for you" in str(listed)
    html, panel, _, _, typed, told, _, _, listed = tab.reply(REPLY)
    assert REPLY in str(html)
    assert (panel["visible"], typed) == (False, "")  # type: ignore[index]
    assert "back in the queue" in str(told)
    assert "number 1 in the queue" in str(listed)
    assert tab.state() is ItemState.WAITING
    messages = tab.made.desks.reviewing.evidence.of(CHIKA, tab.answer_id).messages
    assert [m.text for m in messages] == [QUESTION, REPLY]


def test_no_news_changes_nothing_on_the_page(tab: Tab) -> None:
    tab.show()
    assert tab.tick() == [gr.skip()] * (6 + SHOWN)


def test_an_empty_or_endless_reply_is_refused_and_stays_typed(tab: Tab) -> None:
    asks(tab)
    for words, said in (("  ", "Please write your reply."), ("y" * 2001, "2001 characters")):
        *kept, told, box, drafts, listed = tab.reply(words)
        assert said in str(told)
        assert [*kept, box, drafts, listed] == [gr.skip()] * 8
    assert tab.state() is ItemState.ASKED


def test_another_sees_nothing_and_cannot_reply(tab: Tab) -> None:
    asks(tab)
    for person in ("ben", "vera", "emi"):
        html, panel, *_ = tab.show(person)
        assert (html, panel["visible"]) == ("", False)  # type: ignore[index]
    for person in ("ben", "chika"):
        assert 'role="alert"' in str(tab.reply(REPLY, person)[5])
    assert tab.state() is ItemState.ASKED


def test_no_word_of_the_answer_is_in_any_state_and_an_approvals_note_stays_inside(
    tab: Tab,
) -> None:
    said = [*tab.show()]
    asks(tab)
    said += [*tab.tick(), *tab.reply(REPLY)]
    assert " ".join(ANSWER) not in str(said)
    desk = tab.made.desks.reviewing.desk
    desk.claim(CHIKA, tab.answer_id)
    desk.decide(CHIKA, tab.answer_id, VerdictKind.APPROVE, reason="I also get 301")
    html, _, timer, _, _, _, answer, *_ = tab.tick()
    assert "I also get 301" not in str(html)
    assert " ".join(ANSWER) in str(answer)
    assert not timer["active"]  # type: ignore[index]


def test_a_decision_is_shown_by_itself_with_its_words_or_why_there_are_none(tab: Tab) -> None:
    tab.show()
    desk = tab.made.desks.reviewing.desk
    desk.claim(CHIKA, tab.answer_id)
    assert "reading it now" in str(tab.tick()[0])
    tab.last = "news"
    waits = tab.tick()
    assert waits[6:] == [gr.skip()] * SHOWN
    tab.last = str(waits[0])
    desk.decide(CHIKA, tab.answer_id, VerdictKind.REJECT, reason="made up")
    html, _, timer, _, _, listed, answer, _, card, form, *_ = tab.tick()
    assert "made up" in str(html)
    assert "did not release this answer" in str(answer)
    assert " ".join(ANSWER) not in str((answer, listed, card))
    assert form == Form(answer_id=tab.answer_id)
    assert not timer["active"]  # type: ignore[index]


def test_reviewers_time_is_a_price_of_its_own_on_the_receipt(tab: Tab) -> None:
    price = tab.made.ask.read(AIKO, tab.answer_id).row.cost_nanos
    desk = tab.made.desks.reviewing.desk
    desk.claim(CHIKA, tab.answer_id)
    with tab.made.uow() as unit:  # two minutes of work, without waiting for them
        unit.reviews.beat(tab.answer_id, "chika", now() + MINUTE, now() + MINUTE, 2 * MINUTE)
        unit.commit()
    desk.decide(CHIKA, tab.answer_id, VerdictKind.APPROVE)
    receipt = tab.made.ask.read(AIKO, tab.answer_id)
    assert receipt.review_seconds >= 60
    assert receipt.review_nanos > 0
    assert (receipt.compute_nanos, receipt.row.cost_nanos) == (price, price + receipt.review_nanos)
    assert Mine(tab.made.uow).read(AIKO, tab.answer_id) == receipt


def test_a_browser_reads_what_it_keeps_of_replies_also_after_a_restart(tmp_path: Path) -> None:
    """By the same name and key, which the page carries anyway."""
    kept = []
    for start in ("first", "second"):
        (tmp_path / start).mkdir()
        config = pages(tmp_path / start).demo.config
        (props,) = (p["props"] for p in config["components"] if p["type"] == "browserstate")
        kept.append((props["storage_key"], props["secret"]))
    assert kept[0] == kept[1]
