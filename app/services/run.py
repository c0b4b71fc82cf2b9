"""One admitted answer while the model works on it: metered, its lease kept, settled exactly once.

However it ends (a receipt, a cancel, a closed page, an error), the work done is charged and the
rest of the hold given back. No transaction is open while the model runs.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.ports import (
    AnswerStatus,
    Cancelled,
    Clock,
    Engine,
    Finish,
    Finished,
    Job,
    NewAnswer,
    NewReview,
    OpenUnitOfWork,
    Outcome,
    Piece,
    UnitOfWork,
)
from app.services.reading import Receipt, text_for
from policies.errors import Unavailable
from policies.pricing import price
from policies.review import ItemKind
from policies.review_time import due_at
from policies.roles import Actor
from policies.types import Decision, Hold, PriceList, Units

HEARTBEAT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before anything is decided, and how long a lease lasts."""

    question_characters: int = 4000
    prompt_tokens: int = 1024
    name_characters: int = 200
    """Of a user, a team, an idempotency key."""
    lease: timedelta = timedelta(seconds=30)
    heartbeat: timedelta = HEARTBEAT

    @classmethod
    def leased(cls, lease: timedelta) -> "Limits":
        """With signs of life often enough that none of a run's holds ends before it."""
        return cls(lease=lease, heartbeat=min(HEARTBEAT, lease // 3))


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


Event = Started | Written | Receipt


@dataclass(frozen=True, slots=True)
class Admitted:
    """An answer that may run: for whom, what is held for it and at which prices it is charged."""

    actor: Actor
    """Who gets the receipt."""
    answer: NewAnswer
    prices: PriceList
    hold: Hold
    nfe_per_token: int
    audited: bool = False
    """Drawn for a later look, if it goes out unreviewed."""
    evidence: bool = False
    """It is run for a reviewer and never goes out."""


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
                yield self._written(piece)
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

    def _written(self, piece: Piece) -> Written:
        """How far it is; of an answer that will wait for review not a word."""
        withheld = self.admitted.evidence or self.admitted.answer.decision.review.approvals > 0
        cost = price(self._units, self.admitted.prices)
        return Written("" if withheld else piece.text, self._units, cost)

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
            status=AnswerStatus.CANCELLED if cancelled else self._whole(),
            text=outcome.text,
            units=outcome.units,
            nfe_per_token=outcome.nfe_per_token,
            changed_tokens=outcome.changed_tokens,
            device_seconds=outcome.device_seconds,
            finished_at=self.clock(),
            trace=outcome.trace,
        )
        self._settle(self._finished)

    def _whole(self) -> AnswerStatus:
        """What becomes of an answer that was written to its end."""
        if self.admitted.evidence:
            return AnswerStatus.EVIDENCE
        approvals = self.admitted.answer.decision.review.approvals
        return AnswerStatus.PENDING_REVIEW if approvals else AnswerStatus.RELEASED

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
            mine = uow.ledger.settle(self.admitted.hold, finished, cost)  # False if it was lost
            if mine and finished.trace.tokens:
                uow.traces.add(self.admitted.answer.id, finished.trace)
            if mine:
                self._open_review(uow, finished)
            uow.commit()
        self._settled = True

    def _open_review(self, uow: UnitOfWork, finished: Finished) -> None:
        """In the transaction that settles it: what must be looked at is in the queue, or nothing
        was written."""
        answer = self.admitted.answer
        if finished.status is AnswerStatus.PENDING_REVIEW:
            kind, approvals = ItemKind.REQUIRED, answer.decision.review.approvals
        elif finished.status is AnswerStatus.RELEASED and self.admitted.audited:
            kind, approvals = ItemKind.AUDIT, 1
        else:
            return
        importance, now = answer.decision.granted, finished.finished_at
        due = due_at(kind, importance, answer.decision.review, now)
        uow.reviews.open(NewReview(answer.id, kind, approvals, importance, now, due))

    def _receipt(self) -> Receipt:
        with self.uow() as uow:
            row = uow.answers.get(self.admitted.answer.id)
            return Receipt(row, text_for(uow, self.admitted.actor, row))
