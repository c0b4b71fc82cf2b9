"""How far the review of one's own answer is. Nothing here knows a word of the answer."""

from datetime import datetime, tzinfo
from html import escape

from app.i18n import Texts
from app.ports import Place
from app.presenters.messages import messages
from app.presenters.parts import fact, minute, notice, number
from app.services.review_waiting import Standing
from policies.review import ItemState

MARKS = {ItemState.WAITING: "waiting", ItemState.ASKED: "asked"}


def standing(found: Standing, now: datetime, reader: tzinfo, texts: Texts) -> str:
    """State, place and time, or the decision.

    While it waits the figures are always the same three, so that news does not move the page.
    """
    if found.state is ItemState.DECIDED:
        body = _decision(found, texts)
    else:
        facts = (
            _place(found, texts),
            _expected(found, now, reader, texts),
            _due(found, reader, texts),
        )
        body = f'<div class="facts">{"".join(facts)}</div>'
    if found.state is ItemState.ASKED and found.own:
        body = notice(texts("standing.asked_do"), "info") + body
    if found.messages:
        title = escape(texts("standing.messages"))
        body += f"<h4>{title}</h4>{messages(found.messages, reader, texts)}"
    kind = MARKS.get(found.state) or str(found.outcome)
    return (
        f'<section class="sheet standing" aria-label="{escape(texts("standing.title"))}">'
        f'<div class="ends"><h3>{escape(texts("standing.title"))}</h3>'
        f'<span class="mark {kind}" role="status">{escape(_state(found, texts))}</span></div>'
        f"{body}</section>"
    )


def sent(texts: Texts) -> str:
    return notice(texts("standing.sent"), "info")


def place(at: Place, texts: Texts) -> str:
    """In a line, as lists have it."""
    return texts(f"standing.short.{at.state}", place=number(at.ahead + 1, texts))


def _state(found: Standing, texts: Texts) -> str:
    if found.outcome:
        return texts(f"standing.outcome.{found.outcome}")
    return texts(f"standing.state.{found.state}")


def _place(found: Standing, texts: Texts) -> str:
    # One that waits for a reply is not counted among those that wait, and goes back among them.
    waiting = found.waiting + (found.state is ItemState.ASKED)
    at = texts(
        "standing.place_of",
        place=number(found.ahead + 1, texts),
        waiting=number(waiting, texts),
    )
    if found.state is ItemState.ASKED:
        why = "standing.place_kept"
    elif found.in_review:
        why = "standing.place_read"
    else:
        why = "standing.place_order"
    return fact(texts("standing.place"), escape(at), escape(texts(why)))


def _expected(found: Standing, now: datetime, reader: tzinfo, texts: Texts) -> str:
    basis = texts("standing.expected_basis")
    if found.expected_at is None:
        said, basis = texts("standing.expected_unknown"), texts("standing.expected_few")
    elif found.state is ItemState.ASKED:
        said, basis = texts("standing.expected_reply"), texts("standing.expected_reply_basis")
    elif found.expected_at <= now:
        said = texts("standing.expected_soon")
    else:
        said = minute(found.expected_at, reader, texts)
    return fact(texts("standing.expected"), escape(said), escape(basis))


def _due(found: Standing, reader: tzinfo, texts: Texts) -> str:
    why = "standing.due_over" if found.overdue else "standing.due_rule"
    at = escape(minute(found.due_at, reader, texts))
    return fact(texts("standing.due"), at, escape(texts(why)))


def _decision(found: Standing, texts: Texts) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in found.reasons)
    why = f"<h4>{escape(texts('standing.reasons'))}</h4>" if reasons else ""
    lines = f'<ul class="lines">{reasons}</ul>' if reasons else ""
    return f"<p>{escape(texts(f'standing.decided.{found.outcome}'))}</p>{why}{lines}"
