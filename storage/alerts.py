"""Soft alerts: what was reached, and who takes it upon them to say so."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from app.ports import Alert
from policies.budget import parse_scope
from policies.types import Window
from storage.accounts import scope_of
from storage.tables import budget_alerts


class SqlAlerts:
    """app.ports.Alerts of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def latest(self, limit: int) -> list[Alert]:
        a = budget_alerts.c
        newest = (
            select(budget_alerts)
            .where(a.pilot_id == self._pilot_id)
            .order_by(a.reached_at.desc(), a.threshold.desc(), a.scope, a.subject, a.window)
        )
        return [_alert(row) for row in self._connection.execute(newest.limit(limit))]

    def take(self, now: datetime) -> list[Alert]:
        a = budget_alerts.c
        taken = (
            update(budget_alerts)
            .where(a.pilot_id == self._pilot_id, a.sent_at.is_(None))
            .values(sent_at=now)
            .returning(budget_alerts)
        )
        found = [_alert(row) for row in self._connection.execute(taken)]
        return sorted(found, key=lambda alert: (alert.reached_at, alert.scope, alert.threshold))

    def give_back(self, alert: Alert) -> None:
        a, (kind, subject) = budget_alerts.c, parse_scope(alert.scope)
        key = (kind, subject, alert.window.value, alert.window_start, alert.threshold)
        this = tuple_(a.scope, a.subject, a.window, a.window_start, a.threshold) == key
        unsent = update(budget_alerts).where(a.pilot_id == self._pilot_id, this)
        self._connection.execute(unsent.values(sent_at=None))


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
    )
