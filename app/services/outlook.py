"""What each importance may be expected to bring: how long it takes and how often it is right.

Measured, with intervals, or not said. Times are those of the newest answers here; accuracy is
that of the largest question set at the same cap of evaluations, in the question's own domain,
compared question by question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import quantiles

from app.ports import AnswerStatus, Clock, Engine, Measured, Measurement, OpenUnitOfWork
from app.ports.board import Sampled
from app.ports.slice import Slice
from app.services.compare import worth
from app.services.policy import in_force
from evaluation.stats import wilson
from policies.document import Policy
from policies.types import Domain, Importance, Rung

LOOKED_AT = 2000
"""Newest answers that times are taken from."""
FEWEST = 5
KEPT = timedelta(seconds=30)
"""How long an outlook is shown before it is read anew."""
Recorded = Sequence[tuple[Measurement, Sequence[Measured]]]


@dataclass(frozen=True, slots=True)
class Takes:
    """Seconds from sending to the end: the median of n, and where the middle 80 % lie."""

    seconds: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Look:
    takes: Takes | None = None
    measured: Measurement | None = None
    """On the largest question set, at this cap; None where nobody measured it."""
    no_better_than: Importance | None = None
    """A cheaper importance over which no gain was shown."""


Looks = Mapping[Importance, Look]


@dataclass
class Outlook:
    engine: Engine
    reader: OpenUnitOfWork
    policy: Policy
    """Until one is activated."""
    clock: Clock
    _last: tuple[datetime, Mapping[Domain, Looks]] | None = field(default=None, init=False)

    def __call__(self, domain: Domain = Domain.GENERAL) -> Looks:
        """For every importance of the policy in force, on questions of this domain.

        Where a domain has no questions of its own in the set, all of the set stand for it.
        """
        now, last = self.clock(), self._last
        if last is not None and now - last[0] < KEPT:
            return last[1][domain]
        with self.reader() as uow:
            rungs = in_force(uow, self.policy).rungs
            newest = uow.board.sample(Slice(), LOOKED_AT)
            recorded = uow.history.measured(self.engine.info().adapter_sha256)
        largest = _largest(recorded, rungs)
        found = {d: _looks(rungs, newest, _within(largest, d)) for d in Domain}
        self._last = now, found
        return found[domain]


def _looks(
    rungs: Mapping[Importance, Rung], newest: Sequence[Sampled], recorded: Recorded
) -> dict[Importance, Look]:
    return {
        importance: Look(
            takes([s for s in newest if s.granted is importance and s.cap == cap]),
            next((m for m, _ in recorded if _spent_like(m, rung)), None),
            _no_better(rungs, importance, recorded),
        )
        for importance, rung in rungs.items()
        for cap in [rung.max_nfe_per_token]
    }


def takes(answers: Sequence[Sampled]) -> Takes | None:
    """Of those that were written to their end; None for fewer than five."""
    took = sorted(
        s.seconds for s in answers if s.seconds is not None and s.status is AnswerStatus.RELEASED
    )
    if len(took) < FEWEST:
        return None
    tenths = quantiles(took, n=10, method="inclusive")
    return Takes(tenths[4], tenths[0], tenths[8], len(took))


def _largest(recorded: Recorded, rungs: Mapping[Importance, Rung]) -> Recorded:
    """The measurements of the suite with the most questions, by budget; of several the one that
    spends its evaluations as more of the rungs do."""
    if not recorded:
        return []

    def rank(one: Measurement) -> tuple[int, int]:
        mine = [m for m, _ in recorded if m.suite == one.suite]
        return one.n, sum(any(_spent_like(m, rung) for m in mine) for rung in rungs.values())

    suite = max((m for m, _ in recorded), key=rank).suite
    return sorted((r for r in recorded if r[0].suite == suite), key=lambda r: r[0].budget)


def _within(recorded: Recorded, domain: Domain) -> Recorded:
    """The same of this domain's questions alone, where there are any."""
    found = []
    for m, rows in recorded:
        mine = [row for row in rows if row.domain is domain]
        if not mine:
            return recorded
        rate = wilson(sum(row.correct for row in mine), len(mine))
        found.append(
            (replace(m, accuracy=rate.value, ci_low=rate.low, ci_high=rate.high, n=rate.n), mine)
        )
    return found


def _spent_like(measurement: Measurement, rung: Rung) -> bool:
    """The same cap, spent the same way; with one evaluation there is one way."""
    cap = rung.max_nfe_per_token
    alike = cap < 2 or rung.checked == ("--checked" in measurement.suite)
    return measurement.budget == cap and alike


def _no_better(
    rungs: Mapping[Importance, Rung], importance: Importance, recorded: Recorded
) -> Importance | None:
    """The cheapest importance that buys the last budget that pays, where this one lies above it."""
    rung = rungs[importance]
    if not all(rows for _, rows in recorded) or not any(_spent_like(m, rung) for m, _ in recorded):
        return None
    best = worth(recorded).best.budget
    if rung.max_nfe_per_token <= best:
        return None
    caps = {i: rungs[i].max_nfe_per_token for i in rungs}
    return next((i for i in rungs if best <= caps[i] < rung.max_nfe_per_token), None)
