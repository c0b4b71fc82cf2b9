"""What is written beside an item of review: drafts, messages, linked answers, notices."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.ports import (
    Draft,
    Linked,
    LinkKind,
    Message,
    MessageKind,
    NoticeKind,
    ReviewNotice,
)
from policies.review import VerdictKind
from policies.types import Importance
from storage.dialect import upsert
from storage.review_tables import review_drafts, review_links, review_messages, review_notices


class SqlReviewNotes:
    """app.ports.ReviewNotes of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def save(self, draft: Draft) -> None:
        written = {
            "kind": draft.kind and draft.kind.value,
            "correction": draft.correction,
            "reason": draft.reason,
            "saved_at": draft.saved_at,
        }
        key = {"answer_id": draft.answer_id, "reviewer": draft.reviewer}
        first = upsert(self._connection.dialect.name, review_drafts)
        first = first.values(key | written | {"pilot_id": self._pilot_id})
        self._connection.execute(
            first.on_conflict_do_update(index_elements=list(key), set_=written)
        )

    def draft(self, answer_id: str, reviewer: str) -> Draft | None:
        d = review_drafts.c
        mine = (d.pilot_id == self._pilot_id) & (d.answer_id == answer_id)
        query = select(review_drafts).where(mine, d.reviewer == reviewer)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _draft(row)

    def say(self, message: Message) -> None:
        self._connection.execute(
            insert(review_messages).values(
                pilot_id=self._pilot_id,
                answer_id=message.answer_id,
                kind=message.kind.value,
                by_name=message.by,
                text=message.text,
                said_at=message.at,
            )
        )

    def messages(self, answer_id: str) -> list[Message]:
        m = review_messages.c
        query = select(review_messages).where(
            m.pilot_id == self._pilot_id, m.answer_id == answer_id
        )
        return [
            Message(row.answer_id, MessageKind(row.kind), row.by_name, row.text, row.said_at)
            for row in self._connection.execute(query.order_by(m.id))
        ]

    def link(self, linked: Linked) -> None:
        self._connection.execute(
            insert(review_links).values(
                answer_id=linked.answer_id,
                pilot_id=self._pilot_id,
                of_answer_id=linked.of,
                kind=linked.kind.value,
                by_name=linked.by,
                linked_at=linked.at,
            )
        )

    def linked(self, answer_id: str) -> list[Linked]:
        k = review_links.c
        query = select(review_links).where(
            k.pilot_id == self._pilot_id, k.of_answer_id == answer_id
        )
        return [
            Linked(row.answer_id, row.of_answer_id, LinkKind(row.kind), row.by_name, row.linked_at)
            for row in self._connection.execute(query.order_by(k.linked_at, k.answer_id))
        ]

    def note(self, notice: ReviewNotice) -> bool:
        row = {
            "answer_id": notice.answer_id,
            "kind": notice.kind.value,
            "channel": notice.channel,
            "pilot_id": self._pilot_id,
            "importance": notice.importance.value,
            "due_at": notice.due_at,
            "noted_at": notice.noted_at,
        }
        first = upsert(self._connection.dialect.name, review_notices).values(row)
        return self._connection.execute(first.on_conflict_do_nothing()).rowcount == 1

    def take_notices(self, now: datetime) -> list[ReviewNotice]:
        n = review_notices.c
        taken = (
            update(review_notices)
            .where(n.pilot_id == self._pilot_id, n.sent_at.is_(None))
            .values(sent_at=now)
            .returning(review_notices)
        )
        found = [_notice(row) for row in self._connection.execute(taken)]
        return sorted(found, key=lambda n: (n.noted_at, n.answer_id, n.kind, n.channel))

    def give_back(self, notice: ReviewNotice) -> None:
        n = review_notices.c
        unsent = update(review_notices).where(
            n.pilot_id == self._pilot_id,
            n.answer_id == notice.answer_id,
            n.kind == notice.kind.value,
            n.channel == notice.channel,
        )
        self._connection.execute(unsent.values(sent_at=None))


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        answer_id=row.answer_id,
        reviewer=row.reviewer,
        kind=None if row.kind is None else VerdictKind(row.kind),
        correction=row.correction,
        reason=row.reason,
        saved_at=row.saved_at,
    )


def _notice(row: Row[Any]) -> ReviewNotice:
    return ReviewNotice(
        answer_id=row.answer_id,
        kind=NoticeKind(row.kind),
        channel=row.channel,
        importance=Importance(row.importance),
        due_at=row.due_at,
        noted_at=row.noted_at,
    )
