"""Budgets, policy, review, audit and comparison without a browser: what handlers let whom do."""

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import gradio as gr
import pytest

from app.services.ask import AskForm
from app.services.side_by_side import SideBySide
from app.views.budgets import BudgetHandlers
from app.views.compare import CompareHandlers, Shown
from app.views.labels import Labels
from app.views.policy import PolicyHandlers
from app.views.review_handlers import Opened, ReviewHandlers
from app.views.review_queue import NAMES, Chosen
from app.views.state import Running
from policies.types import Domain, Importance, Window
from tests.pages import ANSWER, Pages
from tests.people import AIKO, COOKIE, EMI, FINN, Cookies
from tests.samples import MODEL

ZONE = "Asia/Tokyo"
TEXT = " ".join(ANSWER)
ALL: tuple[str, str, str, str, str] = astuple(Chosen())
"""No filter is set."""


def by(person: str, language: str = "en", **query: str) -> gr.Request:
    return gr.Request(
        headers={"accept-language": language},
        query_params=query,
        cookies={COOKIE: person},
        session_hash=f"tab-{person}",
        username=None,
    )


def press(**what: str) -> gr.EventData:
    return gr.EventData(None, what)


def said(call: Callable[[], Any]) -> str:
    with pytest.raises(gr.Error) as told:
        call()
    return str(told.value)


@pytest.fixture
def budgets(made: Pages) -> BudgetHandlers:
    return BudgetHandlers(made.desks.budgets, MODEL, Cookies(), Labels())


@pytest.fixture
def policy(made: Pages) -> PolicyHandlers:
    return PolicyHandlers(made.desks.drafts, Cookies(), Labels())


@pytest.fixture
def review(made: Pages) -> ReviewHandlers:
    return ReviewHandlers(made.desks.reviewing, Cookies(), Labels())


def waiting(made: Pages) -> str:
    *_, last = made.ask(AIKO, AskForm("How much?", Importance.CRITICAL, Domain.MATH), "k-1")
    return last.row.id  # type: ignore[union-attr]


def test_a_viewer_cannot_ask_for_more_by_calling_the_handler(
    budgets: BudgetHandlers, made: Pages
) -> None:
    told, *_ = budgets.on_ask(ZONE, "pilot", Window.WHOLE, "5", 30, "Why not", by("vera"))
    assert 'role="alert"' in told
    assert made.desks.budgets.overview(EMI).raises == []


def test_nobody_grants_their_own_by_calling_the_handler(
    budgets: BudgetHandlers, made: Pages
) -> None:
    mine = made.desks.budgets.ask_raise(EMI, "pilot", Window.WHOLE, 10**9, "Mine", 30)
    told = said(lambda: budgets.on_decide(ZONE, by("emi", "ja"), press(do="grant", id=mine.id)))
    assert "ほかの人が判断" in told


def test_a_granted_raise_shows_in_the_ceiling_before_any_question(
    budgets: BudgetHandlers, made: Pages
) -> None:
    asked = made.desks.budgets.ask_raise(AIKO, "pilot", Window.WHOLE, 2_500_000_000, "More", 30)
    shown = budgets.on_decide(ZONE, by("emi"), press(do="grant", id=asked.id))
    assert "$7.50" in shown[2]


def test_an_unchanged_budget_page_is_not_drawn_again(budgets: BudgetHandlers) -> None:
    first = budgets.on_refresh(ZONE, "", by("emi"))
    again = budgets.on_refresh(ZONE, first[-1], by("emi"))
    assert [part == gr.skip() for part in again] == [True, False, *[True] * 7]


def test_nobody_is_shown_a_way_to_what_their_page_does_not_have(
    policy: PolicyHandlers, budgets: BudgetHandlers
) -> None:
    """The editor of policies; the form to ask for more."""
    assert 'data-do="load"' not in str(policy.on_load(ZONE, by("vera")))
    assert 'data-do="load"' in str(policy.on_load(ZONE, by(FINN.user)))
    assert "ask below" not in str(budgets.on_refresh(ZONE, "", by("vera")))
    assert "ask below" in str(budgets.on_refresh(ZONE, "", by(EMI.user)))


