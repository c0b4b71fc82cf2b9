"""The answer under review, and beside it what was run to compare it with: words, work, cost."""

from html import escape

from app.i18n import Texts
from app.money import about
from app.ports import AnswerRow, LinkKind
from app.presenters.parts import money_span, passes
from app.presenters.worddiff import compared
from app.services.review_evidence import Evidence, Other


def sides(found: Evidence, barred: str, texts: Texts) -> str:
    """Two columns: the answer, and the latest run with more compute, or else the base model's.

    Whatever else was run follows below. Words that only one of two has are marked in both.
    """
    base = next((o for o in found.others if o.linked.kind is LinkKind.BASE), None)
    reruns = [o for o in found.others if o.linked.kind is LinkKind.MORE]
    right = reruns[-1] if reruns else base
    below = [*reversed(reruns[:-1]), *([base] if base and reruns else [])]
    offer = "" if base else _offer(found, barred, texts)
    left = _words(right, found, texts)[0] if right else _plain(found.text.answer, texts)
    work = _work(found.row, found.compute_nanos, texts)
    answer = _column(texts("review.answer"), work, left)
    beside = _other(right, found, barred, texts) if right else offer
    rest = "".join(_other(other, found, barred, texts) for other in below)
    return f'<div class="sides">{answer}{beside}</div>{rest}{offer if right else ""}'


def button(do: str, about_id: str, texts: Texts) -> str:
    return (
        f'<button type="button" class="small" data-do="{do}" data-id="{escape(about_id)}">'
        f"{escape(texts(f'review.do.{do}'))}</button>"
    )


def _other(other: Other, found: Evidence, barred: str, texts: Texts) -> str:
    kind, words = other.linked.kind, other.text.answer
    same = words.strip() == found.text.answer.strip()
    said = f'<p class="note">{escape(texts(f"review.same_as.{kind}"))}</p>' if same else ""
    takes = kind is LinkKind.MORE and not barred and not same
    take = button("take", other.row.id, texts) if takes else ""
    work = _work(other.row, other.row.cost_nanos, texts)
    return _column(texts(f"review.run.{kind}"), work, _words(other, found, texts)[1], said + take)


def _offer(found: Evidence, barred: str, texts: Texts) -> str:
    """To run the base model alone."""
    run = "" if barred else button("base", found.item.answer_id, texts)
    note = f'<p class="note">{escape(texts("review.base_none"))}</p>'
    return f"<section><h3>{escape(texts('review.run.base'))}</h3>{note}{run}</section>"


def _words(other: Other, found: Evidence, texts: Texts) -> tuple[str, str]:
    """Of the answer, and of the other."""
    left, right = compared(found.text.answer, other.text.answer)
    return left or _plain("", texts), right or _plain("", texts)


def _plain(words: str, texts: Texts) -> str:
    return escape(words) if words.strip() else f"<em>{escape(texts('answer.empty'))}</em>"


def _work(row: AnswerRow, nanos: int, texts: Texts) -> str:
    """What was computed and what that cost: reviewers' time is said elsewhere."""
    price = money_span(about(nanos, row.currency, texts.locale), nanos, row.currency, texts)
    return f'<p class="note work">{escape(passes(row.units.nfe, texts))} · {price}</p>'


def _column(title: str, work_html: str, words_html: str, after_html: str = "") -> str:
    return (
        f'<section><h3>{escape(title)}</h3>{work_html}<div class="text">{words_html}</div>'
        f"{after_html}</section>"
    )
