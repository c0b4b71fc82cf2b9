"""What the charts of the dashboard come to, in words and numbers with their intervals."""

from collections.abc import Sequence
from html import escape

from app.i18n import Texts
from app.money import about
from app.ports.board import Audited, Month, ReviewLevel, Sampled
from app.presenters.parts import duration, fact, number, passes, percent, share
from app.services.compare import Comparison, Worth
from app.services.dashboard import Overview, Use
from evaluation.forecast import days_until
from evaluation.stats import Rate, wilson
from policies.types import Importance

KWH_JOULES = 3_600_000
FINE = 10**9
"""A share in parts so small that only all of it is shown as 100 %."""
MINUS = "\N{MINUS SIGN}"
MARKED = (Importance.HIGH, Importance.CRITICAL)


def pays(found: Sequence[Worth], texts: Texts) -> str:
    """Up to where compute pays in a sentence; by domain and with every difference on demand."""
    if not found:
        return ""
    whole = next((each for each in found if each.domain is None), found[0])
    items = "".join(f"<li>{escape(_worth(each, texts))}</li>" for each in found)
    label = escape(texts("facts.pays"))
    return (
        f'<p class="gain">{escape(_in_short(whole, texts))}</p>'
        f'<details class="quiet"><summary>{escape(texts("facts.pays_more"))}</summary>'
        f'<ul class="pays" aria-label="{label}">{items}</ul></details>'
    )


def coming(overview: Overview, texts: Texts) -> str:
    """Where spend leads by the end, and when the limit would be reached at the pace of late."""
    found, currency = overview.coming, overview.currency
    if found is None:
        return f'<p class="note">{escape(texts("facts.too_few_days"))}</p>' if overview.days else ""
    spent = sum(day.nanos for day in overview.days)
    low, middle, high = (
        about(spent + n, currency, texts.locale)
        for n in (found.low_nanos, found.nanos, found.high_nanos)
    )
    key = "facts.forecast_end" if overview.ends_on else "facts.forecast_month"
    lines = [texts(key, total=middle, low=low, high=high, days=found.n, ahead=found.ahead)]
    pilot = next((c for c in overview.ceilings if c.scope == "pilot"), None)
    if pilot:
        left = days_until(pilot.headroom_nanos, found.daily_nanos)
        if left is not None:
            daily = about(found.daily_nanos, currency, texts.locale)
            key = "facts.limit_in" if left <= found.ahead else "facts.limit_safe"
            lines.append(texts(key, days=number(left, texts), daily=daily))
    return "".join(f'<p class="note">{escape(line)}</p>' for line in lines)


def saved(answers: Sequence[Sampled], texts: Texts) -> str:
    """What ending early (adaptive, steady, gated) left undone of the passes planned."""
    refined = [a for a in answers if a.grid and a.units.decode_tokens]
    if not refined:
        return ""
    used = sum(a.units.nfe for a in refined)
    allowed = _allowed(refined)
    rows = "".join(
        f"<li>{escape(_saved_by(importance, refined, texts))}</li>"
        for importance in Importance
        if any(a.granted is importance for a in refined)
    )
    said = texts(
        "facts.saved",
        share=percent(allowed - used, allowed, texts),
        used=number(used, texts),
        allowed=number(allowed, texts),
        n=number(len(refined), texts),
    )
    return f'<p class="note">{escape(said)}</p><ul class="pays">{rows}</ul>'


def usage(found: Use, texts: Texts) -> str:
    """Busy of allotted, idle share; energy and carbon where they are known."""
    idle = texts("facts.idle", span=duration(found.span_seconds, texts))
    tiles = [
        fact(
            texts("facts.idle_share"),
            escape(percent(round(found.idle_share * FINE), FINE, texts)),
            escape(idle),
        ),
        fact(texts("facts.busy"), escape(duration(found.busy_seconds, texts))),
    ]
    if energy := found.energy:
        kwh = texts("unit.kwh", n=_significant(energy.joules / KWH_JOULES))
        source = texts("facts.watts", watts=_significant(energy.watts))
        tiles.append(fact(texts("facts.energy"), escape(kwh), escape(source)))
        if energy.grams is not None:
            grams = texts("unit.grams", n=_significant(energy.grams))
            tiles.append(
                fact(texts("facts.carbon"), escape(grams), escape(texts("facts.carbon_of")))
            )
    note = "" if found.energy else f'<p class="note">{escape(texts("facts.no_energy"))}</p>'
    return f'<div class="facts">{"".join(tiles)}</div>{note}'


