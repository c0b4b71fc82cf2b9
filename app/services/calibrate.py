"""Measures what a unit takes on this machine, and what list and meter say of the same time."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.ports import AuditEvent, Calibration, Clock, Engine, Job, Metered, OpenUnitOfWork
from policies.calibrate import DeviceCost, Rates, Round, Timed, price_list, rates
from policies.errors import InvalidInput
from policies.reconcile import Reconciliation, reconcile
from policies.roles import Action, Actor, require
from policies.types import Domain, Plan, PriceList, Rung, Solver

SHORT = "Tell a long story about a village by the sea, the people in it and what they do all year."
LONG = SHORT + " It has fishers, bakers, teachers and a doctor, and everyone knows everyone." * 20
FEW = 4
"""Tokens of the shortest run."""
PASSES = 15
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any pilot."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Rates, the price list that follows from them, and all that was the case meanwhile."""

    rates: Rates
    prices: PriceList
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A time span with what was metered in it; `watts` of the calibration, where it has any."""

    since: datetime
    until: datetime
    metered: Metered
    result: Reconciliation
    watts: float | None


@dataclass(frozen=True)
class Calibrate:
    engine: Engine
    uow: OpenUnitOfWork
    clock: Clock
    joules: Callable[[], float | None]
    cost: DeviceCost

    def __call__(
        self,
        actor: Actor,
        repeats: int,
        tokens: int,
        version: str,
        currency: str,
        since: datetime,
        conditions: Callable[[], Mapping[str, Any]],
        progress: Progress = lambda _done, _of: None,
    ) -> Calibrated:
        """One warm-up, then rounds of four runs, one at a time; stored with its conditions.

        `conditions` is asked before and after, so that a machine busy with other work shows.
        """
        require(actor, Action.MEASURE)
        if not 1 <= repeats <= 100 or not FEW < tokens <= 512:
            raise InvalidInput(
                f"repeats are from 1 to 100 and tokens from {FEW + 1} to 512, got {repeats} and "
                f"{tokens}"
            )
        self._round(tokens)
        before, rounds = conditions(), []
        for i in range(repeats):
            rounds.append(self._round(tokens))
            progress(i + 1, repeats)
        found, info = rates(rounds), self.engine.info()
        prices = price_list(found, self.cost, version, currency, info.model, since)
        record = {
            "rates_seconds": asdict(found),
            "prices": asdict(prices) | {"valid_from": since.isoformat()},
            "device_cost": asdict(self.cost),
            "repeats": repeats,
            "tokens": tokens,
            "precision": info.precision,
            "conditions": {"before": before, "after": conditions()},
        }
        calibration = Calibration(info.model, info.device, self.clock(), record)
        with self.uow() as uow:
            uow.history.add_calibration(calibration)
            details = {"device": info.device, "prices": version}
            uow.audit.append(
                AuditEvent(
                    actor.user, "price.calibrate", info.model, details, calibration.measured_at
                )
            )
            uow.commit()
        return Calibrated(found, prices, record)

    def _round(self, tokens: int) -> Round:
        base = Rung(Solver.BASE, 0, 1.0, tokens)
        return Round(
            few=self._timed(SHORT, Rung(Solver.BASE, 0, 1.0, FEW)),
            many=self._timed(SHORT, base),
            long=self._timed(LONG, base),
            refined=self._timed(SHORT, Rung(Solver.MIDPOINT, PASSES, 1.0, tokens)),
        )

    def _timed(self, question: str, rung: Rung) -> Timed:
        before = self.joules()
        job = Job(question, Plan(Domain.GENERAL, rung), seed=0)
        (outcome,) = self.engine.run_batch([job], lambda: False)
        after = self.joules()
        used = None if before is None or after is None else after - before
        return Timed(outcome.units, outcome.device_seconds, used)


def reconciled(
    reader: OpenUnitOfWork, model: str, since: datetime | None, until: datetime, cost: DeviceCost
) -> Reconciled | None:
    """From the first answer on where `since` is None; None where nothing ended in that time.

    Energy is that of the latest calibration.
    """
    with reader() as uow:
        metered = uow.history.metered(since or BEGINNING, until)
        calibration = uow.history.calibration(model)
    if metered is None:
        return None
    begin = since or metered.first_at
    measured = calibration.record["rates_seconds"]["watts"] if calibration else None
    watts = measured["median"] if measured else None
    span = (until - begin).total_seconds()
    charged, busy = metered.charged_nanos, metered.device_seconds
    return Reconciled(
        begin, until, metered, reconcile(charged, busy, span, cost, watts or 0.0), watts
    )
