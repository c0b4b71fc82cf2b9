"""What reviews say of rungs, of answers that nobody looked at, and of how much is called important.

Reads only, each in one pass.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select

from app.ports import AnswerStatus, AuditStratum, Marked, Past, RungVerdicts
from policies.review import ItemKind, ItemState, OutcomeKind
from policies.types import Importance
from storage.ledger_tables import ledger_entries
from storage.review_tables import review_claims, review_items, review_links, review_verdicts
from storage.tables import answer_bodies, answers, decisions

HARMFUL = (OutcomeKind.CORRECTED.value, OutcomeKind.REJECTED.value)
OUT = AnswerStatus.RELEASED.value


class SqlReviewFigures:
    """app.ports.ReviewFigures of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def by_rung(self) -> list[RungVerdicts]:
        i, d, v, c = review_items.c, decisions.c, review_verdicts.c, review_claims.c
        given = select(v.answer_id, func.count().label("n")).group_by(v.answer_id).subquery()
        spent = (
            select(c.answer_id, func.sum(c.seconds).label("seconds"))
            .group_by(c.answer_id)
            .subquery()
        )
        rung = (d.granted, d.solver, d.nfe_cap_per_token)
        query = (
            select(
                *rung,
                func.count().label("decided"),
                *(_number(i.outcome == kind.value, kind.value) for kind in OutcomeKind),
                func.coalesce(func.sum(given.c.n), 0).label("verdicts"),
                func.coalesce(func.sum(spent.c.seconds), 0).label("seconds"),
            )
            .join(decisions, d.answer_id == i.answer_id)
            .outerjoin(given, given.c.answer_id == i.answer_id)
            .outerjoin(spent, spent.c.answer_id == i.answer_id)
            .where(i.pilot_id == self._pilot_id, i.state == ItemState.DECIDED.value)
            .group_by(*rung)
        )
        found = [
            RungVerdicts(
                importance=Importance(row.granted),
                solver=row.solver,
                nfe_cap_per_token=row.nfe_cap_per_token,
                decided=row.decided,
                approved=int(row.approved),
                corrected=int(row.corrected),
                rejected=int(row.rejected),
                verdicts=int(row.verdicts),
                review_seconds=int(row.seconds),
            )
            for row in self._connection.execute(query)
        ]
        return sorted(found, key=lambda r: (r.importance.rank, r.nfe_cap_per_token, r.solver))

    def audit(self) -> list[AuditStratum]:
        """Answers that are out and that no rule made anyone look at first."""
        a, d, i = answers.c, decisions.c, review_items.c
        audited = i.kind == ItemKind.AUDIT.value
        decided = and_(audited, i.state == ItemState.DECIDED.value)
        query = (
            select(
                d.policy_version,
                func.count().label("out"),
                _number(audited, "sampled"),
                _number(decided, "decided"),
                _number(and_(decided, i.outcome.in_(HARMFUL)), "harmful"),
            )
            .select_from(answers)
            .join(decisions, d.answer_id == a.id)
            .outerjoin(review_items, i.answer_id == a.id)
            .where(a.pilot_id == self._pilot_id, a.status == OUT)
            .where(func.coalesce(i.kind, "") != ItemKind.REQUIRED.value)
            .group_by(d.policy_version)
            .order_by(d.policy_version)
        )
        return [
            AuditStratum(
                row.policy_version, row.out, int(row.sampled), int(row.decided), int(row.harmful)
            )
            for row in self._connection.execute(query)
        ]

    def marked(self) -> list[Marked]:
        """By the pilot's own months, as the ledger counts them."""
        e, d = ledger_entries.c, decisions.c
        month = func.substr(e.day, 1, 7).label("month")
        linked = exists().where(review_links.c.answer_id == e.answer_id)
        review = or_(e.kind == "review", linked)  # what is run for reviewers is part of reviewing
        keys = (month, e.team, d.asked, e.currency)
        query = (
            select(
                *keys,
                _number(and_(e.kind == "charge", ~linked), "answers"),
                func.sum(case((review, 0), else_=e.nanos)).label("compute"),
                func.sum(case((review, e.nanos), else_=0)).label("review"),
            )
            .join(decisions, d.answer_id == e.answer_id)
            .where(e.pilot_id == self._pilot_id)
            .group_by(*keys)
        )
        found = [
            Marked(
                month=row.month,
                team=row.team,
                importance=Importance(row.asked),
                answers=int(row.answers),
                compute_nanos=int(row.compute),
                review_nanos=int(row.review),
                currency=row.currency,
            )
            for row in self._connection.execute(query)
        ]
        return sorted(found, key=lambda m: (m.month, m.team, m.importance.rank))

    def decided(self, limit: int) -> list[Past]:
        i = review_items.c
        query = (
            select(
                i.answer_id,
                i.importance,
                i.outcome,
                i.decided_at,
                answers.c.user_name,
                answer_bodies.c.question,
            )
            .join(answers, answers.c.id == i.answer_id)
            .join(answer_bodies, answer_bodies.c.answer_id == i.answer_id)
            .where(i.pilot_id == self._pilot_id, i.state == ItemState.DECIDED.value)
            .order_by(i.decided_at.desc(), i.answer_id)
            .limit(limit)
        )
        return [
            Past(
                answer_id=row.answer_id,
                requester=row.user_name,
                importance=Importance(row.importance),
                outcome=OutcomeKind(row.outcome),
                decided_at=row.decided_at,
                question=row.question,
            )
            for row in self._connection.execute(query)
        ]

    def turnaround(self, importance: Importance, limit: int) -> list[float]:
        i = review_items.c
        query = (
            select(i.opened_at, i.decided_at)
            .where(
                i.pilot_id == self._pilot_id,
                i.state == ItemState.DECIDED.value,
                i.kind == ItemKind.REQUIRED.value,
                i.importance == importance.value,
            )
            .order_by(i.decided_at.desc())
            .limit(limit)
        )
        return [
            max(0.0, (row.decided_at - row.opened_at).total_seconds())
            for row in self._connection.execute(query)
        ]


def _number(condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name)
