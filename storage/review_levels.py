"""How long reviews wait: those open now, and of the newest decided ones how long they took."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select, union_all

from app.ports.board import ReviewLevel
from policies.review import ItemKind, ItemState, OutcomeKind
from policies.types import Importance
from storage.review_tables import review_items


def review_levels(
    connection: Connection, pilot_id: str, now: datetime, window: int
) -> list[ReviewLevel]:
    """app.ports.board.Board.levels, in one statement."""
    i = review_items.c
    columns = (i.importance, i.opened_at, i.due_at, i.decided_at, i.outcome)
    mine = and_(i.pilot_id == pilot_id, i.kind == ItemKind.REQUIRED.value)
    is_open = i.state.in_((ItemState.WAITING.value, ItemState.ASKED.value))
    newest = (
        select(*columns)
        .where(mine, i.state == ItemState.DECIDED.value)
        .order_by(i.decided_at.desc())
        .limit(window)
        .subquery()
    )
    found = defaultdict[str, list[Row[Any]]](list)
    both = union_all(select(*columns).where(mine, is_open), select(newest))
    for row in connection.execute(both):
        found[row.importance].append(row)
    return [_level(i, found[i.value], now) for i in Importance if found[i.value]]


def _level(importance: Importance, rows: Sequence[Row[Any]], now: datetime) -> ReviewLevel:
    decided = [row for row in rows if row.decided_at]
    waiting = [row for row in rows if not row.decided_at]
    return ReviewLevel(
        importance=importance,
        waiting=len(waiting),
        overdue=sum(row.due_at < now for row in waiting),
        oldest_at=min((row.opened_at for row in waiting), default=None),
        in_time=sum(row.decided_at <= row.due_at for row in decided),
        took_seconds=tuple(
            max(0.0, (row.decided_at - row.opened_at).total_seconds())
            for row in sorted(decided, key=lambda row: row.decided_at, reverse=True)
        ),
        approved=sum(row.outcome == OutcomeKind.APPROVED.value for row in decided),
    )
