"""The Dashboard page: ceilings as tiles, where a measurement comes from, the latest answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from html import escape
from math import inf

from app.i18n import Texts
from app.money import about, at_least
from app.ports import AnswerRow, Measurement
from app.ports.board import By
from app.presenters import parts
from app.presenters.parts import (
    bar,
    day,
    empty,
    minute,
    money_span,
    number,
    passes,
    percent,
    scope_name,
    when,
)
from app.services.dashboard import Reading
from app.services.spent import command
from policies.types import Ceiling, Domain, Importance, Rung

COLUMNS = ("time", "importance", "domain", "passes", "price", "status", "rating")
FIRST_MEASUREMENT = "python app.py evaluate --suite pilot --budgets 0,3,7,15,31"
THUMBS = {1: "up", -1: "down"}
PERIODS = (7, 30, 90)


def heading(name: str, texts: Texts) -> str:
    return parts.heading(f"dashboard.{name}", texts)


def top(now: datetime, reader: tzinfo, texts: Texts) -> str:
    as_of = texts("dashboard.updated", time=when(now, reader, texts))
    return f'<h2>{escape(texts("dashboard.title"))}</h2><p class="lead">{escape(as_of)}</p>'


def tiles(ceilings: Sequence[Ceiling], texts: Texts) -> str:
    """Limit, committed, held and left of every budget, and a bar of how full it is."""
    return "".join(_budget(ceiling, texts) for ceiling in ceilings)


def suites(measurements: Sequence[Measurement]) -> list[str]:
    """Question sets there are figures of: the last measured here first, of those shipped the one
    with most points."""
    points = Counter(m.suite for m in measurements)
    newest = sorted(measurements, key=lambda m: m.measured_at, reverse=True)
    listed = sorted(newest, key=lambda m: points[m.suite] if m.shipped else inf, reverse=True)
    return list(dict.fromkeys(m.suite for m in listed))


def suite_name(suite: str, texts: Texts) -> str:
    """With what sets its measurements apart in words: it is kept with the flags of `evaluate`."""
    name, *flags = suite.split(" --")
    said = []
    for flag in sorted(flags, key=lambda flag: flag.startswith("temperature")):  # of the others
        knob, _, value = flag.partition(" ")
        value = texts(f"solver.{value}") if knob == "solver" else value
        field = texts(f"policy.field.{knob.replace('-', '_')}")
        said.append(f"{field} {value}".strip())
    return f"{name} · {texts('list.join').join(said)}" if said else name


def provenance(measurements: Sequence[Measurement], texts: Texts) -> str:
    """Where the points of one suite come from, and the command that gives them again."""
    if not measurements:
        return ""
    last = max(measurements, key=lambda m: m.measured_at)
    source = (
        "dashboard.shipped" if all(m.shipped for m in measurements) else "dashboard.measured_here"
    )
    facts = texts(
        "dashboard.measured_facts",
        date=day(last.measured_at, texts),
        suite=suite_name(last.suite, texts),
        n=number(max(m.n for m in measurements), texts),
    )
    return (
        f'<div class="provenance"><strong>{escape(texts(source))}</strong> {escape(facts)}'
        f'<details class="quiet"><summary>{escape(texts("dashboard.reproduce"))}</summary>'
        f"<code>{escape(command(measurements))}</code></details></div>"
    )


def no_measurement(texts: Texts) -> str:
    do = texts("dashboard.no_measurement_do")
    return empty(texts("dashboard.no_measurement"), do, FIRST_MEASUREMENT)


def no_spend(texts: Texts) -> str:
    return empty(texts("dashboard.no_spend"), texts("dashboard.no_spend_do"))


def periods(texts: Texts) -> list[tuple[str, str]]:
    """The whole pilot, or its latest days."""
    latest = [
        (texts("dashboard.period_days", n=number(days, texts)), str(days)) for days in PERIODS
    ]
    return [(texts("dashboard.period_all"), ""), *latest]


def parts_by(texts: Texts) -> list[tuple[str, str]]:
    return [(texts(f"dashboard.by.{by}"), by.value) for by in By]


def points(rungs: Mapping[Importance, Rung], point: str, texts: Texts) -> str:
    """What a press on a point of the chart does, by keyboard: answers of the rungs in force.

    Those of single domains are there for the chart alone.
    """
    buttons = [
        f'<button type="button" class="small" data-do="point" data-point="{value}" '
        f"aria-pressed={_quoted(value == point)}{' hidden' if domain else ''}>"
        f"{escape(texts(f'importance.{importance}'))}</button>"
        for domain in ("", *Domain)
        for importance, rung in rungs.items()
        for value in [f"{rung.max_nfe_per_token}.{domain}"]
    ]
    if not buttons:
        return ""
    lead = escape(texts("dashboard.points"))
    return f'<div class="points"><span class="label">{lead}</span>{"".join(buttons)}</div>'


def _quoted(true: bool) -> str:
    return '"true"' if true else '"false"'


def behind(found: Sequence[Reading], point: str, reader: tzinfo, texts: Texts) -> str:
    """The newest answers at a point; of those that one may not read, the figures only."""
    if not point:
        return ""
    cap, _, domain = point.partition(".")
    known = domain in set(Domain)
    subject = texts(f"domain.{domain}") if known else texts("dashboard.suite_all")
    title = texts("dashboard.behind", passes=passes(int(cap), texts), domain=subject)
    close = (
        f'<button type="button" class="small" data-do="point" data-point="">'
        f"{escape(texts('dashboard.behind_close'))}</button>"
    )
    rows = "".join(f"<li>{_reading(each, reader, texts)}</li>" for each in found)
    body = f"<ul>{rows}</ul>" if found else f"<p>{escape(texts('dashboard.behind_none'))}</p>"
    return f'<section class="behind"><h3>{escape(title)} {close}</h3>{body}</section>'


def _reading(each: Reading, reader: tzinfo, texts: Texts) -> str:
    row = each.row
    price = about(row.cost_nanos, row.currency, texts.locale)
    facts = (
        f"{escape(minute(row.created_at, reader, texts))} · {escape(texts(f'domain.{row.domain}'))}"
        f" · {money_span(price, row.cost_nanos, row.currency, texts)} · "
        f"{escape(texts(f'status.{row.status}'))}"
    )
    if each.text is None:
        return f'<p class="label">{facts}</p><p>{escape(texts("dashboard.not_yours"))}</p>'
    answer = each.text.answer or texts(f"status.{row.status}")
    return (
        f'<p class="label">{facts}</p><p class="question">{escape(each.text.question)}</p>'
        f'<p class="reply">{escape(answer)}</p>'
    )


def thumbs(answers: Sequence[AnswerRow], texts: Texts) -> str:
    """How readers liked what they got, as counts."""
    up, down = (sum(1 for a in answers if a.rating == rating) for rating in (1, -1))
    among = escape(texts("dashboard.thumbs", n=len(answers)))
    return f'<p class="thumbs">{_thumb(1, texts)} {up} {_thumb(-1, texts)} {down} · {among}</p>'


def table(answers: Sequence[AnswerRow], reader: tzinfo, texts: Texts) -> str:
    """Newest first; figures only."""
    if not answers:
        return no_spend(texts)
    heads = {column: texts(f"dashboard.column.{column}") for column in COLUMNS}
    rows = [_row(answer, reader, texts) for answer in answers]
    return f"{thumbs(answers, texts)}{parts.table(heads, rows)}"


def _budget(ceiling: Ceiling, texts: Texts) -> str:
    used = ceiling.committed_nanos + ceiling.held_nanos
    share = texts("dashboard.tile.used", percent=percent(used, ceiling.limit_nanos, texts))
    amounts = {
        "limit": (about, ceiling.limit_nanos),
        "committed": (about, ceiling.committed_nanos),
        "held": (about, ceiling.held_nanos),
        "left": (at_least, ceiling.headroom_nanos),
    }
    cells = "".join(
        f'<div class="tile {name}">'
        f'<div class="label">{escape(texts(f"dashboard.tile.{name}"))}</div><div class="value">'
        f"{money_span(say(n, ceiling.currency, texts.locale), n, ceiling.currency, texts)}"
        "</div></div>"
        for name, (say, n) in amounts.items()
    )
    return (
        f'<section class="budget-tiles"><h3>{escape(scope_name(ceiling.scope, texts))}</h3>'
        f'<div class="tiles">{cells}</div>{bar(used, ceiling.limit_nanos, share)}'
        f'<p class="note">{escape(share)}</p></section>'
    )


def _row(answer: AnswerRow, reader: tzinfo, texts: Texts) -> tuple[str, ...]:
    """In the order of `COLUMNS`."""
    status = escape(texts(f"status.{answer.status}"))
    shown = about(answer.cost_nanos, answer.currency, texts.locale)
    return (
        f'<span title="{escape(when(answer.created_at, reader, texts))}">'
        f"{escape(minute(answer.created_at, reader, texts))}</span>",
        escape(texts(f"importance.{answer.granted}")),
        escape(texts(f"domain.{answer.domain}")),
        escape(number(answer.units.nfe, texts)),
        money_span(shown, answer.cost_nanos, answer.currency, texts),
        f'<span class="status {answer.status}">{status}</span>',
        _thumb(answer.rating, texts),
    )


def _thumb(rating: int | None, texts: Texts) -> str:
    if rating not in THUMBS:
        return f'<span aria-label="{escape(texts("dashboard.unrated"))}">-</span>'
    thumb = THUMBS[rating]
    said = escape(texts(f"dashboard.rated_{thumb}"))
    return f'<span class="thumb {thumb}" role="img" title="{said}" aria-label="{said}"></span>'
