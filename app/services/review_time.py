"""Reviewers' minutes in the ledger, at a price a minute."""

from dataclasses import dataclass
from datetime import datetime

from app.ports import Booking, BookingKind, Claim, Clock, OpenUnitOfWork
from policies.errors import OverCeiling
from policies.review_time import cost

AT_ONCE = 100
"""Claims booked in one go."""


@dataclass(frozen=True)
class BookTime:
    """Puts reviewing time into the ledger, at a price a minute, as lines of their own.

    Time is spent whether or not it fits: what no ceiling has room for waits and is tried again, so
    that a full budget keeps nobody from deciding.
    """

    uow: OpenUnitOfWork
    clock: Clock
    minute_nanos: int

    def __call__(self) -> int:
        """How many claims were booked."""
        with self.uow() as uow:
            claims = uow.reviews.unbooked(AT_ONCE)
        return sum(self._booked(claim) for claim in claims)

    def _booked(self, claim: Claim) -> bool:
        now, nanos = self.clock(), cost(claim.seconds, self.minute_nanos)
        try:
            with self.uow() as uow:
                if nanos:
                    uow.ledger.book(_booking(claim, nanos, now))
                uow.reviews.mark_booked(claim.answer_id, claim.number, nanos, now)
                uow.commit()
        except OverCeiling:
            return False
        return True


def _booking(claim: Claim, nanos: int, now: datetime) -> Booking:
    key = f"review:{claim.answer_id}:{claim.number}"
    reason = f"{claim.seconds} s of review"
    return Booking(claim.answer_id, BookingKind.REVIEW, nanos, claim.reviewer, reason, key, now)
