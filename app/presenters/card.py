"""The receipt under an answer: what was done, what it cost against the quote, how to repeat it."""

from decimal import Decimal
from html import escape

from app.i18n import Texts
from app.money import at_most, exact
from app.ports import AnswerRow, AnswerStatus
from app.presenters.parts import (
    bar,
    definitions,
    duration,
    fact,
    money_span,
    notice,
    number,
    passes,
    percent,
    seconds,
)
from app.services.ask import Receipt

HASH_SHOWN = 12
REMARKS = {
    AnswerStatus.CANCELLED: "card.stopped",
    AnswerStatus.FAILED: "card.failed",
    AnswerStatus.INTERRUPTED: "card.interrupted",
    AnswerStatus.RUNNING: "card.running",
}


def card(receipt: Receipt, texts: Texts) -> str:
    """Every number on it is the ledger's."""
    row = receipt.row
    remarks = [texts(REMARKS[row.status])] if row.status in REMARKS else []
    if receipt.replayed:
        remarks.append(texts("card.replayed"))
    money = _price(receipt, texts) + _reviewing(receipt, texts)
    facts = money + _passes(row, texts) + _time(row, texts) + _changed(row, texts)
    return (
        f'<section class="card" aria-label="{escape(texts("card.title"))}">'
        f"<h3>{escape(texts('card.title'))}</h3>{''.join(notice(r, 'info') for r in remarks)}"
        f'<div class="facts">{facts}</div>'
        f"<details><summary>{escape(texts('card.details'))}</summary>"
        f"{definitions(_details(receipt, texts))}</details></section>"
    )


def _price(receipt: Receipt, texts: Texts) -> str:
    """Where reviewers had a part in it, computing and their time are two prices."""
    row, nanos = receipt.row, receipt.compute_nanos
    against = texts(
        "card.price_of",
        percent=percent(nanos, row.quote_nanos, texts),
        quote=at_most(row.quote_nanos, row.currency, texts.locale),
    )
    return fact(
        texts("card.computing" if _reviewed(receipt) else "card.price"),
        money_span(exact(nanos, row.currency, texts.locale), nanos, row.currency, texts),
        escape(against),
        bar(nanos, row.quote_nanos, against),
        kind="price",
    )


def _reviewing(receipt: Receipt, texts: Texts) -> str:
    if not _reviewed(receipt):
        return ""
    nanos, currency = receipt.review_nanos, receipt.row.currency
    spent = texts("card.reviewing_time", time=duration(receipt.review_seconds, texts))
    price = money_span(exact(nanos, currency, texts.locale), nanos, currency, texts)
    return fact(texts("card.reviewing"), price, escape(spent), kind="reviewing")


def _reviewed(receipt: Receipt) -> bool:
    """By people, or to be."""
    return receipt.row.review.approvals > 0 or receipt.review_seconds > 0


def _passes(row: AnswerRow, texts: Texts) -> str:
    if not row.nfe_cap_per_token:
        return fact(texts("card.passes"), "0", escape(texts("meter.passes_none")), kind="passes")
    # A stopped answer has paid passes for a word that it did not come to write.
    words = max(row.units.decode_tokens, -(-row.units.nfe // row.nfe_cap_per_token))
    allowed = words * row.nfe_cap_per_token
    return fact(
        texts("card.passes"),
        number(row.units.nfe, texts),
        escape(texts("card.passes_of", allowed=number(allowed, texts))),
        escape(
            texts(
                "card.passes_word",
                used=number(Decimal(row.units.nfe) / max(1, words), texts),
                cap=number(row.nfe_cap_per_token, texts),
            )
        ),
        kind="passes",
    )


def _time(row: AnswerRow, texts: Texts) -> str:
    computing = texts("card.device_seconds", seconds=seconds(row.device_seconds, texts))
    took = (row.finished_at - row.created_at).total_seconds() if row.finished_at else 0.0
    value = escape(texts("card.seconds", seconds=seconds(took, texts)))
    return fact(texts("card.time"), value, escape(computing), kind="time")


def _changed(row: AnswerRow, texts: Texts) -> str:
    words = texts("card.changed_of", words=number(row.units.decode_tokens, texts))
    changed = number(row.changed_tokens, texts)
    return fact(texts("card.changed"), changed, escape(words), kind="changed")


def _details(receipt: Receipt, texts: Texts) -> list[tuple[str, str]]:
    row = receipt.row
    asked, granted = texts(f"importance.{row.asked}"), texts(f"importance.{row.granted}")
    raised = texts("card.importance_raised", asked=asked, granted=granted)
    units = {
        "prompt": number(row.units.prompt_tokens, texts),
        "decode": number(row.units.decode_tokens, texts),
        "passes": passes(row.units.nfe, texts),
    }
    return [
        (texts("card.answer"), row.id),
        (texts("card.importance"), raised if asked != granted else granted),
        (texts("card.domain"), texts(f"domain.{row.domain}")),
        (texts("card.work"), texts("card.work_units", **units)),
        *_prices(receipt, texts),
        (texts("card.quote"), _nanos(row.quote_nanos, row.currency, texts)),
        (texts("card.policy"), row.policy_version),
        (texts("card.prices"), row.price_version),
        (texts("card.seed"), str(row.seed)),
        (texts("card.adapter"), row.adapter_sha256[:HASH_SHOWN]),
    ]


def _prices(receipt: Receipt, texts: Texts) -> list[tuple[str, str]]:
    """To the last digit; parts before their sum."""
    row = receipt.row
    parts = {"card.computing": receipt.compute_nanos, "card.reviewing": receipt.review_nanos}
    shown = (parts if _reviewed(receipt) else {}) | {"card.price": row.cost_nanos}
    return [(texts(key), _nanos(nanos, row.currency, texts)) for key, nanos in shown.items()]


def _nanos(nanos: int, currency: str, texts: Texts) -> str:
    whole = texts("card.nanos", nanos=number(nanos, texts), currency=currency)
    return f"{exact(nanos, currency, texts.locale)} · {whole}"
