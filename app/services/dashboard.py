"""What the dashboard reads: quality against spend, spend against ceilings, work, use, answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from app.ports import (
    AnswerRow,
    AnswerText,
    Clock,
    Engine,
    Measured,
    Measurement,
    OpenUnitOfWork,
    PairCount,
    Queue,
    SpendPoint,
    UnitOfWork,
)
from app.ports.board import Audited, Busy, By, Month, ReviewLevel, Sampled, Spend
from app.ports.slice import Slice
from app.services.compare import Worth, worth
from app.services.reading import text_for
from evaluation.forecast import Forecast, forecast
from policies.budget import day_of
from policies.document import stored
from policies.errors import NotFound
from policies.roles import Action, Actor, require
from policies.types import Ceiling, Domain, Importance, Rung

SPEND_POINTS = 2000
NEWEST = 5000
"""Answers whose work is shown as a distribution; votes and reviews that are counted."""
LATEST, READ = 20, 10
EVERYTHING = Slice()
PARTS = 12
LOOKED_BACK = 28
"""Days that a forecast rests on."""
WATCHED = timedelta(days=7)
"""How far back the use of the device is shown."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the installation says of itself."""

    zone: tzinfo = UTC
    """Of the pilot: days are counted in it."""
    ends_on: date | None = None
    """Last day of the pilot; None where nobody set one."""
    grams_per_kwh: int | None = None
    """Carbon dioxide of the electricity used; None where nobody set it."""


@dataclass(frozen=True, slots=True)
class Energy:
    """Of the device at work, from the watts of the last calibration."""

    joules: float
    watts: float
    grams: float | None


