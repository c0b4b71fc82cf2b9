"""Accuracy of budgets on suites, as it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from policies.types import Domain, Importance, Units


@dataclass(frozen=True, slots=True)
class Measured:
    """One question of a suite at one budget."""

    question_id: str
    domain: Domain
    correct: bool
    units: Units
    cost_nanos: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """Accuracy of a budget on a suite, with a 95 % Wilson interval; stored with all its rows."""

    suite: str
    budget: int
    """Cap of evaluations a token."""
    importance: Importance | None
    """Set when it was measured at a rung of the policy."""
    domain: Domain | None
    """None for the whole suite."""
    accuracy: float
    ci_low: float
    ci_high: float
    n: int
    nfe_per_token: float
    cost_nanos_per_answer: int
    currency: str
    adapter_sha256: str
    seed: int
    measured_at: datetime
    shipped: bool
    """Recorded by the `evaluate` command before release and shipped with the adapter."""


class Measurements(Protocol):
    def add(self, measurement: Measurement, rows: Sequence[Measured]) -> None: ...

    def latest(self, adapter_sha256: str) -> list[Measurement]:
        """The newest of every (suite, budget, importance, domain) for this adapter."""
        ...
