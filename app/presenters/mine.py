"""Questions that the reader asked before, as a list to search and to open again."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from app.i18n import Texts
from app.money import about
from app.presenters.parts import empty, minute, money_span, when
from app.presenters.standing import place
from app.services.mine import Listed

SHOWN = 160
"""Characters of a question or an answer in the list."""


def found(questions: Sequence[Listed], words: str, reader: tzinfo, texts: Texts) -> str:
    """Newest first; each opens with a press or by keyboard."""
    if not questions:
        which = "nothing" if words.strip() else "empty"
        return empty(texts(f"mine.{which}"), texts(f"mine.{which}_do"))
    items = "".join(_item(each, reader, texts) for each in questions)
    return f'<ul class="items mine">{items}</ul>'


def _item(listed: Listed, reader: tzinfo, texts: Texts) -> str:
    each, kind = listed.found, str(listed.found.status)
    price = about(each.cost_nanos, each.currency, texts.locale)
    status = escape(texts(f"status.{each.status}"))
    answer = f'<span class="reply">{_short(each.answer)}</span>' if each.answer.strip() else ""
    if listed.place:
        kind, status = f"{kind} {listed.place.state}", escape(place(listed.place, texts))
    return (
        f'<li class="item"><button type="button" data-do="open" data-id="{escape(each.answer_id)}">'
        f'<span class="question">{_short(each.question)}</span>'
        f'{answer}<span class="label">'
        f'<span title="{escape(when(each.created_at, reader, texts))}">'
        f"{escape(minute(each.created_at, reader, texts))}</span> · "
        f"{escape(texts(f'importance.{each.granted}'))} · "
        f"{money_span(price, each.cost_nanos, each.currency, texts)} · "
        f'<span class="status {kind}">{status}</span></span></button></li>'
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return escape(line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…")
