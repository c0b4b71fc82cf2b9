"""What was asked and spent, for replay, expectation and reconciliation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.ports.answers import AnswerStatus
from app.ports.measurements import Measured, Measurement
from policies.types import Importance, Request, Rung, Units


@dataclass(frozen=True, slots=True)
class Logged:
    """A query as it was asked, decided and charged: what a draft is replayed over."""

    answer_id: str
    request: Request
    granted: Importance
    rung: Rung
    approvals: int
    status: AnswerStatus
    units: Units
    nfe_per_token: int
    cost_nanos: int
    quote_nanos: int
    price_version: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Metered:
    """What the answers that ended in a time were charged, and how long the device took."""

    answers: int
    units: Units
    charged_nanos: int
    device_seconds: float
    currency: str
    first_at: datetime
    """When the first of them was asked."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A measurement of what units take on a machine; `record` as it is shown."""

    model: str
    device: str
    measured_at: datetime
    record: Mapping[str, Any]


class History(Protocol):
    """What was asked and spent. Reads, but for calibrations, which are only added."""

    def logged(self, since: datetime, until: datetime) -> Iterator[Logged]:
        """In the order they were asked, without those still running; read as they are used."""
        ...

    def newest(self, since: datetime, until: datetime, most: int) -> datetime:
        """From when on at most so many were asked until then; `since` where they all were."""
        ...

    def like(self, rung: Rung, granted: Importance, limit: int) -> list[Units]:
        """Of the latest answers that ran to their end on exactly this rung, among the newest."""
        ...

    def metered(self, since: datetime, until: datetime) -> Metered | None:
        """None where nothing ended in that time."""
        ...

    def measured(self, adapter_sha256: str) -> list[tuple[Measurement, list[Measured]]]:
        """Whole suites at cap after cap, each the newest, with the questions that pair them."""
        ...

    def add_calibration(self, calibration: Calibration) -> None: ...

    def calibration(self, model: str) -> Calibration | None:
        """The latest of a model."""
        ...
