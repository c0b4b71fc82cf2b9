"""Everything the first release keeps: rules, answers, money, measurements.

Written out and frozen: tables.py moves on, this does not. A later migration that rebuilds a table
with a trigger must create the trigger again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TRIGGERS = (
    # A charge that could be edited would prove nothing.
    """
    CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    # Otherwise a mistake, or a refund nobody booked, would reopen a ceiling.
    """
    CREATE TRIGGER budgets_committed_grows BEFORE UPDATE ON budgets
    WHEN NEW.committed_nanos < OLD.committed_nanos
    BEGIN SELECT RAISE(ABORT, 'committed spend only grows'); END
    """,
)
TABLES = (
    "pilots",
    "users",
    "budgets",
    "policy_versions",
    "price_lists",
    "answers",
    "answer_bodies",
    "decisions",
    "ratings",
    "holds",
    "hold_budgets",
    "ledger_entries",
    "measurements",
    "measurement_rows",
)


def upgrade() -> None:
    _create_money_rules()
    _create_answers()
    _create_ledger()
    _create_measurements()
    if op.get_bind().dialect.name == "sqlite":  # PostgreSQL will need its own words for these
        for trigger in TRIGGERS:
            op.execute(trigger)


def downgrade() -> None:
    """Drops the children before their parents."""
    for table in TABLES[::-1]:
        op.drop_table(table)


