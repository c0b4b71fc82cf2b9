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
        require(actor, Action.BOOK)
        now = self.clock()
        booking = Booking(answer_id, BookingKind.REFUND, -nanos, actor.user, reason, key, now)
        with self.uow() as work:
            if work.answers.get(answer_id).user == actor.user:
                raise InvalidInput(f"{answer_id} was asked by {actor.user}; someone else refunds")
            booked = work.ledger.book(booking)
            if booked:
                details: dict[str, Detail] = {"nanos": nanos, "reason": reason, "key": key}
                event = AuditEvent(actor.user, "ledger.refund", answer_id, details, now)
                work.audit.append(event)
            work.commit()
        return booked
