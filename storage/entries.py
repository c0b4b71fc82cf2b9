"""Lines of the ledger: written once, with the day's rollup beside them."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, insert

from policies.budget import Payer
from policies.types import Domain, Units
from storage.dialect import upsert
from storage.ledger_tables import ledger_entries, spend_days
from storage.repositories import unit_values
from storage.seals import NO_ORIGIN, append_line


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `nanos` is negative for a refund, and only there."""

    kind: str
    answer_id: str
    day: str
    payer: Payer
    domain: Domain
    units: Units
    nanos: int
    currency: str
    price_version: str
    charged_at: datetime
    hold_id: str | None = None
    booked_by: str | None = None
    reason: str = ""
    entry_key: str | None = None
    origin: Sequence[Any] = NO_ORIGIN
    """Of a charge: seals.origin_of."""


_ADD_LINE = insert(ledger_entries)


def write(connection: Connection, pilot_id: str, entry: Entry) -> None:
    """The line and its part of the day's rollup, in the caller's transaction."""
    whose = {
        "pilot_id": pilot_id,
        "day": entry.day,
        "team": entry.payer.team,
        "user_name": entry.payer.user,
        "importance": entry.payer.importance.value,
        "domain": entry.domain.value,
        "currency": entry.currency,
    }
    row: dict[str, Any] = whose | {
        **unit_values(entry.units),
        "kind": entry.kind,
        "hold_id": entry.hold_id,
        "answer_id": entry.answer_id,
        "nanos": entry.nanos,
        "price_version": entry.price_version,
        "booked_by": entry.booked_by,
        "reason": entry.reason,
        "entry_key": entry.entry_key,
        "charged_at": entry.charged_at,
    }
    row["hash"] = append_line(connection, pilot_id, row, entry.origin)
    connection.execute(_ADD_LINE, row)
    counted = {
        "answers": int(entry.kind == "charge"),
        "entries": 1,
        **unit_values(entry.units),
        "charged_nanos": max(entry.nanos, 0),
        "refunded_nanos": max(-entry.nanos, 0),
    }
    connection.execute(_add_to_day(connection.dialect.name), whose | counted)


@functools.cache
def _add_to_day(dialect: str) -> Insert:
    """Made once: it is part of every settlement."""
    first = upsert(dialect, spend_days)
    keys = [column.name for column in spend_days.primary_key]
    counts = [column for column in spend_days.columns if not column.primary_key]
    added = {count.name: count + first.excluded[count.name] for count in counts}
    return first.on_conflict_do_update(index_elements=keys, set_=added)
