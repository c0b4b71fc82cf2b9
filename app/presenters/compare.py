"""The Compare page: what can be compared and costs, the answers side by side, the costs after."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from app.i18n import Texts
from app.money import about, at_most
from app.presenters.parts import empty, money_span, notice, number, passes, seconds
from app.services.ask import Receipt
from app.services.side_by_side import Offer
from policies.types import Domain, Importance

LETTERS = "ABCD"


def top(texts: Texts) -> str:
    lead = escape(texts("compare.lead"))
    return f'<h2>{escape(texts("compare.title"))}</h2><p class="lead">{lead}</p>'


def names(texts: Texts) -> list[tuple[str, str]]:
    return [(texts(f"importance.{i}"), i.value) for i in Importance]


def domains(texts: Texts) -> list[tuple[str, str]]:
    return [(texts(f"domain.{domain}"), domain.value) for domain in Domain]


def choices(offers: Sequence[Offer], texts: Texts) -> list[tuple[str, str]]:
    """Each with the most that it can cost."""
    return [
        (
            texts(
                "compare.choice",
                importance=texts(f"importance.{o.importance}"),
                price=at_most(
                    o.preview.decision.quote.nanos, o.preview.decision.quote.currency, texts.locale
                ),
            ),
            o.importance.value,
        )
        for o in offers
    ]


def left_out(offers: Sequence[Offer], texts: Texts) -> str:
    """Importances that cannot be compared, and why."""
    offered = [o.importance for o in offers]
    missing = [texts(f"importance.{i}") for i in Importance if i not in offered]
    if not missing:
        return ""
    said = texts("compare.left_out", names=texts("list.join").join(missing))
    return f'<p class="note">{escape(said)}</p>'


def price(offers: Sequence[Offer], chosen: Sequence[str], texts: Texts) -> str:
    """The most that all of them together can cost."""
    quotes = [o.preview.decision.quote for o in offers if o.importance.value in chosen]
    if not quotes:
        return ""
    nanos, currency = sum(q.nanos for q in quotes), quotes[0].currency
    shown = texts("quote.at_most", price=at_most(nanos, currency, texts.locale))
    return (
        f'<div class="quote"><div class="label">{escape(texts("compare.price"))}</div>'
        f'<div class="value">{money_span(shown, nanos, currency, texts)}</div></div>'
    )


def nothing(texts: Texts) -> str:
    return empty(texts("compare.none"), texts("compare.none_do"))


def sides(found: Sequence[Receipt], of: int, blind: bool, voted: bool, texts: Texts) -> str:
    """Answers in the order shown; blind ones say only their letter until there was a vote."""
    hidden = blind and not voted
    cards = "".join(_side(r, place, hidden, found, texts) for place, r in enumerate(found))
    writing = ""
    if len(found) < of:
        said = texts("compare.writing", n=len(found) + 1, of=of)
        writing = f'<div class="side waiting" role="status">{escape(said)}</div>'
    votes = _votes(found, texts) if len(found) == of and not voted else ""
    return f'<div class="sides many">{cards}{writing}</div>{votes}'


def thanks(blind: bool, texts: Texts) -> str:
    return notice(texts("compare.thanks" if blind else "compare.thanks_seen"), "info")


def _side(
    receipt: Receipt, place: int, hidden: bool, found: Sequence[Receipt], texts: Texts
) -> str:
    answer = receipt.text.answer
    body = escape(answer) if answer.strip() else f"<em>{escape(texts('answer.empty'))}</em>"
    letter = LETTERS[place]
    if hidden:
        head, facts = escape(letter), ""
    else:
        head = f"{escape(letter)} · {escape(texts(f'importance.{receipt.row.granted}'))}"
        facts = _facts(receipt, found, texts)
    return f'<section class="side"><h3>{head}</h3><div class="text">{body}</div>{facts}</section>'


def _facts(receipt: Receipt, found: Sequence[Receipt], texts: Texts) -> str:
    row = receipt.row
    cost = about(row.cost_nanos, row.currency, texts.locale)
    cheapest = min(r.row.cost_nanos for r in found)
    times = (
        texts("compare.times", n=_times(row.cost_nanos, cheapest, texts))
        if cheapest and row.cost_nanos > cheapest
        else ""
    )
    took = (row.finished_at - row.created_at).total_seconds() if row.finished_at else 0.0
    worked = texts(
        "compare.work", passes=passes(row.units.nfe, texts), seconds=seconds(took, texts)
    )
    return (
        f'<p class="cost">{money_span(cost, row.cost_nanos, row.currency, texts)} '
        f'<small>{escape(times)}</small></p><p class="note">{escape(worked)}</p>'
    )


def _times(nanos: int, cheapest: int, texts: Texts) -> str:
    return number((Decimal(nanos) / Decimal(cheapest)).quantize(Decimal("0.1")), texts)


def _votes(found: Sequence[Receipt], texts: Texts) -> str:
    best = "".join(
        _vote("best", place, texts("compare.best", letter=LETTERS[place]))
        for place in range(len(found))
    )
    rest = _vote("tie", 0, texts("compare.tie")) + _vote("bad", 0, texts("compare.bad"))
    question = escape(texts("compare.which"))
    return (
        f'<div class="votes" role="group" aria-label="{question}"><h3>{question}</h3>'
        f'<div class="buttons">{best}{rest}</div></div>'
    )


def _vote(vote: str, place: int, name: str) -> str:
    return (
        f'<button type="button" class="small" data-do="{vote}" data-place="{place}">'
        f"{escape(name)}</button>"
    )
