"""What pages are made of: numbers as the reader writes them, facts, bars. Text is escaped here."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from decimal import ROUND_FLOOR, Decimal
from html import escape
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from app.i18n import Texts
from app.money import exact
from policies.types import Importance

TRACE = Decimal("0.001")


def number(value: int | Decimal, texts: Texts) -> str:
    return str(format_decimal(value, locale=texts.locale))


def seconds(value: float, texts: Texts) -> str:
    digits = 1 if value >= 1 else 2
    return str(format_decimal(round(Decimal(value), digits), locale=texts.locale))


def percent(part: int, whole: int, texts: Texts) -> str:
    """A share, rounded down so that only all is 100 %; `< 0.1 %` for a trace."""
    share = Decimal(part) / Decimal(whole) if whole > 0 else Decimal(0)
    shown = share.quantize(TRACE, ROUND_FLOOR)
    trace = share > 0 and not shown
    text = str(format_percent(TRACE if trace else shown, "#,##0.#%", locale=texts.locale))
    return f"< {text}" if trace else text


def zone(name: str | None) -> tzinfo:
    """A reader's time zone; UTC where the browser's name for it is unknown here."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def when(instant: datetime, reader: tzinfo, texts: Texts) -> str:
    return str(format_datetime(instant.astimezone(reader), "medium", locale=texts.locale))


def minute(instant: datetime, reader: tzinfo, texts: Texts) -> str:
    """Short enough for a table."""
    local = instant.astimezone(reader)
    date = format_skeleton("MMMd", local, locale=texts.locale)
    return f"{date} {format_time(local, 'short', locale=texts.locale)}"


def day(instant: datetime, texts: Texts) -> str:
    pattern = "yyyy年M月d日" if texts.language == "ja" else "d MMMM yyyy"
    return str(format_datetime(instant, pattern, locale=texts.locale))


def scope_name(scope: str, texts: Texts) -> str:
    """`team:sales` -> "budget of team sales"."""
    kind, _, name = scope.partition(":")
    if kind == "importance" and name in list(Importance):
        name = texts(f"importance.{name}")
    key = f"scope.{kind}"
    return texts(key, name=name) if key in texts else texts("scope.other", name=scope)


def money_span(shown: str, nanos: int, currency: str, texts: Texts) -> str:
    """An amount with all its digits in the tooltip."""
    digits = escape(exact(nanos, currency, texts.locale))
    return f'<span class="money" title="{digits}">{escape(shown)}</span>'


def fact(label: str, value_html: str, *notes_html: str, kind: str = "") -> str:
    """One figure, what it is above it, what it compares with below. Value and notes are HTML."""
    notes = "".join(f'<div class="note">{note}</div>' for note in notes_html)
    name = f"fact {kind}".strip()
    return (
        f'<div class="{name}"><div class="label">{escape(label)}</div>'
        f'<div class="value">{value_html}</div>{notes}</div>'
    )


def bar(part: int, whole: int, label: str, kind: str = "") -> str:
    """A share as a bar; integers up to its end, so that full means full."""
    return (
        f'<progress class="{kind}" max="{max(whole, 1)}" value="{min(part, max(whole, 1))}"'
        f' aria-label="{escape(label)}"></progress>'
    )


def definitions(rows: Iterable[tuple[str, str]]) -> str:
    """Pairs of plain text."""
    cells = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f"<dl>{''.join(cells)}</dl>"


def notice(message: str, kind: str = "warning") -> str:
    """A message in the page, read out by screen readers; nothing where there is nothing to say."""
    role = "alert" if kind == "warning" else "status"
    return f'<div class="notice {kind}" role="{role}">{escape(message)}</div>' if message else ""


def empty(title: str, text: str, command: str = "") -> str:
    """What stands where there is nothing yet, and how to change that."""
    code = f"<code>{escape(command)}</code>" if command else ""
    return f'<div class="empty"><strong>{escape(title)}</strong><p>{escape(text)}</p>{code}</div>'
