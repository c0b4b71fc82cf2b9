"""Integer nanos as money a reader can take in. Decimal all the way: no float carries an amount."""

import re
import unicodedata
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from babel.numbers import format_currency, get_currency_precision, get_currency_symbol

NANO_DIGITS = 9
SIGNIFICANT = 3


def exact(nanos: int, currency: str, locale: str) -> str:
    """Every digit there is: what a receipt says."""
    return _format(Decimal(nanos).scaleb(-NANO_DIGITS), currency, locale)


def about(nanos: int, currency: str, locale: str, rounding: str = ROUND_HALF_EVEN) -> str:
    """Cents where there are any, else three significant digits: no 0.00 for a price that is not."""
    amount = Decimal(nanos).scaleb(-NANO_DIGITS)
    needed = SIGNIFICANT - 1 - amount.adjusted() if amount else 0
    digits = min(max(get_currency_precision(currency), needed), NANO_DIGITS)
    return _format(amount.quantize(Decimal(1).scaleb(-digits), rounding), currency, locale)


def at_most(nanos: int, currency: str, locale: str) -> str:
    """Rounded up: a bound must not look lower than it is."""
    return about(nanos, currency, locale, ROUND_CEILING)


def at_least(nanos: int, currency: str, locale: str) -> str:
    """Rounded down: what is left must not look like more."""
    return about(nanos, currency, locale, ROUND_FLOOR)


def parse(text: str) -> int | None:
    """Nanos of an amount as people type it, `1,000.50` also in wide digits; None where it is none.

    At most nine digits before and after the point: what a limit may be.
    """
    plain = unicodedata.normalize("NFKC", text).strip().replace(",", "")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", plain, re.ASCII):
        return None
    return int(Decimal(plain).scaleb(NANO_DIGITS))


def symbol(currency: str, locale: str) -> str:
    return str(get_currency_symbol(currency, locale))


def plot_coordinate(nanos: int) -> float:
    """Where a point goes on an axis. For drawing only, never for text or sums."""
    return float(Decimal(nanos).scaleb(-NANO_DIGITS))


def _format(amount: Decimal, currency: str, locale: str) -> str:
    return str(
        format_currency(
            amount, currency, locale=locale, currency_digits=True, decimal_quantization=False
        )
    )
