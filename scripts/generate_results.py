"""Writes docs/results.md and its charts from recorded measurements; no figure is typed by hand.

docs/results/page.yaml says which recorded files stand where and what measures them again. Where the
interval of a difference holds zero, the page says so: "not here".
Usage: python -m scripts.generate_results
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from app import recorded
from app.money import about
from app.ports import Measured, Measurement
from app.services.compare import Comparison, Worth, between, compare, worth
from app.services.spent import command
from evaluation.stats import Difference, Rate
from policies.errors import InvalidInput
from policies.types import Domain
from scripts.charts import Line, chart

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results" / "page.yaml"
LOCALE = "en_US"
Found = list[tuple[Measurement, list[Measured]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One measurement of a recorded file, as a table names it."""

    label: str
    file: str
    budget: int | None = None
    """Of several in the file; without it the last one."""
    suite: str = ""
    """Of several in the file; without it the first one."""
    command: str = ""
    """What measures it again; of `evaluate` it is known from the record."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what is said, and a curve of one file or a comparison of several."""

    title: str
    text: str = ""
    curve: Entry | None = None
    over: Entry | None = None
    """What the others are compared with."""
    others: tuple[Entry, ...] = field(default=())


def main() -> int:
    """Writes the page and its charts; prints their names."""
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"docs/{name}\n")
    return 0


def pages(page: Path = PAGE, root: Path = ROOT) -> dict[str, str]:
    """Text of the page and of each chart, by its name in docs/. Raises InvalidInput."""
    values = yaml.safe_load(page.read_text(encoding="utf-8"))
    parts, out = [f"# {values['title']}", values["intro"].strip(), _NOTE], dict[str, str]()
    for number, section in enumerate(map(_section, values["sections"]), start=1):
        parts += [f"## {section.title}", section.text.strip()]
        if section.curve:
            found = _read(section.curve, root)
            name = f"results/{number}.svg"
            out[name] = _curve_chart(section.title, found)
            parts += [f"![{section.title}]({name})", *_curve(found, section.curve)]
        if section.over:
            parts += _compared(section.over, section.others, root)
    return {"results.md": "\n\n".join(part for part in parts if part) + "\n"} | out


_NOTE = """Accuracy is followed by its 95 % interval (Wilson). A difference is between answers to
the same questions, in points, with its 95 % interval (Bonett and Price, paired); *not shown* means
that this interval holds zero. Cost is that of an answer at list price. This page is generated from
recorded answers: `python -m scripts.generate_results`. With another adapter
`python -m scripts.record_results` records them anew, a curve at a time."""


def entries(values: dict[str, Any]) -> Iterator[Entry]:
    """All that a page names, in its order."""
    for section in map(_section, values["sections"]):
        yield from (each for each in (section.curve, section.over, *section.others) if each)


def _section(values: dict[str, Any]) -> Section:
    return Section(
        title=values["title"],
        text=values.get("text", ""),
        curve=Entry(label="", **values["curve"]) if "curve" in values else None,
        over=Entry(**values["over"]) if "over" in values else None,
        others=tuple(Entry(**other) for other in values.get("others", ())),
    )


def _read(entry: Entry, root: Path) -> Found:
    """The measurements of one suite of a file."""
    found = recorded.read(root / entry.file)
    suite = entry.suite or found[0][0].suite
    mine = [(m, rows) for m, rows in found if m.suite == suite]
    if not mine:
        known = ", ".join(dict.fromkeys(m.suite for m, _ in found))
        raise InvalidInput(f"{entry.file} has no suite {suite!r}; it has {known}")
    return mine


# --- a curve --------------------------------------------------------------------------------------


def _curve(found: Found, entry: Entry) -> list[str]:
    domains = [None, *dict.fromkeys(m.domain for m, _ in found if m.domain)]
    last = found[-1][0]
    about_it = (
        f"Suite `{last.suite}`, {max(m.n for m, _ in found)} questions, seed {last.seed}, adapter "
        f"`{last.adapter_sha256[:12]}`, {last.measured_at:%Y-%m-%d}: "
        f"`{entry.command or command([m for m, _ in found])}`"
    )
    compared = compare(found)
    tables = [_table(found, compared, domain) for domain in domains]
    said = [_verdict(worth(found, domain)) for domain in domains]
    return [about_it, tables[0], "\n".join(f"- {line}" for line in said), *tables[1:]]


