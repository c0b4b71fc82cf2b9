"""A policy being written: its faults with their places, what it changes, what a trial says."""

from collections.abc import Sequence
from html import escape

from babel.numbers import format_decimal, format_percent

from app.i18n import Texts
from app.money import about
from app.presenters.fault_words import problem
from app.presenters.parts import empty, fact, money_span, number, table
from app.presenters.policy_changes import diff
from app.services.drafts import Checked
from app.services.simulate import MeasuredMove, Simulated
from policies.types import Rung, Solver
from policies.written import Fault

MINUS = "\N{MINUS SIGN}"
SHOWN = 20
"""Faults and moves, the first."""
DAYS = (7, 30, 90, 365)


def heading(texts: Texts) -> str:
    return _heading("draft.title", "draft.title_lead", texts)


def checked(found: Checked, texts: Texts) -> str:
    """Faults, or what would change; read out by screen readers as it changes."""
    if found.faults:
        return _faults(found.faults, texts)
    assert found.policy is not None
    said = escape(texts("draft.valid", version=found.policy.version))
    return (
        f'<div role="status"><p><span class="mark good">{escape(texts("draft.good"))}</span> '
        f"{said}</p>{diff(found.changes, texts)}</div>"
    )


def days(texts: Texts) -> list[tuple[str, int]]:
    return [(texts("draft.days", n=n), n) for n in DAYS]


def trial(found: Simulated, texts: Texts) -> str:
    """Cost and quality before and after; how sure each is stands beside it."""
    r = found.replay
    if not r.queries:
        return empty(texts("trial.none"), texts("trial.none_do"))
    facts = (
        _cost(found, texts),
        _quality(found, texts),
        _counts("refused", r.refused_before, r.refused_after, texts),
        _counts("reviewed", r.reviewed_before, r.reviewed_after, texts),
    )
    said = [
        texts("trial.newest" if found.cut else "trial.queries", n=number(r.queries, texts)),
        texts("trial.raised", n=number(r.raised, texts)),
        texts("trial.stepped_down", n=number(r.stepped_down, texts)),
        *(
            texts(f"trial.basis.{basis}", n=number(n, texts))
            for basis, n in sorted(r.by_basis.items())
        ),
    ]
    notes = "".join(f"<li>{escape(line)}</li>" for line in said)
    return (
        f"{_heading('trial.title', 'trial.title_lead', texts)}"
        f'<div class="facts">{"".join(facts)}</div><ul class="note plain-list">{notes}</ul>'
        f"{_moves(found.quality.moves, texts)}"
    )


def _heading(title: str, lead: str, texts: Texts) -> str:
    return f'<h2>{escape(texts(title))}</h2><p class="lead">{escape(texts(lead))}</p>'


def _faults(found: Sequence[Fault], texts: Texts) -> str:
    items = "".join(_fault(fault, texts) for fault in found[:SHOWN])
    more = len(found) - SHOWN
    rest = f'<p class="note">{escape(texts("draft.more", n=more))}</p>' if more > 0 else ""
    count = escape(texts("draft.faults", n=number(len(found), texts)))
    return f'<div role="status"><p>{count}</p><ul class="items">{items}</ul>{rest}</div>'


def _fault(fault: Fault, texts: Texts) -> str:
    place = texts("draft.line", line=fault.line) if fault.line else texts("draft.whole")
    field = f"<code>{escape(fault.field)}</code> " if fault.field else ""
    got = (
        f'<p class="note">{escape(texts("draft.got"))} <code>{escape(fault.got)}</code></p>'
        if fault.got
        else ""
    )
    said, original = problem(fault.problem, texts)
    aside = f'<p class="note" lang="en">{escape(original)}</p>' if original else ""
    return (
        f'<li class="item"><span class="mark fault">{escape(place)}</span><div>'
        f"<p>{field}{escape(said)}</p>{aside}{got}</div></li>"
    )


def _cost(found: Simulated, texts: Texts) -> str:
    r, currency = found.replay, found.currency
    before = about(r.cost_before, currency, texts.locale)
    after = about(r.cost_after, currency, texts.locale)
    value = money_span(after, r.cost_after, currency, texts)
    change = ""
    if r.cost_before:
        share = (r.cost_after - r.cost_before) / r.cost_before  # for display only
        change = _signed(str(format_percent(share, "#,##0%", locale=texts.locale)), share)
    was = texts("trial.was", before=before)
    return fact(texts("trial.cost"), f"{value} <small>{escape(change)}</small>", escape(was))


def _quality(found: Simulated, texts: Texts) -> str:
    q = found.quality
    if q.gain is None or q.low is None or q.high is None:
        key = "trial.unmoved" if not q.unmeasured else "trial.unmeasured"
        words = texts(key, n=number(q.unmeasured, texts))
        return fact(texts("trial.quality"), escape(texts("trial.unknown")), escape(words))
    sure = texts("trial.interval", low=_points(q.low, texts), high=_points(q.high, texts))
    of = texts("trial.of_moved", n=number(q.measured, texts), rest=number(q.unmeasured, texts))
    value = escape(texts("trial.points", points=_points(q.gain, texts)))
    return fact(texts("trial.quality"), value, escape(sure), escape(of))


def _counts(name: str, before: int, after: int, texts: Texts) -> str:
    was = texts("trial.was", before=number(before, texts))
    return fact(texts(f"trial.{name}"), escape(number(after, texts)), escape(was))


def _moves(found: Sequence[MeasuredMove], texts: Texts) -> str:
    if not found:
        return ""
    heads = {
        c: texts(f"trial.column.{c}") for c in ("domain", "queries", "before", "after", "gain")
    }
    rows = [
        (
            escape(texts(f"domain.{each.move.domain}")),
            escape(number(each.queries, texts)),
            escape(_rung(each.move.before, texts)),
            escape(_rung(each.move.after, texts)),
            escape(_gain(each, texts)),
        )
        for each in found[:SHOWN]
    ]
    return table(heads, rows)


def _gain(each: MeasuredMove, texts: Texts) -> str:
    d = each.difference
    if d is None:
        return texts("trial.not_measured")
    return texts(
        "trial.gain",
        points=_points(d.value, texts),
        low=_points(d.low, texts),
        high=_points(d.high, texts),
        n=number(d.n, texts),
    )


def _rung(rung: Rung, texts: Texts) -> str:
    if rung.solver is Solver.BASE:
        return texts("policy.passes_none")
    said = [texts("policy.passes_up_to", passes=number(rung.max_nfe_per_token, texts))]
    if rung.checked:
        said.append(texts("policy.field.checked"))
    if rung.gate is not None:
        said.append(texts("policy.field.gate"))
    if rung.steady is not None:
        said.append(texts("policy.field.steady"))
    return texts("list.join").join(said)


def _points(share: float, texts: Texts) -> str:
    """Percentage points with their sign."""
    shown = str(format_decimal(abs(round(100 * share, 1)), "#,##0.0", locale=texts.locale))
    return _signed(shown, share) if share >= 0 else f"{MINUS}{shown}"


def _signed(shown: str, value: float) -> str:
    return f"+{shown}" if value > 0 else shown.replace("-", MINUS)
