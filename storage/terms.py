"""What an answer was decided to be paid by: read wherever its money moves."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select

from policies.budget import Payer
from policies.document import Alerts, stored
from policies.errors import InvalidPolicy, NotFound
from policies.types import Domain, Importance
from storage.tables import answers, decisions, pilots, policy_versions


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose money an answer spends, in what, by whose days, and who is told when much is gone."""

    payer: Payer
    domain: Domain
    currency: str
    price_version: str
    alerts: Alerts
    seal: str
    """Of the decision."""
    zone: ZoneInfo


_A, _D, _P = answers.c, decisions.c, policy_versions.c
COLUMNS: tuple[ColumnElement[Any], ...] = (
    _A.user_name,
    _A.team,
    _D.granted,
    _D.domain,
    _D.currency,
    _D.price_version,
    _D.seal.label("decision_seal"),
    _P.text.label("policy_text"),
    pilots.c.time_zone,
)
"""What `terms_in` needs of a row."""
SOURCE = (
    answers.join(decisions, _D.answer_id == _A.id)
    .join(policy_versions, (_P.pilot_id == _D.pilot_id) & (_P.version == _D.policy_version))
    .join(pilots, pilots.c.id == _A.pilot_id)
)
"""Where it stands."""
_OF_ANSWER = (
    select(*COLUMNS)
    .select_from(SOURCE)
    .where(_A.pilot_id == bindparam("pilot"), _A.id == bindparam("answer"))
)


def terms_of(connection: Connection, pilot_id: str, answer_id: str) -> Terms:
    names = {"pilot": pilot_id, "answer": answer_id}
    found = connection.execute(_OF_ANSWER, names).one_or_none()
    if found is None:
        raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
    return terms_in(found)


def terms_in(row: Row[Any]) -> Terms:
    return Terms(
        payer=Payer(row.user_name, row.team, Importance(row.granted)),
        domain=Domain(row.domain),
        currency=row.currency,
        price_version=row.price_version,
        alerts=_alerts(row.policy_text),
        seal=row.decision_seal,
        zone=ZoneInfo(row.time_zone),
    )


def _alerts(policy: str) -> Alerts:
    """A policy that this release reads no more must not keep a hold from being settled."""
    try:
        return stored(policy).alerts
    except (InvalidPolicy, ValueError):
        return Alerts()
