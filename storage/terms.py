"""What an answer was decided to be paid by: read wherever its money moves."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from policies.budget import Payer
from policies.errors import NotFound
from policies.types import Domain, Importance
from storage.tables import answers, decisions


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose money an answer spends, and in what."""

    payer: Payer
    domain: Domain
    currency: str
    price_version: str


def terms_of(connection: Connection, pilot_id: str, answer_id: str) -> Terms:
    a, d = answers.c, decisions.c
    found = connection.execute(
        select(a.user_name, a.team, d.granted, d.domain, d.currency, d.price_version)
        .join(decisions, d.answer_id == a.id)
        .where(a.pilot_id == pilot_id, a.id == answer_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
    payer = Payer(found.user_name, found.team, Importance(found.granted))
    return Terms(payer, Domain(found.domain), found.currency, found.price_version)
