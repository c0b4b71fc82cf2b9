"""Tables of accounts, sessions and the audit log, in the schema of tables.py.

Of a session and of a one-time link only a hash is kept: to read the database is not to sign in.
`users` in tables.py are the names that rows refer to; an account is what one of them signs in with.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from storage.schema import metadata
from storage.types import UtcDateTime


def _pilot() -> Column[str]:
    return Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True)


def _of_account() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["pilot_id", "user_name"], ["accounts.pilot_id", "accounts.user_name"]
    )


teams = Table(
    "teams",
    metadata,
    _pilot(),
    Column("name", String, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    _pilot(),
    Column("user_name", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("password_hash", String),  # NULL until the person has chosen one
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    ForeignKeyConstraint(["pilot_id", "user_name"], ["users.pilot_id", "users.name"]),
    ForeignKeyConstraint(["pilot_id", "team"], ["teams.pilot_id", "teams.name"]),
)

account_roles = Table(
    "account_roles",
    metadata,
    _pilot(),
    Column("user_name", String, primary_key=True),
    Column("role", String, primary_key=True),
    _of_account(),
    CheckConstraint(
        "role IN ('viewer', 'requester', 'reviewer', 'budget_owner', 'policy_owner', 'admin')",
        name="role_known",
    ),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String, primary_key=True),
    Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False),
    Column("user_name", String, nullable=False),
    Column("way", String, nullable=False),  # one by acting counts only where nobody signs in
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),  # whatever was seen
    Column("browser", String, nullable=False, server_default=""),  # empty: not known
    Column("device", String, nullable=False, server_default=""),
    Column("address", String, nullable=False, server_default=""),
    ForeignKeyConstraint(["pilot_id", "user_name"], ["users.pilot_id", "users.name"]),
    CheckConstraint("way IN ('password', 'acting')", name="way_known"),
    Index(None, "pilot_id", "user_name"),
)

# Of users and not of accounts: the examples one may act as have some too.
preferences = Table(
    "preferences",
    metadata,
    _pilot(),
    Column("user_name", String, primary_key=True),
    Column("language", String, nullable=False),  # empty: as the browser has it
    Column("time_zone", String, nullable=False),
    ForeignKeyConstraint(["pilot_id", "user_name"], ["users.pilot_id", "users.name"]),
)

account_links = Table(
    "account_links",
    metadata,
    Column("token_sha256", String, primary_key=True),
    Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False),
    Column("user_name", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    _of_account(),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    _pilot(),
    Column("name_sha256", String, primary_key=True),  # of any name that was typed, known or not
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)

# Text throughout, instants too: the hash is over exactly what stands here.
audit_log = Table(
    "audit_log",
    metadata,
    _pilot(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("by", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("details", Text, nullable=False),
    Column("hash", String, nullable=False),
    CheckConstraint("number > 0", name="counted"),
    Index(None, "pilot_id", "action"),
    Index(None, "pilot_id", "subject"),
)