def _create_money_rules() -> None:
    op.create_table(
        "pilots",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pilots"),
    )
    op.create_table(
        "users",
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_users_pilot_id"),
        sa.PrimaryKeyConstraint("pilot_id", "name", name="pk_users"),
    )
    op.create_table(
        "budgets",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("window_start", sa.String(), nullable=False),
        sa.Column("limit_nanos", sa.BigInteger(), nullable=False),
        sa.Column("committed_nanos", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_nanos", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint(
            "committed_nanos + held_nanos <= limit_nanos", name=op.f("ck_budgets_within_limit")
        ),
        sa.CheckConstraint("committed_nanos >= 0", name=op.f("ck_budgets_committed_not_negative")),
        sa.CheckConstraint("held_nanos >= 0", name=op.f("ck_budgets_held_not_negative")),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_budgets_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
        sa.UniqueConstraint(
            "pilot_id",
            "scope",
            "subject",
            "window",
            "window_start",
            name="uq_budgets_pilot_id_scope_subject_window_window_start",
        ),
    )
    op.create_table(
        "policy_versions",
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_policy_versions_pilot_id"),
        sa.PrimaryKeyConstraint("pilot_id", "version", name="pk_policy_versions"),
    )
    op.create_table(
        "price_lists",
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_token_nanos", sa.BigInteger(), nullable=False),
        sa.Column("decode_token_nanos", sa.BigInteger(), nullable=False),
        sa.Column("nfe_nanos", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "prompt_token_nanos >= 0 AND decode_token_nanos >= 0 AND nfe_nanos >= 0",
            name=op.f("ck_price_lists_not_negative"),
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_price_lists_pilot_id"),
        sa.PrimaryKeyConstraint("pilot_id", "version", name="pk_price_lists"),
    )


def _create_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("request_sha256", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        sa.Column("adapter_sha256", sa.String(), nullable=False),
        sa.Column("nfe_per_token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decode_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nfe", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("device_seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'released', 'cancelled', 'failed', 'interrupted', 'refused')",
            name=op.f("ck_answers_status_known"),
        ),
        sa.CheckConstraint("cost_nanos >= 0", name=op.f("ck_answers_cost_not_negative")),
        sa.ForeignKeyConstraint(
            ["pilot_id", "user_name"],
            ["users.pilot_id", "users.name"],
            name="fk_answers_pilot_id_user_name",
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_answers_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.UniqueConstraint(
            "pilot_id",
            "user_name",
            "idempotency_key",
            name="uq_answers_pilot_id_user_name_idempotency_key",
        ),
    )
    op.create_index(
        "ix_answers_pilot_id_created_at", "answers", ["pilot_id", "created_at"], unique=False
    )
    op.create_table(
        "answer_bodies",
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_answer_bodies_answer_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_answer_bodies_pilot_id"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_answer_bodies"),
    )
    op.create_table(
        "decisions",
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.Column("granted", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("solver", sa.String(), nullable=False),
        sa.Column("nfe_cap_per_token", sa.Integer(), nullable=False),
        sa.Column("rung", sa.JSON(), nullable=False),
        sa.Column("quote_prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("quote_decode_tokens", sa.BigInteger(), nullable=False),
        sa.Column("quote_nfe", sa.BigInteger(), nullable=False),
        sa.Column("quote_nanos", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("price_version", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_decisions_answer_id"),
        sa.ForeignKeyConstraint(
            ["pilot_id", "policy_version"],
            ["policy_versions.pilot_id", "policy_versions.version"],
            name="fk_decisions_pilot_id_policy_version",
        ),
        sa.ForeignKeyConstraint(
            ["pilot_id", "price_version"],
            ["price_lists.pilot_id", "price_lists.version"],
            name="fk_decisions_pilot_id_price_version",
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_decisions_pilot_id"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_decisions"),
    )
    op.create_table(
        "ratings",
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating IN (-1, 1)", name=op.f("ck_ratings_thumb")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_ratings_answer_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_ratings_pilot_id"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_ratings"),
    )


def _create_ledger() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decode_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nfe", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'settled', 'expired')", name=op.f("ck_holds_state_known")
        ),
        sa.CheckConstraint("nanos >= 0", name=op.f("ck_holds_not_negative")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_holds_answer_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_holds_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.UniqueConstraint("answer_id", name="uq_holds_answer_id"),
    )
    op.create_index("ix_holds_state_expires_at", "holds", ["state", "expires_at"], unique=False)
    op.create_table(
        "hold_budgets",
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("budget_id", SERIAL, nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["budget_id"], ["budgets.id"], name="fk_hold_budgets_budget_id"),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name="fk_hold_budgets_hold_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_hold_budgets_pilot_id"),
        sa.PrimaryKeyConstraint("hold_id", "budget_id", name="pk_hold_budgets"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decode_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nfe", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("price_version", sa.String(), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("nanos >= 0", name=op.f("ck_ledger_entries_not_negative")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_ledger_entries_answer_id"),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name="fk_ledger_entries_hold_id"),
        sa.ForeignKeyConstraint(
            ["pilot_id", "price_version"],
            ["price_lists.pilot_id", "price_lists.version"],
            name="fk_ledger_entries_pilot_id_price_version",
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_ledger_entries_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("hold_id", name="uq_ledger_entries_hold_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_entries_answer_id", "ledger_entries", ["answer_id"], unique=False)


def _create_measurements() -> None:
    op.create_table(
        "measurements",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("budget", sa.Integer(), nullable=False),
        sa.Column("importance", sa.String(), nullable=True),
        sa.Column("domain", sa.String(), nullable=True),
        sa.Column("accuracy", sa.Float(), nullable=False),
        sa.Column("ci_low", sa.Float(), nullable=False),
        sa.Column("ci_high", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("nfe_per_token", sa.Float(), nullable=False),
        sa.Column("cost_nanos_per_answer", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("adapter_sha256", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shipped", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_measurements_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_measurements"),
    )
    op.create_index(
        "ix_measurements_pilot_id_adapter_sha256",
        "measurements",
        ["pilot_id", "adapter_sha256"],
        unique=False,
    )
    op.create_table(
        "measurement_rows",
        sa.Column("measurement_id", SERIAL, nullable=False),
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decode_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nfe", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["measurement_id"], ["measurements.id"], name="fk_measurement_rows_measurement_id"
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_measurement_rows_pilot_id"),
        sa.PrimaryKeyConstraint("measurement_id", "question_id", name="pk_measurement_rows"),
    )
