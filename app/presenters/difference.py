"""The same question twice: two answers side by side, what differs marked, and what each cost."""

from html import escape

from app.i18n import Texts
from app.money import about
from app.ports import AnswerRow
from app.presenters.parts import money_span, passes, seconds
from app.presenters.worddiff import beside
from app.services.ask import Receipt


def side_by_side(before: Receipt, after: Receipt, texts: Texts) -> str:
    """`before` got less compute. The seed is the same, so only the importance differs."""
    left, right = beside(before.text.answer, after.text.answer)
    same = before.text.answer == after.text.answer
    said = texts("difference.same") if same else texts("difference.differs")
    dearer = after.compute_nanos - before.compute_nanos
    more = texts(
        "difference.more" if dearer >= 0 else "difference.less",
        price=about(abs(dearer), after.row.currency, texts.locale),
    )
    return (
        f'<section class="difference"><h3>{escape(texts("difference.title"))}</h3>'
        f'<p class="lead">{escape(said)} {escape(more)}</p><div class="sides">'
        f"{_side(before, left, texts)}{_side(after, right, texts)}</div>"
        f'<p class="note">{escape(texts("difference.seed"))}</p></section>'
    )


def _made(row: AnswerRow, texts: Texts) -> str:
    """Passes made, and why where there was none: two answers without any may still differ."""
    if not row.nfe_cap_per_token:
        return texts("ask.importance_none")
    return passes(row.units.nfe, texts) if row.units.nfe else texts("difference.sure")


def _side(receipt: Receipt, marked: str, texts: Texts) -> str:
    row = receipt.row
    nanos = receipt.compute_nanos
    price = about(nanos, row.currency, texts.locale)
    took = (row.finished_at - row.created_at).total_seconds() if row.finished_at else 0.0
    facts = texts(
        "difference.facts",
        passes=_made(row, texts),
        seconds=seconds(took, texts),
    )
    shown = marked or f"<em>{escape(texts('answer.empty'))}</em>"
    return (
        f'<div class="side"><h4>{escape(texts(f"importance.{row.granted}"))} · '
        f"{money_span(price, nanos, row.currency, texts)}</h4>"
        f'<p class="note">{escape(facts)}</p><div class="text">{shown}</div></div>'
    )
