"""What answers come from: the engine that runs jobs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.ports.traces import NO_TRACE, Trace
from policies.types import Importance, Plan, Units

Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What answers come from. Hashes are SHA-256 of the weights files."""

    model: str
    """Name a price list refers to."""
    base: str
    base_sha256: str
    adapter: str
    adapter_sha256: str
    device: str
    precision: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to draw."""

    question: str
    plan: Plan
    seed: int
    importance: Importance = Importance.STANDARD
    """Which of those that wait goes first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What the model wrote since the last piece, and all the work done for the job so far."""

    text: str
    units: Units


@dataclass(frozen=True, slots=True)
class Queue:
    """The waiting line as a request of some importance would find it now."""

    waiting: int
    """Requests that would go before it."""
    limit: int
    """With so many it is refused as Busy."""
    seconds: float
    """Until it would begin: at most, at the pace of late; 0 where there is room."""


class Finish(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished job. `units` is the work really done, also when it was cancelled."""

    text: str
    units: Units
    finish: Finish
    nfe_per_token: int
    """Of the grid the plan bought."""
    changed_tokens: int
    """Written tokens that differ from the first choice at that place before any evaluation."""
    device_seconds: float
    votes: tuple[int, ...] = ()
    """For each candidate, how many gave its answer; empty where only one was drawn."""
    trace: Trace = NO_TRACE


Ended = Callable[[int, Outcome], None]
"""Is told a job's place in its batch and what came of it."""


def untold(_place: int, _outcome: Outcome) -> None:
    """Where nobody wants to hear."""


class Engine(Protocol):
    """Runs jobs. Never passes a plan's caps. Raises PilotError subclasses only, or is broken."""

    def info(self) -> ModelInfo: ...

    def count_prompt_tokens(self, question: str) -> int: ...

    def nfe_per_token(self, plan: Plan) -> int:
        """Evaluations a token of the grid this plan buys; raises InvalidInput if it buys none."""
        ...

    def queue(self, importance: Importance) -> Queue: ...

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        """Pieces, then exactly one Outcome; once `cancelled`, within one evaluation.

        Raises Busy, before any work, where the line is full.
        """
        ...

    def run_batch(
        self, jobs: Sequence[Job], cancelled: Cancelled, ended: Ended = untold
    ) -> list[Outcome]:
        """The same answers as one at a time, faster; for measurement. All jobs share one rung.

        The same but for what the rounding of a pass in company may tip. There may be any number of
        them, and each is told as soon as it ends. Raises Unavailable once `cancelled`.
        """
        ...
