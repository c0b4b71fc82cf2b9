"""An answer token by token: what refinement changed, and where the model was unsure."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from app.i18n import Texts
from app.ports import TokenTrace, Trace
from app.presenters.parts import empty, number
from evaluation.working import holds

UNSURE, VERY_UNSURE = 0.5, 1.5
"""Nats from which on a word is marked: two ways it could go, or more than four."""


def tokens(trace: Trace, texts: Texts) -> str:
    """The words as they stand, marked; what was there before as a list; votes if there were any."""
    if not trace.tokens:
        return empty(texts("tokens.none"), texts("tokens.none_do"))
    shown = [token for token in trace.tokens if token.text]
    changed = [token for token in shown if token.changed]
    words = "".join(_token(token, texts) for token in shown)
    summary = texts(
        "tokens.summary",
        words=number(len(shown), texts),
        changed=number(len(changed), texts),
        unsure=number(sum(token.doubt >= UNSURE for token in shown), texts),
    )
    return (
        f'<section class="tokens"><h3>{escape(texts("tokens.title"))}</h3>'
        f'<p class="lead">{escape(summary)}</p>{_legend(texts)}'
        f'<div class="words">{words}</div>{_again(trace.tokens, texts)}'
        f"{_changes(shown, texts)}{votes(trace.votes, texts)}"
        "</section>"
    )


def votes(found: Sequence[int], texts: Texts) -> str:
    """How many of the answers drawn agreed with the one given; nothing where one was drawn."""
    if not found:
        return ""
    said = texts("tokens.votes", most=number(max(found), texts), of=number(len(found), texts))
    return f'<p class="votes">{escape(said)}</p>'


def _token(token: TokenTrace, texts: Texts) -> str:
    marks = [
        name
        for name, holds in (
            ("changed", token.changed),
            ("very-unsure", token.doubt >= VERY_UNSURE),
            ("unsure", UNSURE <= token.doubt < VERY_UNSURE),
        )
        if holds
    ]
    if not marks:
        return escape(token.text)
    return (
        f'<span class="{" ".join(marks)}" title="{escape(_hint(token, texts))}">'
        f"{escape(token.text)}</span>"
    )


def _hint(token: TokenTrace, texts: Texts) -> str:
    before = texts("tokens.before", word=_visible(token.base_text)) if token.changed else ""
    doubt = texts("tokens.doubt", doubt=_doubt(token.doubt, texts))
    return " ".join(part for part in (before, doubt) if part)


def _changes(shown: Sequence[TokenTrace], texts: Texts) -> str:
    changed = [token for token in shown if token.changed]
    if not changed:
        kept = "tokens.unchanged" if any(token.nfe for token in shown) else "tokens.unrefined"
        return f'<p class="note">{escape(texts(kept))}</p>'
    rows = "".join(
        f"<tr><td>{escape(_visible(token.base_text))}</td><td>{escape(_visible(token.text))}</td>"
        f'<td class="figure">{number(token.nfe, texts)}</td>'
        f'<td class="figure">{escape(_doubt(token.doubt_before, texts))} → '
        f"{escape(_doubt(token.doubt, texts))}</td></tr>"
        for token in changed
    )
    head = "".join(
        f'<th scope="col">{escape(texts(f"tokens.column.{name}"))}</th>'
        for name in ("base", "refined", "passes", "doubt")
    )
    return (
        f"<details><summary>{escape(texts('tokens.changes', n=number(len(changed), texts)))}"
        f'</summary><div class="scroll" tabindex="0"><table class="plain"><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _again(tokens: Sequence[TokenTrace], texts: Texts) -> str:
    """Lines that were written again, how often, and in which something still does not hold."""
    lines: list[tuple[str, int]] = []
    text = ""
    for at, token in enumerate(tokens):
        text += token.text
        if text.endswith("\n") or at + 1 == len(tokens):
            lines.append((text.strip(), token.writing))
            text = ""
    again = [(line, writing) for line, writing in lines if writing > 1]
    if not again:
        return ""
    items = "".join(
        f"<li>{escape(texts('tokens.again', line=line, n=number(writing, texts)))}"
        f"{'' if holds(line) else ' <b>' + escape(texts('tokens.wrong')) + '</b>'}</li>"
        for line, writing in again
    )
    said = texts("tokens.again_lead", n=number(len(again), texts))
    return f'<p class="again">{escape(said)}</p><ul class="again">{items}</ul>'


def _legend(texts: Texts) -> str:
    parts = "".join(
        f'<span class="words"><span class="{name}">'
        f"{escape(texts(f'tokens.legend.{key}'))}</span></span>"
        for name, key in (
            ("changed", "changed"),
            ("unsure", "unsure"),
            ("very-unsure", "very_unsure"),
        )
    )
    return f'<p class="legend">{parts}</p>'


def _doubt(nats: float, texts: Texts) -> str:
    return number(Decimal(nats).quantize(Decimal("0.01")), texts)


def _visible(text: str) -> str:
    """A line break must be seen where a word is shown alone."""
    return text.replace("\n", "⏎") if text.strip() else text.replace("\n", "⏎").replace(" ", "␣")