def test_a_draft_with_faults_is_never_kept(policy: PolicyHandlers, made: Pages) -> None:
    told, *_ = policy.on_propose(ZONE, "name: x\nrungs: {}\n", "note", by("finn"))
    assert "Faults found" in told
    assert len(made.desks.drafts.desk.history(FINN)) == 1


def test_what_a_handler_is_told_to_load_starts_the_editor(
    policy: PolicyHandlers, made: Pages
) -> None:
    version = made.desks.drafts.desk.current(FINN).version
    _, form, text = policy.on_version(by("finn"), press(do="load", version=version))
    assert text.startswith("name: full")
    assert 'data-path="name" value="full"' in form
    assert "good" in policy.on_check(text, by("finn"))


@pytest.mark.parametrize("person", ["aiko", "ben", "emi", "vera"])
def test_opening_by_hand_gives_a_stranger_no_word_of_it(
    review: ReviewHandlers, made: Pages, person: str
) -> None:
    event = press(do="open", id=waiting(made))
    try:
        shown = repr(review.on_open(ZONE, *ALL, Opened(), by(person), event))
    except gr.Error as err:
        shown = str(err)
    assert TEXT not in shown
    assert "How much?" not in shown


def test_two_reviewers_decide_and_the_requester_may_read(
    review: ReviewHandlers, made: Pages
) -> None:
    answer_id = waiting(made)
    for person in ("chika", "dan"):
        event = press(do="open", id=answer_id)
        _, shown, opened, *_ = review.on_open(ZONE, *ALL, Opened(), by(person), event)
        assert TEXT in shown
        assert opened.held
        sent = review.on_send(ZONE, *ALL, "correct", "301 dollars", "", opened, by(person))
        assert 'class="notice info"' in sent[-1]
    assert made.ask.read(AIKO, answer_id).text.answer == "301 dollars"


def test_a_link_narrows_the_queue_and_what_it_cannot_say_narrows_nothing(
    review: ReviewHandlers, made: Pages
) -> None:
    waiting(made)
    linked = by("chika", team="sales", domain="math", kind="required", importance="no such")
    importance, team, domain, kind, state = review.on_load(linked)[: len(NAMES)]
    found = (importance, team["value"], domain, kind, state)
    assert found == ("", "sales", "math", "required", "waiting")
    for name, shown in (("sales", 1), ("finance", 0)):
        queue, *_ = review.on_queue(ZONE, 0, "", name, domain, kind, state, Opened(), by("chika"))
        assert queue.count('data-do="open"') == shown
    assert "fits these filters" in queue


def test_moving_on_gives_the_first_answer_back(review: ReviewHandlers, made: Pages) -> None:
    first = waiting(made)
    *_, last = made.ask(AIKO, AskForm("And?", Importance.HIGH, Domain.MATH), "k-2")
    second = last.row.id  # type: ignore[union-attr]
    event = press(do="open", id=first)
    _, _, opened, *_ = review.on_open(ZONE, *ALL, Opened(), by("chika"), event)
    review.on_open(ZONE, *ALL, opened, by("chika"), press(do="open", id=second))
    _, _, taken, *_ = review.on_open(ZONE, *ALL, Opened(), by("dan"), event)
    assert taken.held


def test_a_comparison_is_voted_on_once(made: Pages) -> None:
    handlers = CompareHandlers(SideBySide(made.ask), Cookies(), Running(), Labels())
    chosen = ["routine", "standard"]
    *_, last = handlers.on_run("How much?", "math", chosen, True, by("aiko"))
    *_, (_, shown, *_) = handlers.on_run("How much?", "math", chosen, True, by("aiko"))
    assert isinstance(shown, Shown)
    revealed, shown, _ = handlers.on_vote(shown, by("aiko"), press(do="bad", place="0"))
    assert "$" in revealed
    assert [r.row.seed for r in shown.receipts] == [shown.receipts[0].row.seed] * 2
    again, *_ = handlers.on_vote(shown, by("aiko"), press(do="best", place="0"))
    assert again == gr.skip()
    ratings = {made.ask.read(AIKO, r.row.id).row.rating for r in shown.receipts}
    assert ratings == {None}
    (pair,) = made.dashboard.overview(AIKO).votes
    assert (pair.bad, pair.n) == (1, 1)
    assert last is not None
