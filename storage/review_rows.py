"""Rows of reviews in the ports' words, and the conditions of the queue."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select

from app.ports import Claim, ClaimEnd, ReviewFilter, ReviewItem
from policies.review import ItemKind, ItemState, Lease, OutcomeKind, Verdict, VerdictKind
from policies.types import Domain, Importance
from storage.queries import review_of
from storage.review_tables import review_items, review_verdicts
from storage.tables import answers, decisions


def selected(pilot_id: str) -> Select[Any]:
    d, a = decisions.c, answers.c
    return (
        select(review_items, d.domain, d.review, a.user_name, a.team)
        .join(decisions, d.answer_id == review_items.c.answer_id)
        .join(answers, a.id == review_items.c.answer_id)
        .where(review_items.c.pilot_id == pilot_id)
    )


def conditions(only: ReviewFilter) -> list[ColumnElement[bool]]:
    i = review_items.c
    wanted = {
        i.importance: only.importance,
        decisions.c.domain: only.domain,
        answers.c.team: only.team or None,
        i.kind: only.kind,
        i.state: only.state,
    }
    found = [column == str(value) for column, value in wanted.items() if value is not None]
    if only.due_before:
        found.append(i.due_at < only.due_before)
    return [*found, _third()] if only.third else found


def _third() -> ColumnElement[bool]:
    """ReviewItem.third, told by the database."""
    i, v = review_items.c, review_verdicts.c
    given = select(func.count()).where(v.answer_id == i.answer_id).scalar_subquery()
    return given >= i.approvals + case((i.state == ItemState.DECIDED.value, 1), else_=0)


def grouped(rows: Iterable[Any]) -> defaultdict[str, tuple[str, ...]]:
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for answer_id, reviewer in rows:
        found[answer_id] += (reviewer,)
    return found


def item(row: Row[Any], decided_by: tuple[str, ...], skipped_by: tuple[str, ...]) -> ReviewItem:
    return ReviewItem(
        answer_id=row.answer_id,
        kind=ItemKind(row.kind),
        approvals=row.approvals,
        importance=Importance(row.importance),
        domain=Domain(row.domain),
        requester=row.user_name,
        team=row.team,
        review=review_of(row.review),
        state=ItemState(row.state),
        outcome=None if row.outcome is None else OutcomeKind(row.outcome),
        opened_at=row.opened_at,
        due_at=row.due_at,
        decided_at=row.decided_at,
        lease=None if row.holder is None else Lease(row.holder, row.lease_until),
        claim=row.claim,
        decided_by=decided_by,
        skipped_by=skipped_by,
    )


def verdict(row: Row[Any]) -> Verdict:
    return Verdict(
        reviewer=row.reviewer,
        kind=VerdictKind(row.kind),
        given_at=row.given_at,
        correction=row.correction or "",
        reason=row.reason,
        source=row.source or "",
    )


def claim(row: Row[Any]) -> Claim:
    return Claim(
        answer_id=row.answer_id,
        number=row.number,
        reviewer=row.reviewer,
        began_at=row.began_at,
        ended_at=row.ended_at,
        seconds=row.seconds,
        end=ClaimEnd(row.end),
        note=row.note,
        nanos=row.nanos or 0,
    )
