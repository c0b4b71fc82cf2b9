"""What the dashboard reads: quality against spend, spend against the ceiling, latest answers."""

from dataclasses import dataclass

from app.ports import AnswerRow, Engine, Measurement, OpenUnitOfWork, SpendPoint
from policies.types import Ceiling

SPEND_POINTS = 2000
LATEST = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows, read in one transaction so that its numbers agree."""

    measurements: list[Measurement]
    spend: list[SpendPoint]
    ceilings: list[Ceiling]
    answers: list[AnswerRow]


@dataclass(frozen=True)
class Dashboard:
    engine: Engine
    uow: OpenUnitOfWork

    def overview(self) -> Overview:
        """Measurements are those of the adapter that answers now; others do not compare."""
        with self.uow() as uow:
            return Overview(
                measurements=uow.measurements.latest(self.engine.info().adapter_sha256),
                spend=uow.spend(SPEND_POINTS),
                ceilings=uow.ledger.ceilings(),
                answers=uow.answers.latest(LATEST),
            )