def _table(found: Found, compared: Sequence[Comparison], domain: Domain | None) -> str:
    lines = [
        f"| {_name(domain)}: evaluations | accuracy | an answer | over the one before | over the "
        "first |",
        "|---|---|---|---|---|",
    ]
    first = next(m for m, _ in found)
    for m in (m for m, _ in found if m.domain is domain):
        mine = {
            c.over.budget: c.difference for c in compared if c.domain is domain and _same(c.of, m)
        }
        before = [d for budget, d in mine.items() if budget != first.budget] or list(mine.values())
        whole = mine.get(first.budget)
        lines.append(
            f"| {_budget(m)} | {_rate(_rate_of(m))} | "
            f"{about(m.cost_nanos_per_answer, m.currency, LOCALE)} | "
            f"{_difference(before[0]) if before else ''} | {_difference(whole) if whole else ''} |"
        )
    return "\n".join(lines)


def _verdict(w: Worth) -> str:
    name, best = f"**{_name(w.domain)}**", w.best
    if w.gain is None:
        why = "; ".join(f"{_budget(c.of)}: {_difference(c.difference)}" for c in w.above)
        return f"{name}: not here. No budget is better than the first ({why})."
    paid = f"{name}: compute pays up to {_budget(best)} ({_difference(w.gain.difference)})."
    if not w.above:
        return paid
    why = "; ".join(f"{_budget(c.of)}: {_difference(c.difference)}" for c in w.above)
    return f"{paid} Above that, not here ({why})."


def _curve_chart(title: str, found: Found) -> str:
    whole = [m for m, _ in found if m.domain is None]
    domains = [None, *dict.fromkeys(m.domain for m, _ in found if m.domain)]
    lines = []
    for domain in domains:
        mine = [m for m, _ in found if m.domain is domain]
        at = {_budget(m): _rate_of(m) for m in mine}
        lines.append(Line(_name(domain), [at.get(_budget(m)) for m in whole]))
    return chart(title, [_budget(m) for m in whole], "evaluations a token, at most", lines)


# --- a comparison ---------------------------------------------------------------------------------


def _compared(over: Entry, others: Sequence[Entry], root: Path) -> list[str]:
    first, its_rows, its_command = _one(over, root)
    lines = [
        f"| | accuracy | an answer | {over.label} has over it |",
        "|---|---|---|---|",
        f"| {over.label} | {_rate(_rate_of(first))} | "
        f"{about(first.cost_nanos_per_answer, first.currency, LOCALE)} | |",
    ]
    commands, parts = [f"- {over.label}: `{its_command}`"], list[str]()
    for entry in others:
        m, rows, its_command = _one(entry, root)
        compared = between(first, its_rows, m, rows)
        if not compared:
            raise InvalidInput(f"{entry.file} and {over.file} have no question in common")
        whole, *by_domain = compared
        lines.append(
            f"| {entry.label} | {_rate(_rate_of(m))} | "
            f"{about(m.cost_nanos_per_answer, m.currency, LOCALE)} | "
            f"{_difference(whole.difference)} (n = {whole.difference.n}) |"
        )
        domains = "; ".join(f"{_name(c.domain)} {_difference(c.difference)}" for c in by_domain)
        parts.append(f"- over {entry.label}: {domains}" if domains else "")
        commands.append(f"- {entry.label}: `{its_command}`")
    return ["\n".join(lines), "\n".join(p for p in parts if p), "\n".join(commands)]


def _one(entry: Entry, root: Path) -> tuple[Measurement, list[Measured], str]:
    whole = [(m, rows) for m, rows in _read(entry, root) if m.domain is None]
    mine = [(m, rows) for m, rows in whole if entry.budget in (None, m.budget)]
    if not mine:
        known = ", ".join(_budget(m) for m, _ in whole)
        raise InvalidInput(f"{entry.file} has no budget {entry.budget}; it has {known}")
    return *mine[-1], entry.command or command([mine[-1][0]])


# --- words ----------------------------------------------------------------------------------------


def _same(a: Measurement, b: Measurement) -> bool:
    return (a.budget, a.importance) == (b.budget, b.importance)


def _rate_of(m: Measurement) -> Rate:
    return Rate(m.accuracy, m.ci_low, m.ci_high, m.n)


def _rate(rate: Rate) -> str:
    return f"{rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _difference(d: Difference) -> str:
    shown = "" if d.shown else ", not shown"
    return f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]{shown}"


def _budget(m: Measurement) -> str:
    return f"{m.importance.value} ({m.budget})" if m.importance else str(m.budget)


def _name(domain: Domain | None) -> str:
    return domain.value if domain else "all"


if __name__ == "__main__":
    sys.exit(main())
