"""What an answer was decided to be paid by: read wherever its money moves."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from policies.budget import Payer
from policies.document import Alerts, stored
from policies.errors import InvalidPolicy, NotFound
from policies.types import Domain, Importance
from storage.tables import answers, decisions, policy_versions


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose money an answer spends, in what, and who is told when much of it is gone."""

    payer: Payer
    domain: Domain
    currency: str
    price_version: str
    alerts: Alerts
    seal: str
    """Of the decision."""


def terms_of(connection: Connection, pilot_id: str, answer_id: str) -> Terms:
    a, d, p = answers.c, decisions.c, policy_versions.c
    found = connection.execute(
        select(
            a.user_name, a.team, d.granted, d.domain, d.currency, d.price_version, d.seal, p.text
        )
        .join(decisions, d.answer_id == a.id)
        .join(policy_versions, (p.pilot_id == d.pilot_id) & (p.version == d.policy_version))
        .where(a.pilot_id == pilot_id, a.id == answer_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
    payer = Payer(found.user_name, found.team, Importance(found.granted))
    alerts = _alerts(found.text)
    return Terms(
        payer, Domain(found.domain), found.currency, found.price_version, alerts, found.seal
    )


def _alerts(policy: str) -> Alerts:
    """A policy that this release reads no more must not keep a hold from being settled."""
    try:
        return stored(policy).alerts
    except (InvalidPolicy, ValueError):
        return Alerts()
