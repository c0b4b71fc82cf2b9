"""Lines that a person adds to the ledger. Whether they add up is the ledger's own business."""

from dataclasses import dataclass

from app.ports import AuditEvent, Booking, BookingKind, Clock, Detail, OpenUnitOfWork
from policies.errors import InvalidInput
from policies.roles import Action, Actor, require


@dataclass(frozen=True)
class Bookings:
    uow: OpenUnitOfWork
    clock: Clock

    def refund(self, actor: Actor, answer_id: str, nanos: int, reason: str, key: str) -> bool:
        """Gives back part of what an answer cost, to anyone but oneself; `nanos` is positive.

        False where this key booked the same before. Raises Forbidden, InvalidInput, KeyReused,
        NotFound.
        """
        return self._book(actor, answer_id, BookingKind.REFUND, -nanos, reason, key)

    def correct(self, actor: Actor, answer_id: str, nanos: int, reason: str, key: str) -> bool:
        """Charges more for an answer, today, where every ceiling has room; `nanos` is positive.

        False where this key booked the same before. Raises Forbidden, InvalidInput, KeyReused,
        NotFound, OverCeiling.
        """
        return self._book(actor, answer_id, BookingKind.CORRECTION, nanos, reason, key)

    def _book(
        self, actor: Actor, answer_id: str, kind: BookingKind, nanos: int, reason: str, key: str
    ) -> bool:
        require(actor, Action.BOOK)
        now = self.clock()
        booking = Booking(answer_id, kind, nanos, actor.user, reason, key, now)
        with self.uow() as work:
            asked_by = work.answers.get(answer_id).user
            if kind is BookingKind.REFUND and asked_by == actor.user:
                raise InvalidInput(f"{answer_id} was asked by {actor.user}; someone else refunds")
            booked = work.ledger.book(booking)
            if booked:
                details: dict[str, Detail] = {"nanos": abs(nanos), "reason": reason, "key": key}
                work.audit.append(AuditEvent(actor.user, f"ledger.{kind}", answer_id, details, now))
            work.commit()
        return booked
