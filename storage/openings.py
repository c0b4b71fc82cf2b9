"""What a counter starts from when it opens: all that its scope spent and holds in that window."""

from sqlalchemy import Connection, func, select

from policies.budget import Account, parse_scope
from storage.ledger_tables import holds, is_open, spend_days
from storage.tables import answers, decisions


def spent(connection: Connection, pilot_id: str, account: Account) -> tuple[int, int]:
    """Charged and refunded nanos, from the rollups."""
    kind, subject = parse_scope(account.scope)
    s = spend_days.c
    of_scope = {"team": s.team, "user": s.user_name, "importance": s.importance}
    query = select(func.sum(s.charged_nanos), func.sum(s.refunded_nanos))
    query = query.where(s.pilot_id == pilot_id)
    if kind in of_scope:
        query = query.where(of_scope[kind] == subject)
    if account.start:
        query = query.where(s.day.startswith(account.start))
    charged, refunded = connection.execute(query).one()
    return int(charged or 0), int(refunded or 0)


def open_holds(connection: Connection, pilot_id: str, account: Account) -> int:
    """Nanos."""
    kind, subject = parse_scope(account.scope)
    of_scope = {
        "team": answers.c.team,
        "user": answers.c.user_name,
        "importance": decisions.c.granted,
    }
    query = (
        select(func.sum(holds.c.nanos))
        .join(answers, answers.c.id == holds.c.answer_id)
        .join(decisions, decisions.c.answer_id == holds.c.answer_id)
        .where(holds.c.pilot_id == pilot_id, is_open)
    )
    if kind in of_scope:
        query = query.where(of_scope[kind] == subject)
    if account.start:
        query = query.where(holds.c.day.startswith(account.start))
    return int(connection.execute(query).scalar_one() or 0)
