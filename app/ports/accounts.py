"""Accounts: who may sign in, with what, in which team and roles, and what is open for them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from policies.roles import Actor, Role


@dataclass(frozen=True, slots=True)
class Account:
    """`password_hash` is None until its person has chosen a password."""

    user: str
    team: str
    roles: frozenset[Role]
    created_at: datetime
    password_hash: str | None = None
    disabled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        return Actor(self.user, self.team, self.roles)


class Way(StrEnum):
    """How a session began."""

    PASSWORD = "password"
    ACTING = "acting"
    """Chosen where nobody signs in; worth nothing where people do."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where a session began, as its browser said. What is empty is not known."""

    browser: str = ""
    """As Firefox."""
    device: str = ""
    """As Windows or iPhone."""
    address: str = ""
    """IP address."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session. It ends at `expires_at`, or sooner where nothing was seen of it for long."""

    user: str
    way: Way
    seen_at: datetime
    expires_at: datetime
    client: Client = Client()


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its own person may see it; `token` is the hash under which it is kept."""

    token: str
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    client: Client


@dataclass(frozen=True, slots=True)
class Preferences:
    """How the pages speak to one person. What is empty is as their browser has it."""

    language: str = ""
    time_zone: str = ""
    """IANA name, as Asia/Tokyo."""


class Accounts(Protocol):
    """Tokens come as the SHA-256 of what a browser or a link carries, in hexadecimal."""

    def add(self, account: Account) -> None:
        """Makes the team where it is new. Raises InvalidInput where the user has an account."""
        ...

    def get(self, user: str) -> Account:
        """Raises NotFound."""
        ...

    def all(self) -> list[Account]:
        """By name."""
        ...

    def set_roles(self, user: str, roles: Collection[Role]) -> None: ...

    def set_team(self, user: str, team: str) -> None: ...

    def set_password(self, user: str, password_hash: str) -> None: ...

    def set_disabled(self, user: str, at: datetime | None) -> None:
        """None lets them in again."""
        ...

    def open_session(self, token: str, session: SignedIn) -> None: ...

    def session(self, token: str) -> SignedIn | None: ...

    def sessions(self, user: str, way: Way) -> list[OpenSession]:
        """A user's that began so, the latest seen first; also those that ended by themselves."""
        ...

    def touch(self, token: str, now: datetime) -> None: ...

    def end_session(self, token: str) -> None: ...

    def end_sessions(self, user: str, but: str = "") -> None:
        """All of a user's, or all but one."""
        ...

    def add_link(self, token: str, user: str, now: datetime, expires_at: datetime) -> None:
        """Instead of the user's earlier ones."""
        ...

    def drop_links(self, user: str) -> None:
        """None of the user's links is worth anything from now on."""
        ...

    def link(self, token: str, now: datetime) -> str | None:
        """Whose link it is; None where it was used, ran out or never was."""
        ...

    def use_link(self, token: str, now: datetime) -> str | None:
        """The same, once: one conditional update."""
        ...

    def attempts(self, name: str, since: datetime) -> tuple[int, datetime | None]:
        """Failed attempts to sign in under a name since then, and when the last was.

        `name` is the SHA-256 of whatever was typed.
        """
        ...

    def count_attempt(self, name: str, now: datetime, since: datetime) -> None:
        """One more; those whose last one was before `since` are forgotten."""
        ...

    def forgive(self, name: str) -> None: ...

    def preferences(self, user: str) -> Preferences:
        """Empty ones for whom none are kept."""
        ...

    def set_preferences(self, user: str, chosen: Preferences, now: datetime) -> None: ...

    def clear(self, now: datetime, unseen_since: datetime) -> None:
        """Drops sessions that ended by themselves."""
        ...
