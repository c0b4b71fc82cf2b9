"""Accounts as an admin keeps them, and who a shell command speaks for.

Signing in is in sign_in.py. Every change is an entry of the audit log in its own transaction.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.ports import Account, AuditEvent, Clock, OpenUnitOfWork, UnitOfWork
from policies.errors import InvalidInput, NotFound
from policies.roles import Action, Actor, Role, require

NAME = re.compile(r"[\w.@+-]{1,64}")
TEAM_CHARACTERS = 64
SYSTEM = "system"
"""Who does what nobody asked for: making the first admin, expiring holds."""
LOCAL = Actor("local", "pilot", frozenset(Role))
"""The one person there is where nobody signs in."""
RESERVED = frozenset({SYSTEM, LOCAL.user, "settings", "operator"})
FIRST_ADMIN = "admin"
EXAMPLES = (
    Actor("aiko", "sales", frozenset({Role.REQUESTER})),
    Actor("ben", "finance", frozenset({Role.REQUESTER})),
    Actor("chika", "quality", frozenset({Role.REVIEWER})),
    Actor("dan", "quality", frozenset({Role.REVIEWER})),
    Actor("emi", "finance", frozenset({Role.BUDGET_OWNER})),
    Actor("finn", "operations", frozenset({Role.POLICY_OWNER})),
    Actor("gen", "operations", frozenset({Role.POLICY_OWNER})),
    Actor("vera", "board", frozenset({Role.VIEWER})),
)
"""Whom one may act as where nobody signs in: enough people for four eyes everywhere."""


class Auth(StrEnum):
    """Who vouches for people."""

    LOCAL = "local"
    """Accounts of this pilot, with passwords."""
    OFF = "off"
    """Nobody: one local person, who may act as each of the examples. On loopback only."""


NewToken = Callable[[], str]


def new_token() -> str:
    """256 bits, fit for an address and a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token, or of a name that someone tried."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def canonical(name: str) -> str:
    """One spelling of a user's name: no two accounts differ by case or width alone."""
    return unicodedata.normalize("NFKC", name).strip().lower()


