"""What charts and lists read: figures by kind and day, never the text of anybody's answer.

Everything here takes about as long with a million answers as with a thousand: sums come from the
rollups, single answers from the newest few thousand.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.ports.answers import AnswerRow, AnswerStatus
from app.ports.slice import Slice
from app.ports.votes import Votes
from policies.types import Domain, Importance, Units


class By(StrEnum):
    TEAM = "team"
    USER = "user"
    DOMAIN = "domain"
    IMPORTANCE = "importance"


@dataclass(frozen=True, slots=True)
class Spend:
    """What a day, or a part of the pilot, came to. `nanos` are charges less refunds."""

    name: str
    answers: int
    units: Units
    nanos: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """One of the newest answers, as the distribution of work needs it."""

    granted: Importance
    domain: Domain
    cap: int
    """Evaluations a token its rung allowed."""
    grid: int
    """Those of the finest grid under the cap: what it takes where nothing ends early."""
    candidates: int
    units: Units
    device_seconds: float
    seconds: float | None
    """From its request to its end; None while it runs."""
    status: AnswerStatus
    rating: int | None


@dataclass(frozen=True, slots=True)
class Busy:
    """How long the device worked for answers that were asked in one hour."""

    hour: datetime
    """Its beginning, in UTC."""
    device_seconds: float
    answers: int


@dataclass(frozen=True, slots=True)
class Found:
    """One of a person's own questions; of a withheld answer nothing is told."""

    answer_id: str
    question: str
    answer: str
    granted: Importance
    domain: Domain
    status: AnswerStatus
    cost_nanos: int
    currency: str
    rating: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Month:
    """How many answers a team was given at an importance in a month, and what they cost."""

    month: str
    team: str
    importance: Importance
    answers: int
    nanos: int


@dataclass(frozen=True, slots=True)
class Audited:
    """Answers that went out unreviewed, were drawn at random and looked at since."""

    decided: int
    harmful: int
    """Corrected or rejected."""


@dataclass(frozen=True, slots=True)
class ReviewLevel:
    """How long answers of an importance wait for their reviewers; random audits are no part."""

    importance: Importance
    waiting: int
    """Now; those that a question was asked about among them."""
    overdue: int
    """Of these."""
    oldest_at: datetime | None
    """Since when the one that waits longest does; None where none waits."""
    in_time: int
    """Of those decided, by the time that the policy gives."""
    took_seconds: tuple[float, ...]
    """From written to decided, the newest first."""
    approved: int
    """Of those decided, as they were written."""


class Board(Protocol):
    @property
    def votes(self) -> Votes: ...

    def pulse(self) -> str:
        """Changes whenever a chart would; one short read."""
        ...

    def days(self, chosen: Slice) -> list[Spend]:
        """By day, in order; days without an entry are left out."""
        ...

    def totals(self, chosen: Slice, by: By, limit: int) -> list[Spend]:
        """The dearest first."""
        ...

    def names(self) -> tuple[list[str], list[str]]:
        """Teams and users that have an entry, in their order."""
        ...

    def sample(self, chosen: Slice, limit: int) -> list[Sampled]:
        """Those of the newest `limit` answers that belong to it."""
        ...

    def busy(self, since: datetime) -> list[Busy]: ...

    def latest(self, chosen: Slice, cap: int | None, window: int, limit: int) -> list[AnswerRow]:
        """The newest that belong to it, among the newest `window`; `cap` is their rung's."""
        ...

    def months(self) -> list[Month]:
        """Oldest first."""
        ...

    def audited(self) -> Audited: ...

    def levels(self, now: datetime, window: int) -> list[ReviewLevel]:
        """By importance, the least first; those without a review are left out.

        Of the newest `window` decided ones.
        """
        ...

    def search(self, user: str, words: str, limit: int) -> list[Found]:
        """Own questions, newest first, whose question or open answer holds the words."""
        ...