@dataclass(frozen=True, slots=True)
class Use:
    """How long the device worked, of all the time it was there."""

    hours: Sequence[Busy]
    busy_seconds: float
    span_seconds: float
    since: datetime
    energy: Energy | None

    @property
    def idle_share(self) -> float:
        return max(0.0, 1 - self.busy_seconds / self.span_seconds)


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows, read in one transaction so that its numbers agree."""

    at: datetime
    today: str
    chosen: Slice
    currency: str
    measurements: Sequence[Measurement]
    pays: Mapping[str, Sequence[Worth]]
    """By suite, up to where compute pays on it: all of it, then each domain."""
    rungs: Mapping[Importance, Rung]
    """Of the policy in force; empty before one is."""
    ceilings: Sequence[Ceiling]
    days: Sequence[Spend]
    coming: Forecast | None
    ends_on: date | None
    by: By
    parts: Sequence[Spend]
    work: Sequence[Sampled]
    use: Use | None
    line: Queue
    """As a routine question would find it now: all who wait go before it."""
    levels: Sequence[ReviewLevel]
    votes: Sequence[PairCount]
    audited: Audited
    months: Sequence[Month]
    answers: Sequence[AnswerRow]
    points: Sequence[SpendPoint]
    """Single charges, while there is nothing else to draw: one day, and no restriction."""
    teams: Sequence[str]
    users: Sequence[str]

    @property
    def whole(self) -> bool:
        """Whether the days are all that counts against the pilot's ceiling."""
        return self.chosen == EVERYTHING


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer behind a point of a chart; its text only where this person may read it."""

    row: AnswerRow
    text: AnswerText | None


@dataclass
class Dashboard:
    engine: Engine
    uow: OpenUnitOfWork
    clock: Clock = lambda: datetime.now(UTC)
    site: Site = Site()
    _pays: tuple[object, dict[str, list[Worth]]] = field(default=(None, {}), init=False)
    """Kept as long as nothing new was measured: comparing reads every question."""

    def ceilings(self, actor: Actor) -> list[Ceiling]:
        """For the line on every page."""
        require(actor, Action.VIEW)
        with self.uow() as uow:
            return uow.ledger.ceilings_at(self.clock())

    def pulse(self, actor: Actor) -> str:
        """Another one whenever the page would show something else; one short read."""
        require(actor, Action.VIEW)
        with self.uow() as uow:
            return uow.board.pulse()

    def overview(
        self, actor: Actor, chosen: Slice = EVERYTHING, by: By = By.TEAM, cap: int | None = None
    ) -> Overview:
        """`cap` narrows the list of answers to rungs of so many evaluations a token.

        Measurements are those of the adapter that answers now; others do not compare.
        """
        require(actor, Action.VIEW)
        now = self.clock()
        today = day_of(now, self.site.zone)
        with self.uow() as uow:
            policy = uow.policies.in_force()
            ceilings, days = uow.ledger.ceilings_at(now), uow.board.days(chosen)
            teams, users = uow.board.names()
            measurements = uow.measurements.latest(self.engine.info().adapter_sha256)
            return Overview(
                at=now,
                today=today,
                chosen=chosen,
                currency=ceilings[0].currency if ceilings else "",
                measurements=measurements,
                pays=self._worth(uow, measurements),
                rungs=stored(policy.text).rungs if policy else {},
                ceilings=ceilings,
                days=days,
                coming=self._coming(days, today),
                ends_on=self.site.ends_on,
                by=by,
                parts=uow.board.totals(chosen, by, PARTS),
                work=uow.board.sample(chosen, NEWEST),
                use=self._use(uow, now),
                line=self.engine.queue(Importance.ROUTINE),
                levels=uow.board.levels(now, NEWEST),
                votes=uow.board.votes.pairs(chosen, NEWEST),
                audited=uow.board.audited(),
                months=uow.board.months(),
                answers=uow.board.latest(chosen, cap, NEWEST, LATEST),
                points=uow.spend(SPEND_POINTS) if chosen == EVERYTHING and len(days) <= 1 else [],
                teams=teams,
                users=users,
            )

    def first_day(self, days: int | None) -> str:
        """Of the latest so many days, today among them; empty for the whole pilot."""
        today = date.fromisoformat(day_of(self.clock(), self.site.zone))
        return "" if days is None else (today - timedelta(days=days - 1)).isoformat()

    def behind(self, actor: Actor, chosen: Slice, cap: int) -> list[Reading]:
        """The newest answers of rungs of so many evaluations a token, read as far as one may."""
        require(actor, Action.VIEW)
        with self.uow() as uow:
            rows = uow.board.latest(chosen, cap, NEWEST, READ)
            return [Reading(row, _text(uow, actor, row)) for row in rows]

    def _worth(
        self, uow: UnitOfWork, measurements: Sequence[Measurement]
    ) -> dict[str, list[Worth]]:
        """Of every suite whose answers were kept."""
        mark = max((m.measured_at for m in measurements), default=None)
        if self._pays[0] != (mark, len(measurements)):
            recorded = [
                pair for pair in uow.history.measured(self.engine.info().adapter_sha256) if pair[1]
            ]
            suites = dict.fromkeys(m.suite for m, _ in recorded)
            found = {
                suite: _pays([pair for pair in recorded if pair[0].suite == suite])
                for suite in suites
            }
            self._pays = ((mark, len(measurements)), found)
        return self._pays[1]

    def _coming(self, days: Sequence[Spend], today: str) -> Forecast | None:
        """To the end of the pilot, from the latest whole days; without an end a month ahead."""
        if not days:
            return None
        this = date.fromisoformat(today)
        first = max(date.fromisoformat(days[0].name), this - timedelta(days=LOOKED_BACK))
        spent = {day.name: day.nanos for day in days}
        whole = [first + timedelta(days=i) for i in range((this - first).days)]
        ahead = (self.site.ends_on - this).days if self.site.ends_on else 30
        return forecast([spent.get(day.isoformat(), 0) for day in whole], max(ahead, 0))

    def _use(self, uow: UnitOfWork, now: datetime) -> Use | None:
        hours = uow.board.busy(now - WATCHED)
        if not hours:
            return None
        since = max(hours[0].hour, now - WATCHED)
        busy = sum(hour.device_seconds for hour in hours)
        span = max((now - since).total_seconds(), 1.0)
        calibration = uow.history.calibration(self.engine.info().model)
        watts = calibration.record["rates_seconds"]["watts"] if calibration else None
        energy = None
        if watts:
            joules = busy * watts["median"]
            grams = self.site.grams_per_kwh
            energy = Energy(
                joules, watts["median"], None if grams is None else joules / 3.6e6 * grams
            )
        return Use(hours, busy, span, since, energy)


def _pays(mine: Sequence[tuple[Measurement, list[Measured]]]) -> list[Worth]:
    """On one suite: all of it, then each domain."""
    domains = sorted({row.domain for _, rows in mine for row in rows})
    parts: list[Domain | None] = [None, *domains]
    return [worth(mine, part) for part in parts] if len(mine) > 1 else []


def _text(uow: UnitOfWork, actor: Actor, row: AnswerRow) -> AnswerText | None:
    try:
        return text_for(uow, actor, row)
    except NotFound:
        return None