@dataclass(frozen=True)
class People:
    """The use cases of an admin. Each is one transaction."""

    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock
    auth: Auth
    link_life: timedelta = timedelta(hours=24)
    new_token: NewToken = new_token

    def add(self, actor: Actor, name: str, roles: Collection[Role], team: str) -> str:
        """A one-time link's token, with which the person chooses a password.

        Raises Forbidden, InvalidInput.
        """
        require(actor, Action.MANAGE_USERS)
        user, now = _new_name(name), self.clock()
        account = Account(user, _team(team), _roles(roles), now)
        with self.uow() as work:
            work.accounts.add(account)
            details = {"roles": _said(account.roles), "team": account.team}
            work.audit.append(AuditEvent(actor.user, "user.add", user, details, now))
            token = self._link(work, actor.user, user, now)
            work.commit()
        return token

    def all(self, actor: Actor) -> list[Account]:
        require(actor, Action.MANAGE_USERS)
        with self.reader() as work:
            return work.accounts.all()

    def get(self, actor: Actor, name: str) -> Account:
        """Raises Forbidden, NotFound."""
        require(actor, Action.MANAGE_USERS)
        with self.reader() as work:
            return work.accounts.get(canonical(name))

    def set_roles(self, actor: Actor, name: str, roles: Collection[Role]) -> None:
        """Instead of those they had; from their next click on. The last admin stays one."""
        require(actor, Action.MANAGE_USERS)
        user, now = canonical(name), self.clock()
        with self.uow() as work:
            before, admins = work.accounts.get(user).roles, _admins(work)
            work.accounts.set_roles(user, _roles(roles))
            _keep_an_admin(work, admins)
            details = {"roles": _said(roles), "before": _said(before)}
            work.audit.append(AuditEvent(actor.user, "user.roles", user, details, now))
            work.commit()

    def set_team(self, actor: Actor, name: str, team: str) -> None:
        require(actor, Action.MANAGE_USERS)
        user, now = canonical(name), self.clock()
        with self.uow() as work:
            before = work.accounts.get(user).team
            work.accounts.set_team(user, _team(team))
            details = {"team": team.strip(), "before": before}
            work.audit.append(AuditEvent(actor.user, "user.team", user, details, now))
            work.commit()

    def disable(self, actor: Actor, name: str) -> None:
        """Ends their sessions and links too. What they did stays; the last admin does too."""
        require(actor, Action.MANAGE_USERS)
        user, now = canonical(name), self.clock()
        with self.uow() as work:
            if work.accounts.get(user).disabled_at is not None:
                raise InvalidInput(f"{user} is disabled already", "user_disabled", name=user)
            admins = _admins(work)
            work.accounts.set_disabled(user, now)
            _keep_an_admin(work, admins)
            work.accounts.end_sessions(user)
            work.accounts.drop_links(user)
            work.audit.append(AuditEvent(actor.user, "user.disable", user, {}, now))
            work.commit()

    def enable(self, actor: Actor, name: str) -> None:
        require(actor, Action.MANAGE_USERS)
        user, now = canonical(name), self.clock()
        with self.uow() as work:
            work.accounts.get(user)
            work.accounts.set_disabled(user, None)
            work.audit.append(AuditEvent(actor.user, "user.enable", user, {}, now))
            work.commit()

    def link(self, actor: Actor, name: str) -> str:
        """A new one-time link, for a password forgotten or never chosen; earlier ones end."""
        require(actor, Action.MANAGE_USERS)
        user, now = canonical(name), self.clock()
        with self.uow() as work:
            if work.accounts.get(user).disabled_at is not None:
                raise InvalidInput(
                    f"{user} is disabled; `user enable {user}` comes first",
                    "user_disabled",
                    name=user,
                )
            work.accounts.forgive(digest(user))
            token = self._link(work, actor.user, user, now)
            work.commit()
        return token

    def first_admin(self) -> str | None:
        """A one-time link for the first admin; None once an admin has a password."""
        now = self.clock()
        with self.uow() as work:
            if any(a.password_hash for a in _admins(work)):
                return None
            if FIRST_ADMIN not in {a.user for a in work.accounts.all()}:
                account = Account(FIRST_ADMIN, "pilot", frozenset({Role.ADMIN}), now)
                work.accounts.add(account)
                details = {"roles": _said(account.roles), "team": account.team}
                work.audit.append(AuditEvent(SYSTEM, "user.add", FIRST_ADMIN, details, now))
            token = self._link(work, SYSTEM, FIRST_ADMIN, now)
            work.commit()
        return token

    def at_shell(self, name: str, own: str) -> Actor:
        """Who a command speaks for; without a name the system's own user.

        A name with an account has its roles. Whoever has a shell here owns the database, so the
        system's own user, and any name while there are no accounts, has all of them.
        """
        own = canonical(own) if NAME.fullmatch(canonical(own)) else LOCAL.user
        user = canonical(name) or own
        if self.auth is Auth.OFF:
            return next((each for each in EXAMPLES if each.user == user), _local(user))
        with self.reader() as work:
            found = {account.user: account for account in work.accounts.all()}
        if user not in found:
            if found and user not in (own, LOCAL.user):
                raise NotFound(
                    f"there is no account {user}; `user add {user} --role ROLE` makes one, and "
                    "without --user a command speaks for the local admin",
                    user=user,
                )
            return _local(user)
        if found[user].disabled_at is not None:
            raise NotFound(f"the account {user} is disabled", user=user)
        return found[user].actor

    def _link(self, work: UnitOfWork, by: str, user: str, now: datetime) -> str:
        token = self.new_token()
        work.accounts.add_link(digest(token), user, now, now + self.link_life)
        work.audit.append(AuditEvent(by, "user.link", user, {}, now))
        return token


def _local(user: str) -> Actor:
    return Actor(_checked(user), LOCAL.team, LOCAL.roles)


def _new_name(name: str) -> str:
    user = _checked(canonical(name))
    if user in RESERVED:
        raise InvalidInput(
            f"{user} is a name of the service itself; choose another", "user_reserved", name=user
        )
    return user


def _checked(user: str) -> str:
    if not NAME.fullmatch(user):
        raise InvalidInput(
            f"a user's name has 1 to 64 letters, digits or . _ @ + - and no blank, got {user!r}",
            "user_name",
        )
    return user


def _team(team: str) -> str:
    name = unicodedata.normalize("NFC", team).strip()
    if not 1 <= len(name) <= TEAM_CHARACTERS or not name.isprintable():
        raise InvalidInput(
            f"a team's name has 1 to {TEAM_CHARACTERS} characters, got {team!r}",
            "team_name",
            limit=TEAM_CHARACTERS,
        )
    return name


def _roles(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        raise InvalidInput(f"an account has at least one role of {', '.join(Role)}", "roles_none")
    return frozenset(roles)


def _said(roles: Collection[Role]) -> str:
    return " ".join(sorted(roles))


def _admins(work: UnitOfWork) -> list[Account]:
    return [a for a in work.accounts.all() if Role.ADMIN in a.roles and a.disabled_at is None]


def _keep_an_admin(work: UnitOfWork, before: list[Account]) -> None:
    """After a change: accounts that nobody can manage any more would be lost."""
    if before and not _admins(work):
        raise InvalidInput("this is the last admin; make another one first", "last_admin")
