"""Many questions at once: one decision of the ledger, a few at a time in the engine.

Each answer is one like any other, with its own hold and charge. What one of them meets does not
touch the others.
"""

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock

from app.ports import Cancelled
from app.services.admission import Admission, AskForm
from app.services.reading import Receipt
from app.services.run import Admitted
from policies.errors import InvalidInput, Unavailable
from policies.roles import Actor
from policies.types import Hold, Units

AT_ONCE = 4
"""Answers that are written side by side; more would only wait in the engine's line."""
_SHORTEST_WAIT = 0.01
MOST = 1000
"""Questions of one batch."""


@dataclass(frozen=True)
class Batch:
    admission: Admission
    at_once: int = AT_ONCE

    def __call__(
        self,
        actor: Actor,
        wanted: Sequence[tuple[AskForm, str]],
        cancelled: Cancelled = lambda: False,
    ) -> Generator[tuple[int, Receipt], None, None]:
        """Each form with its idempotency key; its place and receipt as it ends.

        All are held, each as decided, or none is run. Closing the iterator early cancels what is
        not done. Raises what `Ask` raises before anything ran, and once all the others are through
        the first error that one of them met.
        """
        if not 1 <= len(wanted) <= MOST:
            raise InvalidInput(f"a batch has 1 to {MOST} questions, got {len(wanted)}")
        admitted = self.admission.all(actor, wanted)
        yield from [(at, one) for at, one in enumerate(admitted) if isinstance(one, Receipt)]
        new = {at: one for at, one in enumerate(admitted) if isinstance(one, Admitted)}
        yield from _Running(self.admission, cancelled, self.at_once).receipts(new)


@dataclass
class _Running:
    admission: Admission
    cancelled: Cancelled
    at_once: int
    closed: Event = field(default_factory=Event)
    started: set[int] = field(default_factory=set)
    turns: Lock = field(default_factory=Lock)
    """Nobody starts while the holds of those that wait are lengthened: that says "nothing done"."""

    def receipts(self, admitted: dict[int, Admitted]) -> Generator[tuple[int, Receipt], None, None]:
        error: BaseException | None = None
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="batch") as pool:
            open_ = {pool.submit(self._run, at, one): at for at, one in admitted.items()}
            beaten_at = self.admission.clock()
            beat = max(self.admission.limits.heartbeat.total_seconds(), _SHORTEST_WAIT)
            try:
                while open_:
                    done, _ = wait(open_, timeout=beat, return_when=FIRST_COMPLETED)
                    for future in done:
                        at, failed = open_.pop(future), future.exception()
                        error = error or failed
                        if failed is None:
                            yield at, future.result()
                    beaten_at = self._beat(admitted, open_, beaten_at)
            finally:
                self.closed.set()  # who has not started yet is settled with nothing done
        if error is not None:
            raise error

    def _run(self, at: int, admitted: Admitted) -> Receipt:
        with self.turns:
            self.started.add(at)
        run = self.admission.run(admitted, self._stopped)
        for event in run.events():
            if isinstance(event, Receipt):
                return event
        raise RuntimeError("a run ended without a receipt")

    def _stopped(self) -> bool:
        return self.closed.is_set() or self.cancelled()

    def _beat(
        self, admitted: dict[int, Admitted], open_: dict[Future[Receipt], int], last: datetime
    ) -> datetime:
        """Keeps the holds of those that wait for their turn; a run keeps its own."""
        now = self.admission.clock()
        if now - last < self.admission.limits.heartbeat:
            return last
        with self.turns:
            waiting = [admitted[at].hold for at in open_.values() if at not in self.started]
            if waiting:
                self._lengthen(waiting, now + self.admission.limits.lease)
        return now

    def _lengthen(self, holds: Sequence[Hold], until: datetime) -> None:
        try:
            with self.admission.uow() as uow:
                for hold in holds:
                    uow.ledger.heartbeat(hold, Units(), until)
                uow.commit()
        except Unavailable:
            return  # a lease outlasts many heartbeats; the next one tries again
