"""Items of review, their claims and verdicts. A claim is taken by one conditional update.

What may never happen is refused by the database as well (migration 0005); here it is only asked.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from app.ports import AnswerStatus, Claim, ClaimEnd, NewReview, Place, ReviewFilter, ReviewItem
from policies.errors import NotFound
from policies.review import ItemKind, ItemState, OutcomeKind, Settled, Verdict, VerdictKind
from policies.review_time import metered
from storage import review_rows as rows
from storage.audit import MOST
from storage.review_seals import broken_reviews, seal_of
from storage.review_tables import review_claims, review_items, review_verdicts
from storage.tables import answer_bodies, answers

SALT_BYTES = 16
FREE = {"holder": None, "lease_until": None}
ENDS = {
    OutcomeKind.APPROVED: AnswerStatus.RELEASED,
    OutcomeKind.CORRECTED: AnswerStatus.RELEASED,
    OutcomeKind.REJECTED: AnswerStatus.REJECTED,
}


class SqlReviews:
    """app.ports.Reviews of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def open(self, new: NewReview) -> None:
        self._connection.execute(
            insert(review_items).values(
                answer_id=new.answer_id,
                pilot_id=self._pilot_id,
                kind=new.kind.value,
                approvals=new.approvals,
                importance=new.importance.value,
                rank=new.importance.rank,
                state=ItemState.WAITING.value,
                opened_at=new.opened_at,
                due_at=new.due_at,
            )
        )

    def get(self, answer_id: str) -> ReviewItem:
        found = self.find(answer_id)
        if found is None:
            raise NotFound(f"answer {answer_id} is not under review", answer_id=answer_id)
        return found

    def find(self, answer_id: str) -> ReviewItem | None:
        found = self._items(
            rows.selected(self._pilot_id).where(review_items.c.answer_id == answer_id)
        )
        return found[0] if found else None

    def queue(self, only: ReviewFilter, limit: int) -> list[ReviewItem]:
        i = review_items.c
        query = rows.selected(self._pilot_id).where(*rows.conditions(only))
        order = (i.rank.desc(), i.due_at, i.opened_at, i.answer_id)
        return self._items(query.order_by(*order).limit(limit))

    def places(self, answer_ids: Sequence[str]) -> dict[str, Place]:
        this, other = review_items.c, review_items.alias("other")
        o = other.c
        before = tuple_(-o.rank, o.due_at, o.opened_at, o.answer_id) < tuple_(
            -this.rank, this.due_at, this.opened_at, this.answer_id
        )
        waiting = (o.pilot_id == self._pilot_id, o.state == ItemState.WAITING.value)
        ahead = select(func.count()).select_from(other).where(*waiting, before)
        counted = ahead.correlate(review_items).scalar_subquery().label("ahead")
        query = select(this.answer_id, this.state, counted).where(
            this.pilot_id == self._pilot_id,
            this.answer_id.in_(answer_ids),
            this.state != ItemState.DECIDED.value,
        )
        found = self._connection.execute(query)
        return {row.answer_id: Place(ItemState(row.state), row.ahead) for row in found}

    def count(self, state: ItemState) -> int:
        i = review_items.c
        query = select(func.count()).where(i.pilot_id == self._pilot_id, i.state == state.value)
        return int(self._connection.execute(query).scalar_one())

    def claim(self, answer_id: str, by: str, now: datetime, lease: timedelta) -> bool:
        i, v = review_items.c, review_verdicts.c
        if self.beat(answer_id, by, now, now, lease):
            return True
        self._end_expired(now, i.answer_id == answer_id)
        mine = exists().where(v.answer_id == i.answer_id, v.reviewer == by)
        own = exists().where(answers.c.id == i.answer_id, answers.c.user_name == by)
        taken = (
            update(review_items)
            .where(self._this(answer_id), i.state == ItemState.WAITING.value)
            .where(or_(i.holder.is_(None), i.lease_until <= now), ~mine, ~own)
            .values(
                holder=by,
                claim=i.claim + 1,
                claimed_at=now,
                beaten_at=now,
                lease_until=now + lease,
                seconds=0,
            )
        )
        return self._connection.execute(taken).rowcount == 1

    def beat(
        self, answer_id: str, by: str, now: datetime, acted_at: datetime, lease: timedelta
    ) -> bool:
        row = self._held(answer_id, by)
        if row is None or row.lease_until <= now:
            return False
        beaten = (
            update(review_items)
            .where(self._this(answer_id), self._claim(row))
            .values(
                beaten_at=min(max(row.beaten_at, acted_at), now),
                lease_until=now + lease,
                seconds=row.seconds + metered(row.beaten_at, min(acted_at, now)),
            )
        )
        return self._connection.execute(beaten).rowcount == 1

    def leave(
        self,
        answer_id: str,
        by: str,
        now: datetime,
        acted_at: datetime | None,
        end: ClaimEnd,
        note: str = "",
    ) -> bool:
        row = self._held(answer_id, by)
        if row is None:
            return False
        until = min(acted_at or row.beaten_at, now, row.lease_until)
        worked = row.seconds + metered(row.beaten_at, until)
        return self._end(row, now, worked, end, note)

    def expire(self, now: datetime) -> list[str]:
        return self._end_expired(now, review_items.c.holder.is_not(None))

    def add_verdict(self, answer_id: str, verdict: Verdict) -> str:
        correct = verdict.kind is VerdictKind.CORRECT
        claim = select(review_items.c.claim).where(self._this(answer_id)).scalar_subquery()
        self._connection.execute(
            insert(review_verdicts).values(
                pilot_id=self._pilot_id,
                answer_id=answer_id,
                reviewer=verdict.reviewer,
                claim=claim,
                kind=verdict.kind.value,
                correction=verdict.correction if correct else None,
                reason=verdict.reason,
                source=verdict.source or None,
                given_at=verdict.given_at,
                salt=secrets.token_hex(SALT_BYTES),
            )
        )
        return seal_of(self._connection, answer_id, verdict.reviewer)

    def verdicts(self, answer_id: str) -> list[Verdict]:
        v = review_verdicts.c
        query = select(review_verdicts).where(
            v.pilot_id == self._pilot_id, v.answer_id == answer_id
        )
        return [rows.verdict(row) for row in self._connection.execute(query.order_by(v.id))]

    def set_state(self, answer_id: str, state: ItemState) -> None:
        this = update(review_items).where(self._this(answer_id))
        self._connection.execute(this.values(state=state.value))

    def decide(self, answer_id: str, settled: Settled, now: datetime) -> None:
        """Words, then the answer, then the item: the database looks at each against the verdicts"""
        item = self.get(answer_id)
        if item.kind is ItemKind.REQUIRED:
            if settled.outcome is OutcomeKind.CORRECTED:
                body = update(answer_bodies).where(answer_bodies.c.answer_id == answer_id)
                self._connection.execute(body.values(corrected=settled.correction))
            answer = update(answers).where(
                answers.c.pilot_id == self._pilot_id, answers.c.id == answer_id
            )
            self._connection.execute(answer.values(status=ENDS[settled.outcome].value))
        decided = {"state": ItemState.DECIDED.value, "outcome": settled.outcome.value}
        this = update(review_items).where(self._this(answer_id))
        self._connection.execute(this.values(decided | {"decided_at": now}))

    def claims(self, answer_id: str) -> list[Claim]:
        c = review_claims.c
        query = select(review_claims).where(c.pilot_id == self._pilot_id, c.answer_id == answer_id)
        return [rows.claim(row) for row in self._connection.execute(query.order_by(c.number))]

    def unbooked(self, limit: int) -> list[Claim]:
        c = review_claims.c
        query = select(review_claims).where(c.pilot_id == self._pilot_id, c.booked_at.is_(None))
        oldest = query.order_by(c.ended_at, c.answer_id, c.number).limit(limit)
        return [rows.claim(row) for row in self._connection.execute(oldest)]

    def mark_booked(self, answer_id: str, number: int, nanos: int, now: datetime) -> None:
        c = review_claims.c
        this = (c.pilot_id == self._pilot_id) & (c.answer_id == answer_id) & (c.number == number)
        booked = update(review_claims).where(this, c.booked_at.is_(None))
        self._connection.execute(booked.values(nanos=nanos, booked_at=now))

    def verify(self) -> list[str]:
        return list(islice(broken_reviews(self._connection, self._pilot_id), MOST))

    def _this(self, answer_id: str) -> ColumnElement[bool]:
        i = review_items.c
        return (i.pilot_id == self._pilot_id) & (i.answer_id == answer_id)

    def _claim(self, row: Row[Any]) -> ColumnElement[bool]:
        return and_(review_items.c.holder == row.holder, review_items.c.claim == row.claim)

    def _held(self, answer_id: str, by: str) -> Row[Any] | None:
        held = select(review_items).where(self._this(answer_id), review_items.c.holder == by)
        return self._connection.execute(held).one_or_none()

    def _end_expired(self, now: datetime, these: ColumnElement[bool]) -> list[str]:
        """Metered up to the last sign of life: after it nobody knows that anyone looked."""
        i = review_items.c
        query = select(review_items).where(
            i.pilot_id == self._pilot_id, i.holder.is_not(None), i.lease_until <= now, these
        )
        late = self._connection.execute(query.order_by(i.lease_until, i.answer_id)).all()
        return [
            str(row.answer_id)
            for row in late
            if self._end(row, now, row.seconds, ClaimEnd.EXPIRED, "")
        ]

    def _end(self, row: Row[Any], now: datetime, worked: int, end: ClaimEnd, note: str) -> bool:
        freed = update(review_items).where(self._this(row.answer_id), self._claim(row))
        if self._connection.execute(freed.values(FREE)).rowcount != 1:
            return False
        self._connection.execute(
            insert(review_claims).values(
                answer_id=row.answer_id,
                number=row.claim,
                pilot_id=self._pilot_id,
                reviewer=row.holder,
                began_at=row.claimed_at,
                ended_at=now,
                seconds=worked,
                end=end.value,
                note=note,
            )
        )
        return True

    def _items(self, query: Select[Any]) -> list[ReviewItem]:
        found = self._connection.execute(query).all()
        ids = [row.answer_id for row in found]
        v, c = review_verdicts.c, review_claims.c
        deciders = select(v.answer_id, v.reviewer).where(v.answer_id.in_(ids)).order_by(v.id)
        skippers = (
            select(c.answer_id, c.reviewer)
            .where(c.answer_id.in_(ids), c.end == ClaimEnd.SKIPPED.value)
            .order_by(c.number)
        )
        decided_by = rows.grouped(self._connection.execute(deciders))
        skipped_by = rows.grouped(self._connection.execute(skippers))
        return [
            rows.item(row, decided_by[row.answer_id], skipped_by[row.answer_id]) for row in found
        ]
