"""One transaction over everything that is stored, and what tells time and names."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from app.ports.accounts import Accounts
from app.ports.answers import Answers
from app.ports.audit import AuditLog
from app.ports.board import Board
from app.ports.history import History
from app.ports.ledger import Alerts, Ledger, Raises, SpendPoint
from app.ports.measurements import Measurements
from app.ports.policies import Policies
from app.ports.reviews import ReviewFigures, ReviewNotes, Reviews
from app.ports.traces import Traces
from policies.types import PriceList

Clock = Callable[[], datetime]
"""Now, in UTC, with tzinfo."""


NewId = Callable[[], str]


class UnitOfWork(Protocol):
    """One transaction. Leaving without commit() rolls back."""

    @property
    def answers(self) -> Answers: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def raises(self) -> Raises: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def measurements(self) -> Measurements: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def history(self) -> History: ...
    @property
    def traces(self) -> Traces: ...
    @property
    def board(self) -> Board: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def review_notes(self) -> ReviewNotes: ...
    @property
    def review_figures(self) -> ReviewFigures: ...

    def add_policy(self, version: str, name: str, text: str, now: datetime) -> None:
        """Keep a policy version; keeping it again changes nothing."""
        ...

    def add_prices(self, prices: PriceList, now: datetime) -> None: ...

    def prices(self) -> list[PriceList]: ...

    def spend(self, limit: int) -> list[SpendPoint]:
        """The latest settled charges, oldest first."""
        ...

    def commit(self) -> None: ...


OpenUnitOfWork = Callable[[], AbstractContextManager[UnitOfWork]]
"""Opens a transaction for one pilot; writes are serialised by the database."""
