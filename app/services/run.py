"""One admitted answer while the model works on it: metered, its lease kept, settled exactly once.

However it ends (a receipt, a cancel, a closed page, an error), the work done is charged and the
rest of the hold given back. No transaction is open while the model runs.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.ports import (
    AnswerRow,
    AnswerStatus,
    AnswerText,
    Cancelled,
    Clock,
    Engine,
    Finish,
    Finished,
    Job,
    NewAnswer,
    OpenUnitOfWork,
    Outcome,
    Piece,
)
from policies.errors import Unavailable
from policies.pricing import price
from policies.types import Decision, Hold, PriceList, Units


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before anything is decided, and how long a lease lasts."""

    question_characters: int = 4000
    prompt_tokens: int = 1024
    name_characters: int = 200
    """Of a user, a team, an idempotency key."""
    lease: timedelta = timedelta(seconds=30)
    heartbeat: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Started:
    """Admitted: the worst case is held."""

    answer_id: str
    decision: Decision
    nfe_per_token: int
    seed: int


@dataclass(frozen=True, slots=True)
class Written:
    """More text, and what it came to so far."""

    text: str
    units: Units
    cost_nanos: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A settled answer: what is on the card is what is in the ledger."""

    row: AnswerRow
    text: AnswerText
    replayed: bool = False
    """True where an idempotency key came back and nothing ran again."""


Event = Started | Written | Receipt


@dataclass(frozen=True, slots=True)
class Admitted:
    """An answer that may run: what it is, what is held for it and at which prices it is charged."""

    answer: NewAnswer
    prices: PriceList
    hold: Hold
    nfe_per_token: int


@dataclass
class Run:
    """Runs once. Call events() once and either exhaust or close it."""

    engine: Engine
    uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    admitted: Admitted
    cancelled: Cancelled
    _text: str = field(default="", init=False)
    _units: Units = field(default_factory=Units, init=False)
    _beaten_at: datetime = field(init=False)
    _finished: Finished | None = field(default=None, init=False)
    """How it ended, once the engine said so: what a second try to settle must write."""
    _closed: bool = field(default=False, init=False)
    """The page is gone: let the engine stop."""
    _lost: bool = field(default=False, init=False)
    """The lease ran out and someone else settled it: stop, write nothing more."""
    _settled: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._beaten_at = self.admitted.answer.created_at

    def events(self) -> Generator[Event, None, None]:
        answer = self.admitted.answer
        pieces: Iterator[Piece | Outcome] = iter(())
        stop = AnswerStatus.CANCELLED
        try:
            nfe = self.admitted.nfe_per_token
            yield Started(answer.id, answer.decision, nfe, answer.seed)
            decision, question = answer.decision, answer.request.question
            job = Job(question, decision.plan, answer.seed, decision.granted)
            pieces = self.engine.run(job, self._stopped)
            for piece in pieces:
                if isinstance(piece, Outcome):
                    self._end(piece)
                    yield self._receipt()
                    return
                self._note(piece)
                yield Written(piece.text, self._units, price(self._units, self.admitted.prices))
            raise RuntimeError("the engine ended without an outcome")
        except GeneratorExit:
            self._closed = True
            self._drain(pieces)
            raise
        except Exception:
            stop = AnswerStatus.FAILED
            raise
        finally:
            if not self._settled:
                self._settle(self._finished or self._early(stop))

    def _stopped(self) -> bool:
        """Asked by the engine between evaluations. Keeps the lease while no word is written."""
        self._beat()
        return self._closed or self._lost or self.cancelled()

    def _note(self, piece: Piece) -> None:
        self._text += piece.text
        self._units = piece.units
        self._beat()

    def _beat(self) -> None:
        now = self.clock()
        if self._lost or now - self._beaten_at < self.limits.heartbeat:
            return
        self._beaten_at = now
        try:
            with self.uow() as uow:
                lease = now + self.limits.lease
                self._lost = not uow.ledger.heartbeat(self.admitted.hold, self._units, lease)
                uow.commit()
        except Unavailable:
            return  # a lease outlasts many heartbeats; the next one tries again

    def _drain(self, pieces: Iterator[Piece | Outcome]) -> None:
        """Nobody reads on: the engine finishes its evaluation and says what there is to charge."""
        if self._settled:
            return
        for piece in pieces:
            if isinstance(piece, Outcome):
                self._end(piece)
                return
            self._note(piece)

    def _end(self, outcome: Outcome) -> None:
        cancelled = outcome.finish is Finish.CANCELLED
        self._finished = Finished(
            status=AnswerStatus.CANCELLED if cancelled else AnswerStatus.RELEASED,
            text=outcome.text,
            units=outcome.units,
            nfe_per_token=outcome.nfe_per_token,
            changed_tokens=outcome.changed_tokens,
            device_seconds=outcome.device_seconds,
            finished_at=self.clock(),
        )
        self._settle(self._finished)

    def _early(self, status: AnswerStatus) -> Finished:
        """The engine never said how it ended: what was recorded is what counts."""
        return Finished(
            status=status,
            text=self._text,
            units=self._units,
            nfe_per_token=self.admitted.nfe_per_token,
            changed_tokens=0,
            device_seconds=0.0,
            finished_at=self.clock(),
        )

    def _settle(self, finished: Finished) -> None:
        cost = price(finished.units, self.admitted.prices)
        if cost > self.admitted.hold.nanos:
            raise AssertionError(f"charge {cost} above the hold {self.admitted.hold.nanos}")
        with self.uow() as uow:
            uow.ledger.settle(self.admitted.hold, finished, cost)  # changes nothing if it was lost
            uow.commit()
        self._settled = True

    def _receipt(self) -> Receipt:
        with self.uow() as uow:
            answer_id = self.admitted.answer.id
            return Receipt(uow.answers.get(answer_id), uow.answers.text(answer_id))
