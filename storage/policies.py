"""Policies: proposed, approved by another person, activated. The database refuses anything else."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from app.ports import Activation, PolicyVersion
from policies.errors import InvalidInput, NotFound
from storage.policy_tables import policy_activations, policy_proposals
from storage.repositories import keep_policy
from storage.seals import BEFORE_THE_FIRST, Tally, seal
from storage.tables import policy_versions

_VERSIONS = (
    select(policy_proposals, policy_versions.c.name, policy_versions.c.text)
    .join(
        policy_versions,
        (policy_versions.c.pilot_id == policy_proposals.c.pilot_id)
        & (policy_versions.c.version == policy_proposals.c.version),
    )
    .where(policy_proposals.c.pilot_id == bindparam("pilot"))
)
_IN_FORCE = _VERSIONS.where(
    policy_proposals.c.version
    == select(policy_activations.c.version)
    .where(policy_activations.c.pilot_id == bindparam("pilot"))
    .order_by(policy_activations.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
"""Made once: every request needs it."""


class SqlPolicies:
    """app.ports.Policies of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id
        self._proposals = Tally(connection, pilot_id, policy_proposals)

    def propose(self, proposal: PolicyVersion) -> None:
        """The version itself may be there already: a setting can name a policy before anyone."""
        values = asdict(proposal) | {"pilot_id": self._pilot_id}
        name, text = values.pop("name"), values.pop("text")
        at = proposal.proposed_at
        keep_policy(self._connection, self._pilot_id, proposal.version, name, text, at)
        p = policy_proposals.c
        same = select(p.version).where(p.pilot_id == self._pilot_id, p.version == proposal.version)
        if self._connection.execute(same).first() is not None:
            raise InvalidInput(
                f"a policy that says the same was proposed before: {proposal.version}",
                reason="policy_same",
                version=proposal.version,
            )
        mark = seal(policy_proposals, values)
        self._connection.execute(insert(policy_proposals).values(values | {"seal": mark}))
        self._proposals.move(added=[mark])

    def approve(self, version: str, by: str, now: datetime) -> None:
        p = policy_proposals.c
        found = self.get(version)
        if found.proposed_by == by:
            raise InvalidInput(
                f"{by} proposed {version}; someone else must approve it", reason="policy_own"
            )
        these = select(policy_proposals).where(p.pilot_id == self._pilot_id, p.version == version)
        before = self._connection.execute(these).one()
        values: dict[str, Any] = {"approved_by": by, "approved_at": now}
        values["seal"] = seal(policy_proposals, {**before._mapping, **values})
        approved = (
            update(policy_proposals)
            .where(
                p.pilot_id == self._pilot_id,
                p.version == version,
                p.approved_by.is_(None),
                p.proposed_by != by,
            )
            .values(values)
        )
        if self._connection.execute(approved).rowcount != 1:
            raise InvalidInput(
                f"{version} was approved by {found.approved_by} already",
                reason="policy_approved",
                by=str(found.approved_by),
            )
        self._proposals.move(added=[values["seal"]], removed=[before.seal])

    def activate(self, activation: Activation) -> None:
        found = self.get(activation.version)
        if found.approved_by is None:
            raise InvalidInput(
                f"{activation.version} is a draft: someone other than {found.proposed_by} must "
                "approve it first",
                reason="policy_draft",
            )
        a = policy_activations.c
        newest = select(a.seal).where(a.pilot_id == self._pilot_id).order_by(a.id.desc()).limit(1)
        before = self._connection.execute(newest).scalar_one_or_none() or BEFORE_THE_FIRST
        values = asdict(activation) | {"approved_by": found.approved_by}
        values["pilot_id"] = self._pilot_id
        mark = seal(policy_activations, values, before)
        self._connection.execute(insert(policy_activations).values(values | {"seal": mark}))
        Tally(self._connection, self._pilot_id, policy_activations).move(added=[mark])

    def get(self, version: str) -> PolicyVersion:
        query = _VERSIONS.where(policy_proposals.c.version == version)
        row = self._connection.execute(query, {"pilot": self._pilot_id}).one_or_none()
        if row is None:
            raise NotFound(f"there is no policy {version}", version=version)
        return _version(row)

    def in_force(self) -> PolicyVersion | None:
        row = self._connection.execute(_IN_FORCE, {"pilot": self._pilot_id}).one_or_none()
        return None if row is None else _version(row)

    def versions(self) -> list[PolicyVersion]:
        newest = _VERSIONS.order_by(
            policy_proposals.c.proposed_at.desc(), policy_proposals.c.version
        )
        found = self._connection.execute(newest, {"pilot": self._pilot_id})
        return [_version(row) for row in found]

    def activations(self) -> list[Activation]:
        a = policy_activations.c
        newest = (
            select(a.version, a.activated_by, a.activated_at, a.note)
            .where(a.pilot_id == self._pilot_id)
            .order_by(a.id.desc())
        )
        return [Activation(**row._mapping) for row in self._connection.execute(newest)]


def _version(row: Row[Any]) -> PolicyVersion:
    values = dict(row._mapping)
    del values["pilot_id"], values["seal"]
    return PolicyVersion(**values)
