"""Accounts, their roles, preferences, sessions, one-time links and failed attempts, as rows."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from app.ports import Account, Client, OpenSession, Preferences, SignedIn, Way
from policies.errors import InvalidInput, NotFound
from policies.roles import Role
from storage.account_tables import (
    account_links,
    account_roles,
    accounts,
    preferences,
    sessions,
    sign_in_attempts,
    teams,
)
from storage.dialect import keep, upsert
from storage.tables import users


class SqlAccounts:
    """app.ports.Accounts of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def add(self, account: Account) -> None:
        this = select(accounts.c.user_name).where(self._is(account.user))
        if self._connection.execute(this).first() is not None:
            raise InvalidInput(
                f"{account.user} has an account already", "user_taken", name=account.user
            )
        self._keep_user(account.user, account.created_at)
        self._keep_team(account.team, account.created_at)
        row = {
            "pilot_id": self._pilot_id,
            "user_name": account.user,
            "team": account.team,
            "password_hash": account.password_hash,
            "created_at": account.created_at,
            "disabled_at": account.disabled_at,
        }
        self._connection.execute(insert(accounts), row)
        self._add_roles(account.user, account.roles)

    def get(self, user: str) -> Account:
        row = self._connection.execute(select(accounts).where(self._is(user))).one_or_none()
        if row is None:
            raise NotFound(f"there is no account {user}", user=user)
        r = account_roles.c
        of = select(r.role).where(r.pilot_id == self._pilot_id, r.user_name == user)
        return _account(row, self._connection.execute(of).scalars().all())

    def all(self) -> list[Account]:
        a, r = accounts.c, account_roles.c
        rows = select(accounts).where(a.pilot_id == self._pilot_id).order_by(a.user_name)
        having: dict[str, list[str]] = {}
        of_all = select(r.user_name, r.role).where(r.pilot_id == self._pilot_id)
        for user, role in self._connection.execute(of_all):
            having.setdefault(user, []).append(role)
        return [
            _account(row, having.get(row.user_name, [])) for row in self._connection.execute(rows)
        ]

    def set_roles(self, user: str, roles: Collection[Role]) -> None:
        r = account_roles.c
        old = delete(account_roles).where(r.pilot_id == self._pilot_id, r.user_name == user)
        self._connection.execute(old)
        self._add_roles(user, roles)

    def set_team(self, user: str, team: str) -> None:
        created = self.get(user).created_at
        self._keep_team(team, created)
        self._set(user, team=team)

    def set_password(self, user: str, password_hash: str) -> None:
        self._set(user, password_hash=password_hash)

    def set_disabled(self, user: str, at: datetime | None) -> None:
        self._set(user, disabled_at=at)

    def open_session(self, token: str, session: SignedIn) -> None:
        self._keep_user(session.user, session.seen_at)
        row = {
            "token_sha256": token,
            "pilot_id": self._pilot_id,
            "user_name": session.user,
            "way": session.way.value,
            "created_at": session.seen_at,
            "seen_at": session.seen_at,
            "expires_at": session.expires_at,
            **asdict(session.client),
        }
        self._connection.execute(insert(sessions), row)

    def session(self, token: str) -> SignedIn | None:
        row = self._connection.execute(select(sessions).where(self._has(token))).one_or_none()
        if row is None:
            return None
        return SignedIn(row.user_name, Way(row.way), row.seen_at, row.expires_at, _client(row))

    def sessions(self, user: str, way: Way) -> list[OpenSession]:
        s = sessions.c
        mine = select(sessions).where(
            s.pilot_id == self._pilot_id, s.user_name == user, s.way == way.value
        )
        rows = self._connection.execute(mine.order_by(s.seen_at.desc(), s.token_sha256))
        return [
            OpenSession(row.token_sha256, row.created_at, row.seen_at, row.expires_at, _client(row))
            for row in rows
        ]

    def touch(self, token: str, now: datetime) -> None:
        self._connection.execute(update(sessions).where(self._has(token)).values(seen_at=now))

    def end_session(self, token: str) -> None:
        self._connection.execute(delete(sessions).where(self._has(token)))

    def end_sessions(self, user: str, but: str = "") -> None:
        s = sessions.c
        mine = (s.pilot_id == self._pilot_id) & (s.user_name == user)
        self._connection.execute(delete(sessions).where(mine, s.token_sha256 != but))

    def add_link(self, token: str, user: str, now: datetime, expires_at: datetime) -> None:
        self.drop_links(user)
        row = {"token_sha256": token, "pilot_id": self._pilot_id, "user_name": user}
        times = {"created_at": now, "expires_at": expires_at}
        self._connection.execute(insert(account_links), row | times)

    def drop_links(self, user: str) -> None:
        c = account_links.c
        mine = delete(account_links).where(c.pilot_id == self._pilot_id, c.user_name == user)
        self._connection.execute(mine)

    def link(self, token: str, now: datetime) -> str | None:
        live = select(account_links.c.user_name).where(*self._live(token, now))
        return self._connection.execute(live).scalar_one_or_none()

    def use_link(self, token: str, now: datetime) -> str | None:
        used = update(account_links).where(*self._live(token, now)).values(used_at=now)
        found = self._connection.execute(used.returning(account_links.c.user_name))
        return found.scalar_one_or_none()

    def attempts(self, name: str, since: datetime) -> tuple[int, datetime | None]:
        a = sign_in_attempts.c
        recent = select(a.failures, a.last_at).where(
            a.pilot_id == self._pilot_id, a.name_sha256 == name, a.last_at >= since
        )
        row = self._connection.execute(recent).one_or_none()
        return (0, None) if row is None else (row.failures, row.last_at)

    def count_attempt(self, name: str, now: datetime, since: datetime) -> None:
        a = sign_in_attempts.c
        old = delete(sign_in_attempts).where(a.pilot_id == self._pilot_id, a.last_at < since)
        self._connection.execute(old)
        row = {"pilot_id": self._pilot_id, "name_sha256": name, "failures": 1, "last_at": now}
        first = upsert(self._connection.dialect.name, sign_in_attempts)
        more = first.on_conflict_do_update(
            index_elements=["pilot_id", "name_sha256"],
            set_={"failures": a.failures + 1, "last_at": now},
        )
        self._connection.execute(more, row)

    def forgive(self, name: str) -> None:
        a = sign_in_attempts.c
        this = delete(sign_in_attempts).where(a.pilot_id == self._pilot_id, a.name_sha256 == name)
        self._connection.execute(this)

    def preferences(self, user: str) -> Preferences:
        p = preferences.c
        mine = select(p.language, p.time_zone).where(
            p.pilot_id == self._pilot_id, p.user_name == user
        )
        row = self._connection.execute(mine).one_or_none()
        return Preferences() if row is None else Preferences(*row)

    def set_preferences(self, user: str, chosen: Preferences, now: datetime) -> None:
        self._keep_user(user, now)
        said = {"language": chosen.language, "time_zone": chosen.time_zone}
        row = {"pilot_id": self._pilot_id, "user_name": user} | said
        first = upsert(self._connection.dialect.name, preferences)
        these = first.on_conflict_do_update(index_elements=["pilot_id", "user_name"], set_=said)
        self._connection.execute(these, row)

    def clear(self, now: datetime, unseen_since: datetime) -> None:
        s = sessions.c
        over = or_(s.expires_at <= now, s.seen_at <= unseen_since)
        self._connection.execute(delete(sessions).where(s.pilot_id == self._pilot_id, over))

    def _is(self, user: str) -> ColumnElement[bool]:
        return (accounts.c.pilot_id == self._pilot_id) & (accounts.c.user_name == user)

    def _has(self, token: str) -> ColumnElement[bool]:
        return (sessions.c.pilot_id == self._pilot_id) & (sessions.c.token_sha256 == token)

    def _live(self, token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
        c = account_links.c
        mine = c.pilot_id == self._pilot_id
        return mine, c.token_sha256 == token, c.used_at.is_(None), c.expires_at > now

    def _set(self, user: str, **values: Any) -> None:
        changed = self._connection.execute(update(accounts).where(self._is(user)).values(values))
        if changed.rowcount != 1:
            raise NotFound(f"there is no account {user}", user=user)

    def _add_roles(self, user: str, roles: Collection[Role]) -> None:
        mine = {"pilot_id": self._pilot_id, "user_name": user}
        rows = [mine | {"role": role.value} for role in sorted(roles)]
        self._connection.execute(insert(account_roles), rows)

    def _keep_user(self, user: str, now: datetime) -> None:
        row = {"pilot_id": self._pilot_id, "name": user, "created_at": now}
        keep(self._connection, users, row)

    def _keep_team(self, team: str, now: datetime) -> None:
        row = {"pilot_id": self._pilot_id, "name": team, "created_at": now}
        keep(self._connection, teams, row)


def _client(row: Row[Any]) -> Client:
    return Client(row.browser, row.device, row.address)


def _account(row: Row[Any], roles: Collection[str]) -> Account:
    return Account(
        user=row.user_name,
        team=row.team,
        roles=frozenset(map(Role, roles)),
        created_at=row.created_at,
        password_hash=row.password_hash,
        disabled_at=row.disabled_at,
    )
