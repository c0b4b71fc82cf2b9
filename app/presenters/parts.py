"""What pages are made of: numbers as the reader writes them, facts, bars. Text is escaped here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import ROUND_FLOOR, Decimal
from html import escape
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

from app.i18n import Texts
from app.money import exact
from policies.types import Importance, Units

TRACE = Decimal("0.001")
SHORT, MINUTES_FROM, HOURS_FROM, DAYS_FROM = 10, 100, 6_000, 180_000
"""Seconds below which tenths are told, and from which larger units are."""


def number(value: int | Decimal, texts: Texts) -> str:
    return str(format_decimal(value, locale=texts.locale))


def taken(units: Units) -> Decimal:
    """Refinement passes that a written word took, as finely as a chart tells them apart: to a tenth
    below 1, where words of which the model is sure are skipped, and whole above.
    """
    passes = Decimal(units.nfe) / units.decode_tokens
    return passes.quantize(Decimal("0.1") if passes < 1 else Decimal(1))


def passes(count: int | Decimal, texts: Texts) -> str:
    """So many refinement passes, in words."""
    return texts("unit.pass" if count == 1 else "unit.passes", n=number(count, texts))


def seconds(value: float, texts: Texts) -> str:
    digits = 1 if value >= 1 else 2
    return str(format_decimal(round(Decimal(value), digits), locale=texts.locale))


def duration(value: float, texts: Texts) -> str:
    """Seconds in a unit that suits them: 0.4 s, 12 s, 3 min, 5.5 h, 7 days."""
    if value < SHORT:
        return texts("unit.seconds", n=seconds(value, texts))
    if value < MINUTES_FROM:
        return texts("unit.seconds", n=number(round(value), texts))
    if value < HOURS_FROM:
        return texts("unit.minutes", n=number(round(value / 60), texts))
    if value < DAYS_FROM:
        return texts("unit.hours", n=number(round(Decimal(value) / 3600, 1), texts))
    return texts("unit.days", n=number(round(Decimal(value) / 86_400, 1), texts))


def share(value: float, texts: Texts) -> str:
    """A measured rate in [0, 1]: to a tenth of a per cent, the nearest."""
    return str(format_percent(value, "#,##0.0%", locale=texts.locale))


def whole_percent(value: float, texts: Texts) -> str:
    """The same where a tenth would only be noise."""
    return str(format_percent(value, "#,##0%", locale=texts.locale))


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


def person(name: str, texts: Texts) -> str:
    """Someone by name; who acts without being anyone in particular, by what they are."""
    key = f"person.{name}"
    return texts(key) if key in texts else texts("person.named", name=name)


def reason(code: str, values: Mapping[str, str | int], texts: Texts) -> str:
    """Names of importances and domains in a reason's values are said in the reader's words."""
    said: dict[str, object] = {}
    for name, value in values.items():
        key = f"{name}.{value}"
        said[name] = texts(key) if key in texts else value
    return texts(code, **said)


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


def stacked(parts: Mapping[str, int], whole: int, label: str) -> str:
    """Shares of a whole beside each other, named by their class; said in words to who sees none."""
    pieces = "".join(
        f'<span class="{name}" style="flex-grow:{part * 10_000 // max(whole, 1)}"></span>'
        for name, part in parts.items()
        if part > 0
    )
    return f'<div class="stacked" role="img" aria-label="{escape(label)}">{pieces}</div>'


def table(heads: Mapping[str, str], rows: Iterable[Sequence[str]]) -> str:
    """Headings are plain text by column, cells are HTML. On a phone a row is a list."""
    head = "".join(f'<th scope="col" class="{c}">{escape(h)}</th>' for c, h in heads.items())
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{c}" data-name="{escape(heads[c])}">{cell}</td>'
            for c, cell in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0"><table class="plain stacks"><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def definitions(rows: Iterable[tuple[str, str]]) -> str:
    """Pairs of plain text."""
    cells = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f"<dl>{''.join(cells)}</dl>"


def heading(key: str, texts: Texts) -> str:
    """Over a part of a page: its title, and what stands under `key`_lead."""
    lead = escape(texts(f"{key}_lead"))
    return f'<h2>{escape(texts(key))}</h2><p class="lead">{lead}</p>'


def notice(message: str, kind: str = "warning") -> str:
    """A message in the page, read out by screen readers; nothing where there is nothing to say."""
    role = "alert" if kind == "warning" else "status"
    return f'<div class="notice {kind}" role="{role}">{escape(message)}</div>' if message else ""


def empty(title: str, text: str, command: str = "") -> str:
    """What stands where there is nothing yet, and how to change that."""
    code = f"<code>{escape(command)}</code>" if command else ""
    return f'<div class="empty"><strong>{escape(title)}</strong><p>{escape(text)}</p>{code}</div>'
