"""Seals: a SHA-256 of what a row of the ledger says, kept with the row; its lines are one chain.

A changed row no longer fits its seal. Of tables in which nothing else would miss a row the pilot
keeps a tally, the sum of all their seals: a removed, added or replaced row no longer fits that. And
each line of the ledger is hashed behind the one before it, together with the seals of the hold and
the decision it came from; the pilot's row keeps the last one. Like the audit log's, all this shows
a change by whoever did not make it all anew; a head kept elsewhere shows that too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    Text,
    bindparam,
    case,
    cast,
    select,
    type_coerce,
    update,
)

from app.ports import Finished
from storage.dialect import upsert
from storage.ledger_tables import budget_raises, budgets, holds, ledger_entries, seal_tallies
from storage.policy_tables import policy_activations, policy_proposals
from storage.review_tables import review_items
from storage.tables import answers, decisions, pilots, policy_versions, price_lists
from storage.types import UtcDateTime

BEFORE_THE_FIRST = "0" * 64
MODULUS = 2**256

COUNTED = {"committed_nanos", "refunded_nanos", "held_nanos"}
"""Of budgets: they follow from the lines and the open holds, which is checked by itself."""
REQUEST = (
    "user_name", "team", "idempotency_key", "request_sha256", "seed", "model", "adapter_sha256",
    "created_at",
)  # fmt: skip
"""Of an answer: what was asked, sealed with what was decided about it."""


def _said(table: Table, *left_out: str) -> tuple[Column[Any], ...]:
    return tuple(c for c in table.columns if c.name not in {"seal", *left_out})


SEALED: dict[Table, tuple[Column[Any], ...]] = {
    decisions: (*_said(decisions), *(answers.c[name] for name in REQUEST)),
    holds: _said(holds),
    price_lists: _said(price_lists),
    budgets: _said(budgets, "id", *COUNTED),
    budget_raises: _said(budget_raises),
    policy_versions: _said(policy_versions),
    policy_proposals: _said(policy_proposals),
    policy_activations: _said(policy_activations, "id"),
}
"""What the seal of a row covers. Numbers that a database gives name nothing but an order."""
TALLIED = tuple(table for table in SEALED if table not in (decisions, holds))
"""Each answer has one decision and each charge one hold: there a missing row shows by itself."""

CHAINED = (policy_activations,)
"""Their order counts, the last one is in force: each is sealed together with the seal before it."""

LINE = tuple(c for c in ledger_entries.columns if c.name not in ("id", "hash"))
"""What a line says."""
END = tuple(
    answers.c[n] for n in ("nfe_per_token", "changed_tokens", "device_seconds", "finished_at")
)
ENDED_AS: ColumnElement[str] = case(
    (
        (review_items.c.kind == "required") & answers.c.status.in_(("released", "rejected")),
        "pending_review",
    ),
    else_=answers.c.status,
)
"""The status an answer was settled with: one that waited leaves that by a decision of people."""


def digest(values: list[Any]) -> str:
    """SHA-256 of their canonical JSON."""
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def seal(table: Table, row: Mapping[str, Any], before: str | None = None) -> str:
    """Of a row that is about to be written, every column named; `before` of a CHAINED one."""
    said = [_written(column, row[column.name]) for column in SEALED[table]]
    return digest(said if before is None else [before, *said])


def raw(column: Column[Any]) -> ColumnElement[Any]:
    """As it stands in the database, whatever that is: no text is parsed, so none can fail."""
    if isinstance(column.type, JSON):
        return cast(column, Text).label(column.name)
    if isinstance(column.type, UtcDateTime):
        return type_coerce(column, String).label(column.name)
    return column


class Tally:
    """Counts the seals of one table in and out; the caller has the pilot to itself."""

    def __init__(self, connection: Connection, pilot_id: str, table: Table) -> None:
        self._connection, self._pilot_id, self._name = connection, pilot_id, table.name

    def move(self, added: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        if not added and not removed:
            return
        count, total = tally(self._connection, self._pilot_id, self._name)
        total += sum(map(number, added)) - sum(map(number, removed))
        count += len(added) - len(removed)
        values = {"row_count": count, "total": f"{total % MODULUS:064x}"}
        first = upsert(self._connection.dialect.name, seal_tallies)
        kept = first.on_conflict_do_update(index_elements=["pilot_id", "name"], set_=values)
        key = {"pilot_id": self._pilot_id, "name": self._name}
        self._connection.execute(kept, key | values)


def tally(connection: Connection, pilot_id: str, name: str) -> tuple[int, int]:
    """How many rows of a table were counted, and what their seals come to."""
    t = seal_tallies.c
    this = (t.pilot_id == pilot_id) & (t.name == name)
    kept = connection.execute(select(t.row_count, t.total).where(this)).one_or_none()
    return (0, 0) if kept is None else (kept.row_count, number(kept.total))


_HEAD = select(pilots.c.entries_count, pilots.c.entries_hash).where(
    pilots.c.id == bindparam("pilot")
)
_MOVE_HEAD = update(pilots).where(pilots.c.id == bindparam("pilot"))


def append_line(
    connection: Connection, pilot_id: str, line: Mapping[str, Any], origin: Sequence[Any]
) -> str:
    """The hash of the next line, which is the head from now on. `origin`: `origin_of` a charge."""
    count, before = connection.execute(_HEAD, {"pilot": pilot_id}).one()
    said = [line[column.name] for column in LINE]
    now = digest([before or BEFORE_THE_FIRST, *said, *origin])
    head = {"pilot": pilot_id, "entries_count": count + 1, "entries_hash": now}
    connection.execute(_MOVE_HEAD, head)
    return now


def origin_of(hold_seal: str, decision_seal: str, finished: Finished) -> list[Any]:
    """What a charge came from and how its answer ended, in the order that `link` is given it."""
    return [
        hold_seal,
        decision_seal,
        finished.nfe_per_token,
        finished.changed_tokens,
        float(finished.device_seconds),
        finished.finished_at,
        finished.status.value,
    ]


NO_ORIGIN = (None,) * 7
"""Of a line that is no charge."""


def number(seal_: str) -> int:
    """0 for what is no seal: someone may have written over it."""
    try:
        return int(seal_, 16)
    except ValueError:
        return 0


def _written(column: Column[Any], value: Any) -> Any:
    """As the database will give it back."""
    if isinstance(column.type, JSON):
        return json.dumps(value)
    return value


def _instant(value: object) -> str:
    """As SQLite keeps it: what stands there needs no reading."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return repr(value)


_canonical = json.JSONEncoder(separators=(",", ":"), default=_instant).encode
