"""Accounts with teams, roles and sessions, and the audit log with its head beside the pilot.

No account is made here: until there is one, everything is done from the shell or without sign-in.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
MESSAGE = "the audit log is append-only"
SQLITE_TRIGGERS = (
    f"""
    CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
    f"""
    CREATE TRIGGER pilots_audit_grows BEFORE UPDATE ON pilots
    WHEN NEW.audit_count < OLD.audit_count
    BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
    """,
)
POSTGRESQL_TRIGGERS = (
    f"""
    CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change('{MESSAGE}')
    """,
    f"""
    CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change('{MESSAGE}')
    """,
    f"""
    CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{MESSAGE}')
    """,
    f"""
    CREATE TRIGGER pilots_audit_grows BEFORE UPDATE ON pilots FOR EACH ROW
    WHEN (NEW.audit_count < OLD.audit_count) EXECUTE FUNCTION refuse_change('{MESSAGE}')
    """,
)
TABLES = (
    "teams",
    "accounts",
    "account_roles",
    "sessions",
    "account_links",
    "sign_in_attempts",
    "audit_log",
)


def upgrade() -> None:
    head = (
        sa.Column("audit_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("audit_hash", sa.String(), server_default="", nullable=False),
    )
    for column in head:
        op.add_column("pilots", column)
    _create_accounts()
    _create_sign_in()
    _create_audit_log()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for trigger in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """Loses accounts and the audit log."""
    on_pilots = " ON pilots" if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(f"DROP TRIGGER pilots_audit_grows{on_pilots}")
    for table in TABLES[::-1]:
        op.drop_table(table)
    for column in ("audit_hash", "audit_count"):
        op.drop_column("pilots", column)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, INSTANT, nullable=False) for name in names]


def _of_pilot(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name=f"fk_{table}_pilot_id")


def _of_user(table: str, parent: str, key: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["pilot_id", "user_name"],
        [f"{parent}.pilot_id", f"{parent}.{key}"],
        name=f"fk_{table}_pilot_id_user_name",
    )


def _create_accounts() -> None:
    op.create_table(
        "teams",
        *_text("pilot_id", "name"),
        *_instants("created_at"),
        _of_pilot("teams"),
        sa.PrimaryKeyConstraint("pilot_id", "name", name="pk_teams"),
    )
    op.create_table(
        "accounts",
        *_text("pilot_id", "user_name", "team"),
        sa.Column("password_hash", sa.String(), nullable=True),
        *_instants("created_at"),
        sa.Column("disabled_at", INSTANT, nullable=True),
        _of_pilot("accounts"),
        _of_user("accounts", "users", "name"),
        sa.ForeignKeyConstraint(
            ["pilot_id", "team"],
            ["teams.pilot_id", "teams.name"],
            name="fk_accounts_pilot_id_team",
        ),
        sa.PrimaryKeyConstraint("pilot_id", "user_name", name="pk_accounts"),
    )
    op.create_table(
        "account_roles",
        *_text("pilot_id", "user_name", "role"),
        sa.CheckConstraint(
            "role IN ('viewer', 'requester', 'reviewer', 'budget_owner', 'policy_owner', 'admin')",
            name=op.f("ck_account_roles_role_known"),
        ),
        _of_pilot("account_roles"),
        _of_user("account_roles", "accounts", "user_name"),
        sa.PrimaryKeyConstraint("pilot_id", "user_name", "role", name="pk_account_roles"),
    )


def _create_sign_in() -> None:
    op.create_table(
        "sessions",
        *_text("token_sha256", "pilot_id", "user_name", "way"),
        *_instants("created_at", "seen_at", "expires_at"),
        sa.CheckConstraint("way IN ('password', 'acting')", name=op.f("ck_sessions_way_known")),
        _of_pilot("sessions"),
        _of_user("sessions", "users", "name"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_pilot_id_user_name", "sessions", ["pilot_id", "user_name"])
    op.create_table(
        "account_links",
        *_text("token_sha256", "pilot_id", "user_name"),
        *_instants("created_at", "expires_at"),
        sa.Column("used_at", INSTANT, nullable=True),
        _of_pilot("account_links"),
        _of_user("account_links", "accounts", "user_name"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_account_links"),
    )
    op.create_table(
        "sign_in_attempts",
        *_text("pilot_id", "name_sha256"),
        sa.Column("failures", sa.Integer(), nullable=False),
        *_instants("last_at"),
        _of_pilot("sign_in_attempts"),
        sa.PrimaryKeyConstraint("pilot_id", "name_sha256", name="pk_sign_in_attempts"),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        *_text("pilot_id"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *_text("at", "by", "action", "subject"),
        sa.Column("details", sa.Text(), nullable=False),
        *_text("hash"),
        sa.CheckConstraint("number > 0", name=op.f("ck_audit_log_counted")),
        _of_pilot("audit_log"),
        sa.PrimaryKeyConstraint("pilot_id", "number", name="pk_audit_log"),
    )
    for column in ("action", "subject"):
        op.create_index(f"ix_audit_log_pilot_id_{column}", "audit_log", ["pilot_id", column])
