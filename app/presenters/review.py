"""One answer under review: the evidence, in the order in which one judges. Text is escaped here."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from html import escape

from app.i18n import Texts
from app.money import about
from app.ports import AnswerRow, Message
from app.presenters.messages import messages
from app.presenters.parts import empty, fact, minute, money_span, number, person, reason
from app.presenters.review_sides import button, sides
from app.presenters.tokens import tokens
from app.presenters.worddiff import inline
from app.services.review_evidence import Evidence, Similar
from policies.review import Verdict

MODES = ("approve", "correct", "reject", "ask", "skip")
"""What one may do with an answer that one holds; the first three are verdicts."""
CHOSEN = "reason.asked"
"""Addressed to the requester; a reviewer is told in other words."""


def nothing_open(texts: Texts) -> str:
    return empty(texts("review.none_open"), texts("review.none_open_do"))


def modes(texts: Texts) -> list[tuple[str, str]]:
    return [(texts(f"review.mode.{mode}"), mode) for mode in MODES]


def evidence(found: Evidence, barred: str, may_take: bool, reader: tzinfo, texts: Texts) -> str:
    """`barred` says why one can only read; `may_take` whether one may end another's claim."""
    parts = (
        _head(found, barred, may_take, reader, texts),
        _section("review.question", _text(found.text.question, texts), texts),
        sides(found, barred, texts),
        _facts(found, texts),
        _verdicts(found.verdicts, reader, texts),
        _messages(found.messages, reader, texts),
        _folded("review.tokens", tokens(found.trace, texts), texts),
        _section("review.reasons", _reasons(found, texts), texts),
        _section("review.guidelines", _guidelines(found.guidelines, texts), texts),
        _section("review.similar", _similar(found.similar, texts), texts),
    )
    return f'<article class="evidence">{"".join(parts)}</article>'


def changes(before: str, after: str, texts: Texts) -> str:
    """What a correction changes; nothing while it is the answer itself."""
    if before.strip() == after.strip():
        return ""
    said = escape(texts("review.diff"))
    return f'<div class="label">{said}</div><div class="text diff">{inline(before, after)}</div>'


def saved(at: datetime, reader: tzinfo, texts: Texts) -> str:
    words = texts("review.saved", at=minute(at, reader, texts))
    return f'<p class="note" role="status">{escape(words)}</p>'


def _head(found: Evidence, barred: str, may_take: bool, reader: tzinfo, texts: Texts) -> str:
    item = found.item
    said = [
        texts("review.by", by=person(item.requester, texts), team=item.team),
        minute(item.opened_at, reader, texts),
        texts("review.due", at=minute(item.due_at, reader, texts)),
        texts(
            "review.progress",
            given=number(len(item.decided_by), texts),
            needed=number(item.approvals, texts),
        ),
    ]
    if barred:
        held = texts("review.read_only", why=barred)
    elif item.lease:
        held = texts("review.yours", at=minute(item.lease.until, reader, texts))
    else:
        held = ""
    take = button("take_over", item.answer_id, texts) if may_take else ""
    kind = "waiting" if barred else "good"
    return (
        f'<header class="ends"><h2>{escape(texts(f"importance.{item.importance}"))} · '
        f"{escape(texts(f'domain.{item.domain}'))}</h2>"
        f'<span class="mark {kind}">{escape(held)}</span></header>'
        f'<p class="note">{escape(" · ".join(said))}</p>{take}'
    )


def _facts(found: Evidence, texts: Texts) -> str:
    row = found.row
    minutes = texts("review.minutes", minutes=number(-(-found.seconds // 60), texts))
    facts = (
        fact(texts("review.fact.passes"), escape(number(row.units.nfe, texts))),
        fact(texts("review.fact.price"), _money(row, found.compute_nanos, texts)),
        fact(texts("review.fact.changed"), escape(number(row.changed_tokens, texts))),
        fact(
            texts("review.fact.reviewing"),
            escape(minutes),
            _money(row, found.review_nanos, texts),
        ),
    )
    return _section("review.facts", f'<div class="facts">{"".join(facts)}</div>', texts)


def _money(row: AnswerRow, nanos: int, texts: Texts) -> str:
    return money_span(about(nanos, row.currency, texts.locale), nanos, row.currency, texts)


def _reasons(found: Evidence, texts: Texts) -> str:
    asked = texts("review.asked", importance=texts(f"importance.{found.row.asked}"))
    lines = [asked, *(reason(r.code, r.values, texts) for r in found.reasons if r.code != CHOSEN)]
    return f'<ul class="lines">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _verdicts(given: Sequence[Verdict], reader: tzinfo, texts: Texts) -> str:
    """Nothing while first verdicts are blind."""
    if not given:
        return ""
    items = "".join(
        f'<li class="item"><span class="mark {v.kind}">{escape(texts(f"review.verdict.{v.kind}"))}'
        f"</span><div><p>{escape(v.correction)}</p><p>{escape(v.reason)}</p>"
        f'<p class="note">{escape(person(v.reviewer, texts))} · '
        f"{escape(minute(v.given_at, reader, texts))}</p></div></li>"
        for v in given
    )
    return _section("review.verdicts", f'<ul class="items">{items}</ul>', texts)


def _messages(said: Sequence[Message], reader: tzinfo, texts: Texts) -> str:
    if not said:
        return ""
    return _section("review.messages", messages(said, reader, texts), texts)


def _similar(found: Sequence[Similar], texts: Texts) -> str:
    if not found:
        return f'<p class="note">{escape(texts("review.no_similar"))}</p>'
    items = "".join(
        f'<li class="item"><span class="mark {s.past.outcome}">'
        f"{escape(texts(f'review.outcome.{s.past.outcome}'))}</span><div>"
        f"<p>{escape(s.past.question)}</p><p><strong>{escape(s.text.answer)}</strong></p>"
        f"{''.join(f'<p class=note>{escape(v.reason)}</p>' for v in s.verdicts if v.reason)}"
        "</div></li>"
        for s in found
    )
    return f'<ul class="items">{items}</ul>'


def _guidelines(words: str, texts: Texts) -> str:
    return f'<p class="guidelines">{escape(words or texts("review.no_guidelines"))}</p>'


def _text(words: str, texts: Texts) -> str:
    body = escape(words) if words.strip() else f"<em>{escape(texts('answer.empty'))}</em>"
    return f'<div class="text">{body}</div>'


def _section(key: str, inner_html: str, texts: Texts) -> str:
    return f"<section><h3>{escape(texts(key))}</h3>{inner_html}</section>"


def _folded(key: str, inner_html: str, texts: Texts) -> str:
    return f"<details><summary>{escape(texts(key))}</summary>{inner_html}</details>"
