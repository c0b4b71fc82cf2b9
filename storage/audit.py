"""The audit log: each row's hash covers the row before it, and the pilot's row keeps the last one.

A row that was changed no longer fits its own hash, a missing or added one breaks the count, and
rows cut off at the end differ from the head that the pilot's row keeps. Whoever may write to the
whole database could write a whole new chain: a head printed elsewhere, as on a report, shows that.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, insert, or_, select, update

from app.ports import AuditEntry, AuditEvent, AuditFilter, AuditHead
from app.ports.audit import EVERYTHING
from policies.errors import InvalidInput
from storage.account_tables import audit_log
from storage.tables import pilots

BEFORE_THE_FIRST = "0" * 64
MOST = 1000
"""Sentences given at once; a log that breaks more is broken anyway."""
NAME_CHARACTERS, DETAILS_CHARACTERS = 200, 10_000
HASHED = ("pilot_id", "number", "at", "by", "action", "subject", "details")


class SqlAudit:
    """app.ports.AuditLog of one pilot. A transaction that writes has the head to itself."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def append(self, event: AuditEvent) -> None:
        head = self.head()
        row: dict[str, Any] = {
            "pilot_id": self._pilot_id,
            "number": head.count + 1,
            "at": _instant(event.at),
            "by": _name("by", event.by),
            "action": _name("action", event.action),
            "subject": _name("subject", event.subject),
            "details": _details(event),
        }
        row["hash"] = chained(head.hash, row)
        self._connection.execute(insert(audit_log), row)
        this = update(pilots).where(pilots.c.id == self._pilot_id)
        self._connection.execute(this.values(audit_count=row["number"], audit_hash=row["hash"]))

    def entries(self, only: AuditFilter = EVERYTHING) -> Iterator[AuditEntry]:
        rows = self._select(only).order_by(audit_log.c.number)
        yield from map(_entry, self._connection.execute(rows, execution_options=STREAMED))

    def latest(self, limit: int, only: AuditFilter = EVERYTHING) -> list[AuditEntry]:
        rows = self._select(only).order_by(audit_log.c.number.desc()).limit(limit)
        return [_entry(row) for row in self._connection.execute(rows)]

    def head(self) -> AuditHead:
        kept = select(pilots.c.audit_count, pilots.c.audit_hash).where(
            pilots.c.id == self._pilot_id
        )
        count, last = self._connection.execute(kept).one()
        return AuditHead(count, last or BEFORE_THE_FIRST)

    def hash_at(self, number: int) -> str | None:
        a = audit_log.c
        this = select(a.hash).where(a.pilot_id == self._pilot_id, a.number == number)
        return self._connection.execute(this).scalar_one_or_none()

    def verify(self) -> list[str]:
        return list(islice(self._broken(), MOST))

    def _broken(self) -> Iterator[str]:
        """Each row against the stored hash of the one before, so that one change is one or two
        sentences and not one for every row behind it."""
        rows = self._select(EVERYTHING).order_by(audit_log.c.number)
        number, before = 0, BEFORE_THE_FIRST
        for row in self._connection.execute(rows, execution_options=STREAMED):
            number += 1
            if row.number != number:
                yield f"audit entry {number}: it is missing; the next one is {row.number}"
                number = row.number
            if chained(before, row._mapping) != row.hash:
                yield f"audit entry {row.number}: its hash does not fit it and the one before"
            before = str(row.hash)
        head = self.head()
        if (head.count, head.hash) != (number, before):
            yield (
                f"audit head: the pilot's row says {head.count} entries ending in "
                f"{head.hash[:12]}, the log has {number} ending in {before[:12]}"
            )

    def _select(self, only: AuditFilter) -> Select[Any]:
        a = audit_log.c
        found = select(audit_log).where(a.pilot_id == self._pilot_id)
        if only.by:
            found = found.where(a.by == only.by)
        if only.actions:
            found = found.where(or_(*map(_done, only.actions)))
        if only.subject:
            found = found.where(a.subject == only.subject)
        if only.since:
            found = found.where(a.at >= _instant(only.since))
        if only.until:
            found = found.where(a.at < _instant(only.until))
        return found


def _done(action: str) -> ColumnElement[bool]:
    if action.endswith("."):
        return audit_log.c.action.startswith(action, autoescape=True)
    return audit_log.c.action == action


STREAMED: Any = {"yield_per": 1000}


def chained(before: str, row: Any) -> str:
    """The hash of a row behind another: SHA-256 of that one's hash and this one's canonical JSON.

    `row` maps column names to what stands in them, whatever that is.
    """
    body = json.dumps([row[name] for name in HASHED], separators=(",", ":"), default=repr)
    return hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()


def _details(event: AuditEvent) -> str:
    """Canonical, and plain ASCII: no database has trouble with it."""
    for name, value in event.details.items():
        if value is not None and not isinstance(value, str | int):
            raise TypeError(f"a detail is text, a whole number, a bool or None: {name}={value!r}")
    text = json.dumps(dict(event.details), sort_keys=True, separators=(",", ":"))
    if len(text) > DETAILS_CHARACTERS:
        raise InvalidInput(
            f"the details of {event.action} have {len(text)} characters, at most "
            f"{DETAILS_CHARACTERS} are kept"
        )
    return text


def _name(what: str, text: str) -> str:
    if len(text) > NAME_CHARACTERS or not text.isprintable() or (not text and what != "subject"):
        raise InvalidInput(
            f"an audit entry's {what} has 1 to {NAME_CHARACTERS} printable characters, got {text!r}"
        )
    return text


def _instant(at: datetime) -> str:
    """Always as long, so that later sorts after."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _entry(row: Row[Any]) -> AuditEntry:
    event = AuditEvent(
        by=row.by,
        action=row.action,
        subject=row.subject,
        details=json.loads(row.details),
        at=datetime.fromisoformat(row.at),
    )
    return AuditEntry(row.number, event, row.hash)
