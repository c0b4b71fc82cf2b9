"""What people do about themselves: language and time zone, their password, their own sessions.

Managing the accounts of others is in accounts.py.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from app.ports import AuditEvent, Client, Preferences, Way
from app.services.accounts import Auth, digest
from app.services.sign_in import SignIn, account_of
from policies.errors import InvalidInput, NotFound, Unauthenticated
from policies.roles import Action, Actor, require

ID_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A browser in which its person is signed in."""

    id: str
    """Names it among one's own; it opens nothing."""
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool
    """The one that asks."""
    client: Client


@dataclass(frozen=True)
class OwnAccount:
    """Nobody needs a role for these, and nobody reaches another person by them."""

    door: SignIn
    languages: Collection[str]
    """In which there are pages."""

    def preferences(self, actor: Actor) -> Preferences:
        require(actor, Action.VIEW)
        with self.door.reader() as work:
            return work.accounts.preferences(actor.user)

    def prefer(self, actor: Actor, chosen: Preferences) -> None:
        """From the next click on, in every browser. Raises InvalidInput."""
        require(actor, Action.VIEW)
        if chosen.language and chosen.language not in self.languages:
            raise InvalidInput(
                f"language must be one of {', '.join(self.languages)}, got {chosen.language!r}",
                "language",
            )
        if chosen.time_zone and chosen.time_zone not in available_timezones():
            raise InvalidInput(f"there is no time zone {chosen.time_zone!r}", "time_zone")
        now = self.door.clock()
        with self.door.uow() as work:
            work.accounts.set_preferences(actor.user, chosen, now)
            details = {"language": chosen.language, "time_zone": chosen.time_zone}
            event = AuditEvent(actor.user, "user.preferences", actor.user, details, now)
            work.audit.append(event)
            work.commit()

    def sessions(self, token: str | None) -> list[OwnSession]:
        """One's own that are open, the latest seen first; none where nobody signs in."""
        if self.door.auth is Auth.OFF:
            return []
        user, now = self.door.actor(token).user, self.door.clock()
        mine = digest(token or "")
        with self.door.reader() as work:
            found = work.accounts.sessions(user, Way.PASSWORD)
        return [
            OwnSession(_id(s.token), s.began_at, s.seen_at, s.expires_at, s.token == mine, s.client)
            for s in found
            if now < s.expires_at and now - s.seen_at < self.door.lengths.idle
        ]

    def end(self, token: str | None, session: str) -> None:
        """One of one's own sessions, by its id. Raises NotFound."""
        user, now = self._signed_in(token), self.door.clock()
        with self.door.uow() as work:
            mine = {_id(s.token): s for s in work.accounts.sessions(user, Way.PASSWORD)}
            if session not in mine:
                raise NotFound("this session is not open", session=session)
            ended = mine[session]
            work.accounts.end_session(ended.token)
            details = {"browser": ended.client.browser, "device": ended.client.device}
            work.audit.append(AuditEvent(user, "session.end", user, details, now))
            work.commit()

    def end_others(self, token: str | None) -> None:
        """All but the one that asks."""
        user, now = self._signed_in(token), self.door.clock()
        with self.door.uow() as work:
            work.accounts.end_sessions(user, but=digest(token or ""))
            work.audit.append(AuditEvent(user, "session.end_others", user, {}, now))
            work.commit()

    def change_password(self, token: str | None, current: str, new: str) -> None:
        """Ends all other sessions. Raises InvalidInput, Unauthenticated `current` or `locked`.

        A wrong current password counts as one at the sign-in page does, so a browser left open
        is no place to guess it.
        """
        user = self._signed_in(token)
        kept = self.door.passwords.hash(new, user)
        key = digest(user)
        before, last_try = self.door.count(key, user)
        right = self.door.passwords.verify(before, current)
        now = self.door.clock()
        with self.door.uow() as work:
            account = account_of(work, user)
            if not right or account is None or account.password_hash != before:
                details = {"locked": last_try}
                work.audit.append(AuditEvent(user, "password.refused", user, details, now))
                work.commit()
                raise Unauthenticated("the current password is wrong", "current")
            work.accounts.forgive(key)
            work.accounts.set_password(user, kept)
            work.accounts.drop_links(user)
            work.accounts.end_sessions(user, but=digest(token or ""))
            work.audit.append(AuditEvent(user, "password.change", user, {}, now))
            work.commit()

    def _signed_in(self, token: str | None) -> str:
        """Whose account it is. Raises NotFound where nobody signs in, and so has none."""
        if self.door.auth is Auth.OFF:
            raise NotFound("nobody signs in here")
        return self.door.actor(token).user


def _id(token: str) -> str:
    """Of the hash under which a session is kept, so that not even that leaves the database."""
    return digest(token)[:ID_CHARACTERS]
