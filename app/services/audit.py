"""Reading the audit log: filtered, exported, verified. What changes something writes the entry."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.ports import AuditEntry, AuditEvent, AuditFilter, AuditHead, Clock, OpenUnitOfWork
from policies.roles import Action, Actor, require

COLUMNS = ("number", "at", "by", "action", "subject", "details", "hash")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run instead of show."""
MOST_SHOWN = 1000


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True)
class Audit:
    """The use cases. `reader` waits for no writer, so a long log holds up nobody."""

    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock

    def latest(self, actor: Actor, only: AuditFilter, limit: int) -> list[AuditEntry]:
        """Newest first, at most MOST_SHOWN."""
        require(actor, Action.READ_AUDIT)
        with self.reader() as work:
            return work.audit.latest(min(max(limit, 0), MOST_SHOWN), only)

    def currency(self) -> str:
        """Of the pilot's amounts; empty as long as nothing has a price."""
        with self.reader() as work:
            return next((prices.currency for prices in work.prices()), "")

    def export(self, actor: Actor, only: AuditFilter, form: Format) -> Iterator[str]:
        """Lines, oldest first, read as they are used; that it was exported is an entry itself."""
        require(actor, Action.READ_AUDIT)
        require(actor, Action.EXPORT)
        details = {"what": "audit", "format": form.value}
        with self.uow() as work:
            work.audit.append(AuditEvent(actor.user, "export", "audit", details, self.clock()))
            work.commit()
        return self._lines(only, form)

    def verify(self, head: AuditHead | None = None) -> tuple[list[str], AuditHead]:
        """What is wrong with the log, or with a review by what the log says of it; the head now.

        An earlier `head` must still be part of the log.
        """
        with self.reader() as work:
            broken, now = work.audit.verify() + work.reviews.verify(), work.audit.head()
            if head is not None and work.audit.hash_at(head.count) != head.hash:
                broken.append(
                    f"audit entry {head.count}: the log no longer has it with hash {head.hash}"
                )
        return broken, now

    def _lines(self, only: AuditFilter, form: Format) -> Iterator[str]:
        with self.reader() as work:
            entries = work.audit.entries(only)
            yield from _csv(entries) if form is Format.CSV else map(_json, entries)


def fields(entry: AuditEntry) -> dict[str, object]:
    """An entry as it is exported."""
    event = entry.event
    return {
        "number": entry.number,
        "at": event.at.isoformat(),
        "by": event.by,
        "action": event.action,
        "subject": event.subject,
        "details": dict(event.details),
        "hash": entry.hash,
    }


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json(entry: AuditEntry) -> str:
    return json.dumps(fields(entry), ensure_ascii=False) + "\n"


def _csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    yield _row(COLUMNS)
    for entry in entries:
        values = fields(entry) | {
            "details": json.dumps(dict(entry.event.details), ensure_ascii=False, sort_keys=True)
        }
        yield _row(values[name] for name in COLUMNS)


def _row(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(map(cell, values))
    return line.getvalue()
