"""From a browser's token to the person it speaks for: signing in and out, sessions, one-time links.

Where nobody signs in, a session says whom the one local person acts as; that person counts.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.ports import (
    Account,
    AuditEvent,
    Client,
    Clock,
    OpenUnitOfWork,
    Preferences,
    SignedIn,
    UnitOfWork,
    Way,
)
from app.services.accounts import (
    EXAMPLES,
    LOCAL,
    NAME,
    Auth,
    NewToken,
    canonical,
    digest,
    new_token,
)
from app.services.passwords import Passwords
from policies.errors import NotFound, Unauthenticated
from policies.roles import Actor

TYPED_CHARACTERS = 200
"""Of a name and of a password: what is longer is wrong without a look."""
UNKNOWN = "unknown"
"""Who failed to sign in; and under which name, where it has no account: it may be a password."""
TOUCHED_EVERY = timedelta(minutes=3)
"""At most so often is written down that someone is there."""
UNSAID = Client()


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long sessions last, and how many wrong passwords are too many."""

    idle: timedelta = timedelta(hours=2)
    absolute: timedelta = timedelta(hours=12)
    failures: int = 5
    lockout: timedelta = timedelta(minutes=15)

    @property
    def touched_every(self) -> timedelta:
        """Much shorter than the idle time, however short that is."""
        return min(TOUCHED_EVERY, self.idle / 4)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at a browser, and how they want to be spoken to."""

    actor: Actor
    preferences: Preferences


@dataclass(frozen=True)
class SignIn:
    """The use cases of a browser. What it carries is a token; what is kept is a hash of it."""

    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    clock: Clock
    auth: Auth
    passwords: Passwords
    lengths: Lengths = Lengths()
    new_token: NewToken = new_token

    def sign_in(self, name: str, password: str, client: Client = UNSAID) -> str:
        """A new session's token. Raises Unauthenticated: `wrong`, or `locked` with `minutes`.

        An attempt is counted before the password is looked at and forgiven if it was right, so
        that many at once are not more than one after another. All this is the same, and takes as
        long, for names without an account.
        """
        user = canonical(name[:TYPED_CHARACTERS])
        key = digest(user)
        kept, last_try = self.count(key, user)
        right = self.passwords.verify(kept, password)
        now = self.clock()
        with self.uow() as work:
            account = account_of(work, user)
            if not right or account is None or account.disabled_at or account.password_hash != kept:
                subject = UNKNOWN if account is None else user
                details = {"locked": last_try}
                work.audit.append(AuditEvent(UNKNOWN, "login.failed", subject, details, now))
                work.commit()
                raise Unauthenticated("the name or the password is wrong", "wrong")
            work.accounts.forgive(key)
            token = self._open(work, user, Way.PASSWORD, now, client)
            work.audit.append(AuditEvent(user, "login", user, {}, now))
            work.commit()
        return token

    def actor(self, token: str | None) -> Actor:
        """Whom a browser speaks for. Raises Unauthenticated where nobody vouches for it.

        Roles are read with every call, so a change of them, and a disabled account, count at once.
        """
        with self.reader() as work:
            return self._actor(work, token)

    def visitor(self, token: str | None) -> Visitor:
        """The same, with what they chose on the Settings page."""
        with self.reader() as work:
            actor = self._actor(work, token)
            return Visitor(actor, work.accounts.preferences(actor.user))

    def others(self) -> tuple[Actor, ...]:
        """Whom one may act as, oneself among them; empty where people sign in."""
        return (LOCAL, *EXAMPLES) if self.auth is Auth.OFF else ()

    def act_as(self, token: str | None, name: str) -> str:
        """A new session's token, for another of `others`. Raises NotFound where people sign in."""
        if self.auth is not Auth.OFF:
            raise NotFound("people sign in here; nobody acts as another")
        if name not in {other.user for other in self.others()}:
            raise NotFound(f"there is no example user {name}", user=name)
        now = self.clock()
        with self.uow() as work:
            if token:
                work.accounts.end_session(digest(token))
            fresh = self._open(work, name, Way.ACTING, now)
            work.audit.append(AuditEvent(name, "login.acting", name, {}, now))
            work.commit()
        return fresh

    def touch(self, token: str) -> None:
        """Someone is there: the session's idle time begins anew."""
        now = self.clock()
        with self.reader() as work:
            session = self._live(work, token)
        if session and now - session.seen_at >= self.lengths.touched_every:
            with self.uow() as work:
                work.accounts.touch(digest(token), now)
                work.commit()

    def sign_out(self, token: str) -> None:
        with self.uow() as work:
            session = work.accounts.session(digest(token))
            if session is None:
                return
            work.accounts.end_session(digest(token))
            user = session.user
            work.audit.append(AuditEvent(user, "logout", user, {}, self.clock()))
            work.commit()

    def invited(self, link: str) -> str:
        """Whose one-time link it is. Raises Unauthenticated where it is none, or none any more."""
        with self.reader() as work:
            user = work.accounts.link(digest(link), self.clock())
        if user is None:
            raise Unauthenticated("this link was used or has run out; ask for a new one", "link")
        return user

    def choose_password(self, link: str, password: str, client: Client = UNSAID) -> str:
        """Uses the link up; a new session's token. Ends all other sessions of the person.

        Raises Unauthenticated, InvalidInput; then the link stays good.
        """
        kept = self.passwords.hash(password, self.invited(link))
        now = self.clock()
        with self.uow() as work:
            user = work.accounts.use_link(digest(link), now)
            if user is None:
                raise Unauthenticated("this link was used or has run out; ask for one", "link")
            work.accounts.set_password(user, kept)
            work.accounts.end_sessions(user)
            work.accounts.forgive(digest(user))
            token = self._open(work, user, Way.PASSWORD, now, client)
            work.audit.append(AuditEvent(user, "password.set", user, {}, now))
            work.audit.append(AuditEvent(user, "login", user, {}, now))
            work.commit()
        return token

    def count(self, key: str, user: str) -> tuple[str | None, bool]:
        """Before a password is looked at: the hash to compare with, and whether this attempt is
        the last one for now. Raises Unauthenticated `locked`.
        """
        now = self.clock()
        since = now - self.lengths.lockout
        with self.uow() as work:
            failures, last_at = work.accounts.attempts(key, since)
            if failures >= self.lengths.failures and last_at is not None:
                wait = (last_at - since).total_seconds()
                minutes = max(1, math.ceil(wait / 60))
                raise Unauthenticated(
                    f"too many wrong passwords; try again in {minutes} minutes, or ask an admin "
                    "for a new link",
                    "locked",
                    minutes=minutes,
                )
            work.accounts.count_attempt(key, now, since)
            account = account_of(work, user)
            work.commit()
        return (
            None if account is None else account.password_hash,
            failures + 1 >= self.lengths.failures,
        )

    def _actor(self, work: UnitOfWork, token: str | None) -> Actor:
        session = self._live(work, token)
        if self.auth is Auth.OFF:
            return _example(session.user) if session else LOCAL
        if session is None:
            raise Unauthenticated("sign in first", "session" if token else "")
        account = account_of(work, session.user)
        if account is None or account.disabled_at is not None:
            raise Unauthenticated("sign in first", "session")
        return account.actor

    def _open(
        self, work: UnitOfWork, user: str, way: Way, now: datetime, client: Client = UNSAID
    ) -> str:
        """Also drops what ended by itself, so that the table stays small."""
        token = self.new_token()
        work.accounts.clear(now, now - self.lengths.idle)
        work.accounts.open_session(
            digest(token), SignedIn(user, way, now, now + self.lengths.absolute, client)
        )
        return token

    def _live(self, work: UnitOfWork, token: str | None) -> SignedIn | None:
        session = work.accounts.session(digest(token)) if token else None
        if session is None:
            return None
        expected = Way.ACTING if self.auth is Auth.OFF else Way.PASSWORD
        now = self.clock()
        idle = now - session.seen_at >= self.lengths.idle
        over = now >= session.expires_at
        return None if session.way is not expected or idle or over else session


def account_of(work: UnitOfWork, user: str) -> Account | None:
    """Whatever was typed; what no name can be is not even looked up."""
    if not NAME.fullmatch(user):
        return None
    try:
        return work.accounts.get(user)
    except NotFound:
        return None


def _example(user: str) -> Actor:
    return next((each for each in EXAMPLES if each.user == user), LOCAL)
