"""Soft alerts: what was reached, who takes it upon them to say so, and who has heard of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, tuple_, update

from app.ports import Alert
from policies.budget import parse_scope, reached
from policies.document import Alerts
from policies.types import Window
from storage.counters import Counter, scope_of
from storage.dialect import keep
from storage.ledger_tables import budget_alerts

PAGE = "page"
"""Shows alerts by itself: nobody has to tell it."""
TAKEN = timedelta(minutes=5)
"""So long nobody else sends what someone took."""


def note(
    connection: Connection,
    pilot_id: str,
    counters: Iterable[Counter],
    alerts: Alerts,
    now: datetime,
) -> None:
    """Keep each threshold that spend has come to, the first time in its window."""
    channels = {"channels": _joined(alerts.to), "due": _joined(set(alerts.to) - {PAGE})}
    rows = []
    for counter in counters:
        kind, subject = parse_scope(counter.account.scope)
        noted = channels | {
            "pilot_id": pilot_id,
            "scope": kind,
            "subject": subject,
            "window": counter.account.window.value,
            "window_start": counter.account.start,
            "limit_nanos": counter.limit_nanos,
            "committed_nanos": counter.committed_nanos,
            "currency": counter.currency,
            "reached_at": now,
        }
        spent, limit = counter.committed_nanos, counter.limit_nanos
        come_to = reached(spent, limit, alerts.thresholds) if spent else []
        rows += [noted | {"threshold": threshold} for threshold in come_to]
    if rows:
        keep(connection, budget_alerts, *rows)


class SqlAlerts:
    """app.ports.Alerts of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def latest(self, limit: int, channel: str = "") -> list[Alert]:
        a = budget_alerts.c
        newest = (
            select(budget_alerts)
            .where(a.pilot_id == self._pilot_id, a.channels.contains(channel))
            .order_by(a.reached_at.desc(), a.threshold.desc(), a.scope, a.subject, a.window)
        )
        return [_alert(row) for row in self._connection.execute(newest.limit(limit))]

    def take(self, now: datetime) -> list[Alert]:
        a = budget_alerts.c
        free = or_(a.sent_at.is_(None), a.sent_at <= now - TAKEN)
        taken = (
            update(budget_alerts)
            .where(a.pilot_id == self._pilot_id, a.due != "", free)
            .values(sent_at=now)
            .returning(budget_alerts)
        )
        found = [_alert(row) for row in self._connection.execute(taken)]
        return sorted(found, key=lambda alert: (alert.reached_at, alert.scope, alert.threshold))

    def told(self, alert: Alert, channels: Sequence[str]) -> None:
        a, (kind, subject) = budget_alerts.c, parse_scope(alert.scope)
        key = (kind, subject, alert.window.value, alert.window_start, alert.threshold)
        this = tuple_(a.scope, a.subject, a.window, a.window_start, a.threshold) == key
        left = set(alert.due) - set(channels)
        values = {"due": _joined(left)} | ({"sent_at": None} if left else {})
        mine = update(budget_alerts).where(a.pilot_id == self._pilot_id, this)
        self._connection.execute(mine.values(values))


def _joined(channels: Iterable[str]) -> str:
    return ",".join(sorted(channels))


def _split(channels: str) -> tuple[str, ...]:
    return tuple(channels.split(",")) if channels else ()


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        scope=scope_of(row),
        window=Window(row.window),
        window_start=row.window_start,
        threshold=row.threshold,
        limit_nanos=row.limit_nanos,
        committed_nanos=row.committed_nanos,
        currency=row.currency,
        reached_at=row.reached_at,
        to=_split(row.channels),
        due=_split(row.due),
    )
