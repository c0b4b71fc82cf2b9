"""What reviews are worth knowing for: rungs' quality, missed harm, and what importance costs.

Every rate has its n and a 95 % interval.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from app.ports import AuditStratum, Marked, OpenUnitOfWork, RungVerdicts
from evaluation.stats import Rate, wilson
from policies.roles import Action, Actor, require
from policies.types import Importance

IMPORTANT = (Importance.HIGH, Importance.CRITICAL)


@dataclass(frozen=True, slots=True)
class RungQuality:
    """How often answers of a rung were right as the model wrote them."""

    rung: RungVerdicts
    approved: Rate
    """Of decided answers, not of verdicts: two people who look at one answer are one case."""


@dataclass(frozen=True, slots=True)
class MissedHarm:
    """Share of the answers that went out unreviewed and would have been corrected or rejected."""

    out: int
    sampled: int
    decided: int
    harmful: int
    covered: int
    """Answers under policies of which at least one audited answer was decided; the share is of
    these, and says nothing of the others."""
    rate: Rate | None
    """None where no audited answer was decided."""


@dataclass(frozen=True, slots=True)
class Inflation:
    """A team's month: how much of what it asked was called high or critical, and its cost."""

    month: str
    """As 2026-11, in the pilot's time zone."""
    team: str
    important: Rate
    compute_nanos: int
    """Of the important ones."""
    review_nanos: int
    total_nanos: int
    """Of everything the team asked, review included."""
    currency: str


@dataclass(frozen=True)
class ReviewFigures:
    """For the dashboard. Reads only; figures and names, no text."""

    reader: OpenUnitOfWork

    def quality(self, actor: Actor) -> list[RungQuality]:
        require(actor, Action.VIEW)
        with self.reader() as uow:
            rungs = uow.review_figures.by_rung()
        return [RungQuality(rung, wilson(rung.approved, rung.decided)) for rung in rungs]

    def missed_harm(self, actor: Actor) -> MissedHarm:
        require(actor, Action.VIEW)
        with self.reader() as uow:
            strata = uow.review_figures.audit()
        return missed_harm(strata)

    def inflation(self, actor: Actor) -> list[Inflation]:
        """Oldest month first."""
        require(actor, Action.VIEW)
        with self.reader() as uow:
            marked = uow.review_figures.marked()
        return inflation(marked)


def missed_harm(strata: Sequence[AuditStratum]) -> MissedHarm:
    """Without bias: under one policy every answer is drawn with the same chance, by its id alone.

    Policies may draw different shares, so each is a stratum and counts for the answers it let out.
    The interval of several adds Wilson's half-widths in squares, as strata are independent.
    """
    known = [s for s in strata if s.decided]
    covered = sum(s.out for s in known)
    return MissedHarm(
        out=sum(s.out for s in strata),
        sampled=sum(s.sampled for s in strata),
        decided=sum(s.decided for s in strata),
        harmful=sum(s.harmful for s in strata),
        covered=covered,
        rate=_stratified(known, covered) if known else None,
    )


def _stratified(known: Sequence[AuditStratum], covered: int) -> Rate:
    value = centre = square = 0.0
    for stratum in known:
        share, rate = stratum.out / covered, wilson(stratum.harmful, stratum.decided)
        value += share * rate.value
        centre += share * (rate.low + rate.high) / 2
        square += (share * (rate.high - rate.low) / 2) ** 2
    low, high = max(0.0, centre - sqrt(square)), min(1.0, centre + sqrt(square))
    return Rate(value, min(low, value), max(high, value), sum(s.decided for s in known))


def inflation(marked: Sequence[Marked]) -> list[Inflation]:
    """A team without an answer in a month has no share to speak of and is left out."""
    months: defaultdict[tuple[str, str, str], list[Marked]] = defaultdict(list)
    for each in marked:
        months[each.month, each.team, each.currency].append(each)
    found = []
    for (month, team, currency), rows in sorted(months.items()):
        important = [row for row in rows if row.importance in IMPORTANT]
        asked = sum(row.answers for row in rows)
        if asked:
            share = wilson(sum(row.answers for row in important), asked)
            compute = sum(row.compute_nanos for row in important)
            review = sum(row.review_nanos for row in important)
            total = sum(row.compute_nanos + row.review_nanos for row in rows)
            found.append(Inflation(month, team, share, compute, review, total, currency))
    return found
