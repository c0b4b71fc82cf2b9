"""Spend by day and kind of answer: kept with every entry, and to be had again from the entries."""

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, delete, func, insert, select

from app.ports import Rollup
from policies.types import Domain, Importance
from storage import queries
from storage.ledger_tables import ledger_entries, spend_days

KEY = ("pilot_id", "day", "team", "user_name", "importance", "domain", "currency")
COUNTS = (
    "answers", "entries", "prompt_tokens", "decode_tokens", "nfe", "charged_nanos",
    "refunded_nanos",
)  # fmt: skip


def between(connection: Connection, pilot_id: str, first_day: str, last_day: str) -> list[Rollup]:
    s = spend_days.c
    found = connection.execute(
        select(spend_days)
        .where(s.pilot_id == pilot_id, s.day >= first_day, s.day <= last_day)
        .order_by(*(s[name] for name in KEY))
    )
    return [_rollup(row) for row in found]


def rebuild(connection: Connection, pilot_id: str) -> bool:
    """In the caller's transaction: nobody sees it half done."""
    before = digest(connection, pilot_id)
    connection.execute(delete(spend_days).where(spend_days.c.pilot_id == pilot_id))
    connection.execute(insert(spend_days).from_select([*KEY, *COUNTS], from_entries(pilot_id)))
    return digest(connection, pilot_id) == before


def from_entries(pilot_id: str) -> Select[Any]:
    """What the rollups must be, in one pass over the entries."""
    e = ledger_entries.c
    keys = [e[name] for name in KEY]

    def total(value: ColumnElement[int], name: str) -> ColumnElement[int]:
        return (
            func.sum(value, type_=spend_days.c[name].type).cast(spend_days.c[name].type).label(name)
        )

    counts = (
        total(case((e.kind == "charge", 1), else_=0), "answers"),
        func.count().label("entries"),
        *(total(e[name], name) for name in ("prompt_tokens", "decode_tokens", "nfe")),
        total(case((e.nanos > 0, e.nanos), else_=0), "charged_nanos"),
        total(case((e.nanos < 0, -e.nanos), else_=0), "refunded_nanos"),
    )
    return select(*keys, *counts).where(e.pilot_id == pilot_id).group_by(*keys)


def digest(connection: Connection, pilot_id: str) -> str:
    """SHA-256 of every row in one order that no collation changes."""
    lines = sorted(
        "\t".join(str(value) for value in row).encode()
        for row in connection.execute(
            select(*(spend_days.c[name] for name in (*KEY, *COUNTS))).where(
                spend_days.c.pilot_id == pilot_id
            )
        )
    )
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _rollup(row: Row[Any]) -> Rollup:
    return Rollup(
        day=row.day,
        team=row.team,
        user=row.user_name,
        importance=Importance(row.importance),
        domain=Domain(row.domain),
        currency=row.currency,
        answers=row.answers,
        entries=row.entries,
        units=queries.units(row),
        charged_nanos=row.charged_nanos,
        refunded_nanos=row.refunded_nanos,
    )
