"""Price lists and the latest measurement of what a unit takes, side by side."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from html import escape
from typing import Any

from app.i18n import Texts
from app.money import about
from app.ports import Calibration
from app.presenters.parts import day, empty, money_span, number, table
from policies.types import PriceList

CALIBRATE = "python app.py price calibrate"
MANY = 1000
"""Units that a price is said for: of one, too little to read."""
UNITS = ("prompt_token", "decode_token", "nfe")


def lists(found: Sequence[PriceList], now: datetime, texts: Texts) -> str:
    """What is in force, then what will be."""
    if not found:
        return empty(texts("prices.none"), texts("prices.none_do"))
    rows = [
        (
            f'{escape(each.version)}<div class="note">{escape(each.model)}</div>',
            escape(_since(each, now, texts)),
            *(_price(getattr(each, f"{unit}_nanos"), each.currency, texts) for unit in UNITS),
        )
        for each in sorted(found, key=lambda p: (p.valid_from > now, p.model, p.valid_from))
    ]
    return table(_heads(("version", "since", *UNITS), texts), rows)


def calibration(found: Calibration | None, reader: tzinfo, texts: Texts) -> str:
    """Milliseconds a unit with the middle half of the rounds; the prices that would follow."""
    if found is None:
        return empty(texts("prices.uncalibrated"), texts("prices.uncalibrated_do"), CALIBRATE)
    rates: Mapping[str, Any] = found.record["rates_seconds"]
    prices: Mapping[str, Any] = found.record["prices"]
    rows = [
        (
            escape(texts(f"prices.unit.{unit}")),
            escape(_milliseconds(rates[unit], texts)),
            _price(int(prices[f"{unit}_nanos"]), str(prices["currency"]), texts),
        )
        for unit in UNITS
    ]
    said = texts(
        "prices.calibrated",
        date=day(found.measured_at.astimezone(reader), texts),
        device=found.device.upper(),
        n=number(int(rates["nfe"]["n"]), texts),
    )
    columns = ("unit", "takes", "would_cost")
    return f'<p class="note">{escape(said)}</p>{table(_heads(columns, texts), rows)}'


def _heads(columns: Sequence[str], texts: Texts) -> dict[str, str]:
    return {column: texts(f"prices.column.{column}") for column in columns}


def _since(each: PriceList, now: datetime, texts: Texts) -> str:
    key = "prices.valid_from" if each.valid_from > now else "prices.valid_since"
    return texts(key, date=day(each.valid_from, texts))


def _price(nanos: int, currency: str, texts: Texts) -> str:
    many = nanos * MANY
    return money_span(about(many, currency, texts.locale), many, currency, texts)


def _milliseconds(spread: Mapping[str, Any], texts: Texts) -> str:
    low, middle, high = (
        number(Decimal(str(round(1000 * float(spread[name]), 2))), texts)
        for name in ("low", "median", "high")
    )
    return texts("prices.takes", middle=middle, low=low, high=high)
