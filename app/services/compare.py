"""Compares budgets of one measurement question by question: each with the one before and the first.

Pure. They answered the same questions from the same noise, so that only the compute differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.ports import Measured, Measurement
from evaluation.stats import Difference, paired
from policies.types import Domain

Recorded = Sequence[tuple[Measurement, Sequence[Measured]]]
"""As `Measure` returns them: those of a whole suite with their rows, those of a domain without."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a measurement has over another on the same questions."""

    of: Measurement
    over: Measurement
    domain: Domain | None
    """None for the whole suite."""
    difference: Difference


def compare(found: Recorded) -> list[Comparison]:
    """Every budget with the one before it, then with the first; the whole suite, then domains."""
    whole = [(m, rows) for m, rows in found if m.domain is None]
    out = []
    for i, (of, rows) in enumerate(whole):
        for j in dict.fromkeys((i - 1, 0)):
            if 0 <= j < i:
                over, its_rows = whole[j]
                out += between(of, rows, over, its_rows)
    return out


def between(
    of: Measurement, rows: Sequence[Measured], over: Measurement, its_rows: Sequence[Measured]
) -> list[Comparison]:
    """On the questions that both have: the whole suite, then each domain of more than one."""
    first = {row.question_id: row for row in its_rows}
    pairs = [(first[row.question_id], row) for row in rows if row.question_id in first]
    domains = sorted({row.domain for _, row in pairs})
    parts: list[Domain | None] = [None, *(domains if len(domains) > 1 else ())]
    return [Comparison(of, over, part, _difference(pairs, part)) for part in parts if pairs]


def _difference(pairs: Sequence[tuple[Measured, Measured]], domain: Domain | None) -> Difference:
    mine = [pair for pair in pairs if domain is None or pair[1].domain is domain]
    return paired([a.correct for a, _ in mine], [b.correct for _, b in mine])


@dataclass(frozen=True, slots=True)
class Worth:
    """Up to which budget compute pays, for the whole suite or a domain of it."""

    domain: Domain | None
    best: Measurement
    """The last budget that is better than the best before it by an interval without zero."""
    gain: Comparison | None
    """Of the best over the first; None where no budget pays."""
    above: tuple[Comparison, ...]
    """What larger budgets have over the best: of none of them more is shown."""


def worth(found: Recorded, domain: Domain | None = None) -> Worth:
    """Walks up the budgets in their order; `found` needs at least one with rows."""
    whole = [
        (m, [row for row in rows if domain in (None, row.domain)])
        for m, rows in found
        if m.domain is None
    ]
    best, above = whole[0], list[Comparison]()
    for each in whole[1:]:
        (step,) = between(*each, *best)[:1]
        if step.difference.low > 0:
            best, above = each, []
        else:
            above.append(step)
    paid = best is not whole[0]
    gain = between(*best, *whole[0])[0] if paid else None
    return Worth(domain, best[0], gain, tuple(above))
