"""What has to happen in review by itself: claims that ran out end, minutes are booked, and people
hear of answers that are due soon or overdue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.ports import (
    AuditEvent,
    Clock,
    NoticeKind,
    OpenUnitOfWork,
    ReviewFilter,
    ReviewItem,
    ReviewNotice,
    UnitOfWork,
)
from app.services.policy import in_force
from app.services.review_time import BookTime
from policies.document import Policy
from policies.errors import Unavailable
from policies.review import ItemState
from policies.review_time import remind_at

SendNotice = Callable[[ReviewNotice], None]
"""Raises Unavailable where it could not be sent."""
AT_ONCE = 1000
"""Items looked at in one sweep, of those that are overdue and of those that are due later."""
LONGEST = timedelta(hours=720)
"""No service level is longer; a policy's form says so."""
PAGE = "page"
"""Reads what is overdue by itself."""


@dataclass(frozen=True)
class Sweep:
    uow: OpenUnitOfWork
    policy: Policy
    clock: Clock
    book: BookTime
    senders: Mapping[str, SendNotice]
    """By the channels that a policy can name for its alerts, but for the page."""

    def __call__(self) -> int:
        """How many notices went out."""
        now = self.clock()
        with self.uow() as uow:
            for answer_id in uow.reviews.expire(now):
                uow.audit.append(AuditEvent("system", "review.expire", answer_id, {}, now))
            self._note(uow, now)
            uow.commit()
        self.book()
        return self._send(now)

    def _note(self, uow: UnitOfWork, now: datetime) -> None:
        channels = [c for c in in_force(uow, self.policy).alerts.to if c != PAGE]
        for state in (ItemState.WAITING, ItemState.ASKED):
            for until in (now, now + LONGEST):
                soon = ReviewFilter(state=state, due_before=until)
                for item in uow.reviews.queue(soon, AT_ONCE):
                    if kind := _kind(item, now):
                        _note(uow, item, kind, channels, now)

    def _send(self, now: datetime) -> int:
        with self.uow() as uow:
            notices = uow.review_notes.take_notices(now)
            uow.commit()
        failed = [notice for notice in notices if not self._sent(notice)]
        with self.uow() as uow:
            for notice in failed:
                uow.review_notes.give_back(notice)
            uow.commit()
        return len(notices) - len(failed)

    def _sent(self, notice: ReviewNotice) -> bool:
        try:
            self.senders[notice.channel](notice)
        except Unavailable:
            return False
        return True


def _kind(item: ReviewItem, now: datetime) -> NoticeKind | None:
    if item.overdue(now):
        return NoticeKind.OVERDUE
    return NoticeKind.REMINDER if now >= remind_at(item.opened_at, item.due_at) else None


def _note(
    uow: UnitOfWork, item: ReviewItem, kind: NoticeKind, channels: list[str], now: datetime
) -> None:
    notice = ReviewNotice(item.answer_id, kind, "", item.importance, item.due_at, now)
    for channel in channels:
        uow.review_notes.note(replace(notice, channel=channel))
