"""Policies from draft to force: proposed, approved by another person, activated, rolled back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.ports import Activation, AuditEvent, Clock, OpenUnitOfWork, PolicyVersion, UnitOfWork
from policies.affordable import check
from policies.changes import Change, changes
from policies.document import Policy, stored
from policies.errors import InvalidInput, InvalidPolicy, NotFound
from policies.plain import check_plain
from policies.roles import Action, Actor, require
from policies.types import PriceList
from policies.written import Fault

SETTINGS, OPERATOR = "settings", "operator"
"""Who proposed and who approved the policy that a new pilot begins with."""
NOTE_CHARACTERS = 2000


class PolicyState(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"
    """It was in force once; rolling back needs no new approval."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A version with all that happened to it."""

    version: PolicyVersion
    state: PolicyState
    activations: tuple[Activation, ...]
    """Newest first."""


def begin(uow: UnitOfWork, first: Policy, now: datetime) -> None:
    """Put the policy of the settings in force where no policy is, as the operator's own choice.

    Raises InvalidPolicy where it cannot work at the prices in force.
    """
    if uow.policies.in_force() is not None:
        return
    _, wrong = faults(first.text, first.name, valid_now(uow.prices(), now))
    if wrong:
        raise InvalidPolicy(*wrong)
    if first.version not in {found.version for found in uow.policies.versions()}:
        note = "the policy this pilot began with"
        uow.policies.propose(
            PolicyVersion(first.version, first.name, first.text, first.text, note, SETTINGS, now)
        )
        uow.policies.approve(first.version, OPERATOR, now)
    _activated(uow, Activation(first.version, OPERATOR, now, "first start"), "policy.activate")


def in_force(uow: UnitOfWork, first: Policy) -> Policy:
    """What decides now, read in the caller's own transaction; `first` before any activation."""
    found = uow.policies.in_force()
    return first if found is None else stored(found.text)


def valid_now(lists: Iterable[PriceList], now: datetime) -> list[PriceList]:
    """The list in force of every model that has one."""
    latest: dict[str, PriceList] = {}
    for each in sorted(lists, key=lambda p: (p.valid_from, p.version)):
        if each.valid_from <= now:
            latest[each.model] = each
    return list(latest.values())


def faults(text: str, source: str, lists: Iterable[PriceList]) -> tuple[Policy | None, list[Fault]]:
    """A policy, and all that is wrong with it at the prices of any model. Never raises."""
    policy, found = check(text, source, None)
    if policy is not None:
        of_prices = [fault for prices in lists for fault in check(text, source, prices)[1]]
        found = list(dict.fromkeys(of_prices))
    return policy, found


@dataclass(frozen=True)
class PolicyDesk:
    """The use cases around a policy. Each changes one thing in one transaction."""

    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock

    def propose(self, actor: Actor, text: str, source: str, note: str = "") -> PolicyVersion:
        """Keep a draft. Raises InvalidPolicy with every fault, also at the prices in force."""
        require(actor, Action.PROPOSE_POLICY)
        now = self.clock()
        if len(note) > NOTE_CHARACTERS:
            raise InvalidInput(
                f"a note has at most {NOTE_CHARACTERS} characters, got {len(note)}",
                reason="note_long",
                limit=NOTE_CHARACTERS,
            )
        check_plain(note)
        with self.uow() as uow:
            policy, found = faults(text, source, valid_now(uow.prices(), now))
            if policy is None or found:
                raise InvalidPolicy(*found)
            proposal = PolicyVersion(
                policy.version,
                policy.name,
                policy.text,
                text,
                note,
                proposed_by=actor.user,
                proposed_at=now,
            )
            uow.policies.propose(proposal)
            details = {"name": policy.name, "note": note}
            uow.audit.append(AuditEvent(actor.user, "policy.propose", policy.version, details, now))
            uow.commit()
        return proposal

    def approve(self, actor: Actor, version: str) -> None:
        """By someone other than the author. Raises InvalidInput, NotFound."""
        require(actor, Action.APPROVE_POLICY)
        now = self.clock()
        with self.uow() as uow:
            uow.policies.approve(version, actor.user, now)
            uow.audit.append(AuditEvent(actor.user, "policy.approve", version, {}, now))
            uow.commit()

    def activate(self, actor: Actor, version: str, note: str = "") -> None:
        """From the next request on. Raises InvalidInput for a draft or what is active already.

        Faults that came with new prices are refused here too.
        """
        require(actor, Action.ACTIVATE_POLICY)
        with self.uow() as uow:
            self._activate(uow, version, actor.user, note, "policy.activate")
            uow.commit()

    def rollback(self, actor: Actor, to: str = "", note: str = "") -> str:
        """Back to a version that was in force, by default the one before; returns which."""
        require(actor, Action.ACTIVATE_POLICY)
        with self.uow() as uow:
            before = [each.version for each in uow.policies.activations()]
            earlier = [version for version in before if version != before[0]]
            if to and to not in earlier:
                raise InvalidInput(
                    f"{to} was not in force before; earlier ones: {', '.join(earlier) or 'none'}"
                )
            if not earlier:
                raise InvalidInput("no other policy was in force before this one")
            note = note or "rolled back"
            self._activate(uow, to or earlier[0], actor.user, note, "policy.rollback")
            uow.commit()
        return to or earlier[0]

    def current(self, actor: Actor) -> PolicyVersion:
        """Raises NotFound before the first activation."""
        require(actor, Action.VIEW)
        with self.reader() as uow:
            found = uow.policies.in_force()
        if found is None:
            raise NotFound("no policy is in force yet; start the app once")
        return found

    def get(self, actor: Actor, version: str) -> PolicyVersion:
        require(actor, Action.VIEW)
        with self.reader() as uow:
            return uow.policies.get(version)

    def history(self, actor: Actor) -> list[Entry]:
        """Every version, newest proposal first."""
        require(actor, Action.VIEW)
        with self.reader() as uow:
            versions, activations = uow.policies.versions(), uow.policies.activations()
        active = activations[0].version if activations else None
        return [_entry(version, activations, active) for version in versions]

    def diff(self, before: Policy, after: Policy) -> list[Change]:
        return changes(before, after)

    def _activate(self, uow: UnitOfWork, version: str, by: str, note: str, action: str) -> None:
        found, current = uow.policies.get(version), uow.policies.in_force()
        if current is not None and current.version == version:
            raise InvalidInput(
                f"{version} is in force already", reason="policy_active", version=version
            )
        now = self.clock()
        _, wrong = faults(found.source, version, valid_now(uow.prices(), now))
        if wrong:
            raise InvalidPolicy(*wrong)
        _activated(uow, Activation(version, by, now, note), action)


def _activated(uow: UnitOfWork, activation: Activation, action: str) -> None:
    uow.policies.activate(activation)
    by, at, details = activation.activated_by, activation.activated_at, {"note": activation.note}
    uow.audit.append(AuditEvent(by, action, activation.version, details, at))


def _entry(version: PolicyVersion, activations: list[Activation], active: str | None) -> Entry:
    mine = tuple(each for each in activations if each.version == version.version)
    if version.version == active:
        state = PolicyState.ACTIVE
    elif mine:
        state = PolicyState.RETIRED
    else:
        state = PolicyState.APPROVED if version.approved_by else PolicyState.DRAFT
    return Entry(version, state, mine)