def reviewed(
    levels: Sequence[ReviewLevel], audited: Audited, months: Sequence[Month], texts: Texts
) -> str:
    """What people found: approved as written by importance, random audit, importance over time."""
    cells = [_approved(each, texts) for each in levels if each.took_seconds]
    if audited.decided:
        rate = wilson(audited.harmful, audited.decided)
        value = share(rate.value, texts)
        cells.append(fact(texts("facts.audit"), escape(value), escape(_interval(rate, texts))))
    inflation = _inflation(months, texts)
    body = f'<div class="facts">{"".join(cells)}</div>' if cells else ""
    if not body and not inflation:
        return f'<p class="note">{escape(texts("facts.no_review"))}</p>'
    nothing = "" if cells else f'<p class="note">{escape(texts("facts.no_review"))}</p>'
    return body + nothing + inflation


def liked(answers: Sequence[Sampled], texts: Texts) -> str:
    """How many of those who rated found their answer useful, by importance."""
    cells = []
    for importance in Importance:
        rated = [a.rating for a in answers if a.granted is importance and a.rating]
        if rated:
            rate = wilson(rated.count(1), len(rated))
            name = texts("facts.useful", importance=texts(f"importance.{importance}"))
            cells.append(
                fact(name, escape(share(rate.value, texts)), escape(_interval(rate, texts)))
            )
    return f'<div class="facts">{"".join(cells)}</div>' if cells else ""


def _approved(each: ReviewLevel, texts: Texts) -> str:
    rate = wilson(each.approved, len(each.took_seconds))
    name = texts("facts.approved", importance=texts(f"importance.{each.importance}"))
    return fact(name, escape(share(rate.value, texts)), escape(_interval(rate, texts)))


def _inflation(months: Sequence[Month], texts: Texts) -> str:
    """The share answered at high or critical, the first month against the last."""
    names = sorted({m.month for m in months})
    if not names:
        return ""
    lines = []
    for name in (names[0], names[-1]) if len(names) > 1 else names:
        mine = [m for m in months if m.month == name]
        high = [m for m in mine if m.importance in MARKED]
        answers, total = sum(m.answers for m in high), sum(m.answers for m in mine)
        money, paid = sum(m.nanos for m in high), sum(m.nanos for m in mine)
        lines.append(
            texts(
                "facts.inflation",
                month=name,
                share=percent(answers, total, texts),
                money=percent(money, paid, texts),
                n=number(total, texts),
            )
        )
    return "".join(f'<p class="note">{escape(line)}</p>' for line in lines)


def _allowed(refined: Sequence[Sampled]) -> int:
    """What the grids would have taken; a stopped answer also paid for a word it did not write."""
    return sum(a.grid * max(a.units.decode_tokens, -(-a.units.nfe // a.grid)) for a in refined)


def _saved_by(importance: Importance, refined: Sequence[Sampled], texts: Texts) -> str:
    mine = [a for a in refined if a.granted is importance]
    used = sum(a.units.nfe for a in mine)
    allowed = _allowed(mine)
    return texts(
        "facts.saved_by",
        importance=texts(f"importance.{importance}"),
        share=percent(allowed - used, allowed, texts),
        n=number(len(mine), texts),
    )


def _in_short(each: Worth, texts: Texts) -> str:
    if each.gain is None:
        return texts("facts.short_nowhere")
    value = f"{100 * each.gain.difference.value:+.0f}".replace("-", MINUS)
    said = texts("facts.short_to", passes=passes(each.best.budget, texts), gain=value)
    return f"{said} {texts('facts.short_not_above')}" if each.above else said


def _worth(each: Worth, texts: Texts) -> str:
    where = texts(f"domain.{each.domain}") if each.domain else texts("dashboard.suite_all")
    if each.gain is None:
        return texts("facts.pays_nowhere", domain=where, above=_above(each.above, texts))
    said = texts(
        "facts.pays_to",
        domain=where,
        passes=passes(each.best.budget, texts),
        gain=_points(each.gain, texts),
        n=number(each.gain.difference.n, texts),
    )
    if not each.above:
        return said
    return f"{said} {texts('facts.not_above', above=_above(each.above, texts))}"


def _above(found: Sequence[Comparison], texts: Texts) -> str:
    return texts("list.join").join(
        texts("facts.at", passes=number(c.of.budget, texts), gain=_points(c, texts)) for c in found
    )


def _points(found: Comparison, texts: Texts) -> str:
    """A paired difference in points, with its interval."""
    value, low, high = (
        f"{100 * x:+.1f}".replace("-", MINUS)
        for x in (found.difference.value, found.difference.low, found.difference.high)
    )
    return texts("facts.points", value=value, low=low, high=high)


def _interval(rate: Rate, texts: Texts) -> str:
    low, high, n = rate.low, rate.high, rate.n
    return texts(
        "facts.interval", low=share(low, texts), high=share(high, texts), n=number(n, texts)
    )


def _significant(value: float) -> str:
    return f"{value:.3g}"
