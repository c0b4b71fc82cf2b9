"""Review and time: when an answer is due, when someone is reminded, what minutes cost. Pure."""

from datetime import datetime, timedelta

from policies.review import ItemKind
from policies.types import Importance, Review

DUE_HOURS = {
    Importance.ROUTINE: 72,
    Importance.STANDARD: 48,
    Importance.HIGH: 24,
    Importance.CRITICAL: 8,
}
"""Service levels where the policy names none."""
AUDIT_DUE_HOURS = 7 * 24
"""Nobody waits for an audited answer: it is out."""
REMIND_AFTER = 3, 4
"""The part of the time after which someone is reminded."""


def due_at(kind: ItemKind, importance: Importance, review: Review, opened_at: datetime) -> datetime:
    """When a decision is due."""
    needed = review.due_hours or DUE_HOURS[importance]
    return opened_at + timedelta(hours=AUDIT_DUE_HOURS if kind is ItemKind.AUDIT else needed)


def remind_at(opened_at: datetime, due: datetime) -> datetime:
    """When three quarters of the time are over."""
    part, whole = REMIND_AFTER
    return opened_at + (due - opened_at) * part / whole


def metered(since: datetime, until: datetime) -> int:
    """Whole seconds of reviewing between two things that a reviewer did.

    A clock that was set back takes nothing away. One that was set forward adds less than a lease:
    past its end a claim is over.
    """
    return int(max(until - since, timedelta(0)).total_seconds())


def cost(seconds: int, minute_nanos: int) -> int:
    """Nanos of so many seconds at a price a minute; rounded down."""
    return seconds * minute_nanos // 60
