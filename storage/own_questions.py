"""What a person asked before, found by its words; nothing of what may not be read yet."""

from sqlalchemy import Connection, case, func, or_, select

from app.ports import AnswerStatus
from app.ports.board import Found
from policies.types import Domain, Importance
from storage.tables import answer_bodies, answers, decisions, ratings

OPEN = AnswerStatus.RELEASED.value
"""The one status whose text its asker may read whatever the policy says."""
HIDDEN = (AnswerStatus.EVIDENCE.value,)
"""Nobody asked for them."""


def own_questions(
    connection: Connection, pilot_id: str, user: str, words: str, limit: int
) -> list[Found]:
    """app.ports.board.Board.search. Found first, so that only what is shown is put together."""
    a, b, d = answers.c, answer_bodies.c, decisions.c
    shown = case((a.status == OPEN, func.coalesce(b.corrected, b.answer)), else_="")
    holds = [
        or_(b.question.icontains(word, autoescape=True), shown.icontains(word, autoescape=True))
        for word in words.split()
    ]
    found = (
        select(a.id, b.question, shown.label("answer"))
        .join(answer_bodies, b.answer_id == a.id)
        .where(a.pilot_id == pilot_id, a.user_name == user, a.status.not_in(HIDDEN), *holds)
        .order_by(a.created_at.desc(), a.id.desc())
        .limit(limit)
        .subquery()
    )
    query = (
        select(
            found,
            d.granted,
            d.domain,
            a.status,
            a.cost_nanos,
            d.currency,
            ratings.c.rating,
            a.created_at,
        )
        .join_from(found, answers, a.id == found.c.id)
        .join(decisions, d.answer_id == a.id)
        .outerjoin(ratings, ratings.c.answer_id == a.id)
        .order_by(a.created_at.desc(), a.id.desc())
    )
    return [
        Found(
            answer_id=row.id,
            question=row.question,
            answer=row.answer,
            granted=Importance(row.granted),
            domain=Domain(row.domain),
            status=AnswerStatus(row.status),
            cost_nanos=row.cost_nanos,
            currency=row.currency,
            rating=row.rating,
            created_at=row.created_at,
        )
        for row in connection.execute(query)
    ]
