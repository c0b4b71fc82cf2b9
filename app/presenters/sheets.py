"""Every chart of the dashboard as rows: the same figures, to the last digit."""

from collections.abc import Sequence
from itertools import accumulate

from app.i18n import Texts
from app.ports import Measurement
from app.ports.board import Busy, By, Sampled, Spend
from app.presenters.parts import taken
from app.presenters.sheet import Cell, Sheet
from policies.types import Importance


def quality(measurements: Sequence[Measurement], texts: Texts) -> Sheet:
    rows: list[list[Cell]] = [
        [
            m.suite,
            texts(f"domain.{m.domain}") if m.domain else texts("dashboard.suite_all"),
            m.budget,
            round(m.accuracy, 4),
            round(m.ci_low, 4),
            round(m.ci_high, 4),
            m.n,
            m.cost_nanos_per_answer,
            m.currency,
        ]
        for m in sorted(
            measurements, key=lambda m: (m.domain is not None, m.domain or "", m.budget)
        )
    ]
    columns = ("suite", "domain", "cap", "accuracy", "low", "high", "n", "nanos_each", "currency")
    return Sheet("quality", _worded(columns, texts), rows)


def spend(days: Sequence[Spend], currency: str, texts: Texts) -> Sheet:
    totals = accumulate(day.nanos for day in days)
    rows: list[list[Cell]] = [
        [day.name, day.answers, day.nanos, total, currency]
        for day, total in zip(days, totals, strict=True)
    ]
    return Sheet("spend", _worded(("day", "answers", "nanos", "total", "currency"), texts), rows)


def parts(found: Sequence[Spend], by: By, currency: str, texts: Texts) -> Sheet:
    rows: list[list[Cell]] = [
        [name, each.answers, each.units.nfe, each.units.decode_tokens, each.nanos, currency]
        for each, name in zip(found, names(found, by, texts), strict=True)
    ]
    columns = (by.value, "answers", "passes", "words", "nanos", "currency")
    return Sheet(f"spend-by-{by}", _worded(columns, texts), rows)


def names(found: Sequence[Spend], by: By, texts: Texts) -> list[str]:
    """Importances and domains in the reader's words; teams and users as they are called."""
    if by in (By.TEAM, By.USER):
        return [each.name for each in found]
    return [texts(f"{by}.{each.name}") for each in found]


def work(answers: Sequence[Sampled], texts: Texts) -> Sheet:
    rows: list[list[Cell]] = []
    for importance in Importance:
        mine = [a for a in answers if a.granted is importance and a.units.decode_tokens]
        used = [taken(a.units) for a in mine]
        for passes in sorted(set(used)):
            whole = passes == passes.to_integral_value()
            cell = int(passes) if whole else float(passes)
            rows.append([texts(f"importance.{importance}"), cell, used.count(passes)])
    return Sheet("work", _worded(("importance", "passes_word", "answers"), texts), rows)


def use(hours: Sequence[Busy], texts: Texts) -> Sheet:
    rows: list[list[Cell]] = [
        [hour.hour.isoformat(), round(hour.device_seconds, 3), hour.answers] for hour in hours
    ]
    return Sheet("use", _worded(("hour", "device_seconds", "answers"), texts), rows)


def _worded(columns: Sequence[str], texts: Texts) -> list[str]:
    return [texts(f"sheet.column.{column}") for column in columns]
