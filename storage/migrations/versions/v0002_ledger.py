"""Windows, raises, refunds, alerts and rollups; entries that say whose money they moved.

`budgets` and `ledger_entries` are written anew (SQLite cannot change a constraint in place), so
their triggers are too, and PostgreSQL gets its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
UNITS = ("prompt_tokens", "decode_tokens", "nfe")

SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER budgets_committed_grows BEFORE UPDATE ON budgets
    WHEN NEW.committed_nanos < OLD.committed_nanos OR NEW.refunded_nanos < OLD.refunded_nanos
    BEGIN SELECT RAISE(ABORT, 'committed and refunded spend only grows'); END
    """,
)
OLD_SQLITE_TRIGGER = """
    CREATE TRIGGER budgets_committed_grows BEFORE UPDATE ON budgets
    WHEN NEW.committed_nanos < OLD.committed_nanos
    BEGIN SELECT RAISE(ABORT, 'committed spend only grows'); END
    """
POSTGRESQL_TRIGGERS = (
    # The class of error is that of a broken constraint, as with SQLite's ABORT.
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only')
    """,
    """
    CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only')
    """,
    """
    CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the ledger is append-only')
    """,
    """
    CREATE TRIGGER budgets_committed_grows BEFORE UPDATE ON budgets FOR EACH ROW
    WHEN (NEW.committed_nanos < OLD.committed_nanos OR NEW.refunded_nanos < OLD.refunded_nanos)
    EXECUTE FUNCTION refuse_change('committed and refunded spend only grows')
    """,
)


def upgrade() -> None:
    op.drop_table("hold_budgets")  # what a hold counts under follows from its answer and its day
    _put_aside("budgets", "ledger_entries")
    op.add_column(
        "pilots", sa.Column("time_zone", sa.String(), server_default="UTC", nullable=False)
    )
    op.add_column("holds", sa.Column("day", sa.String(), server_default="", nullable=False))
    op.execute(f"UPDATE holds SET day = {_utc_day('created_at')}")
    _create_budgets()
    _create_entries()
    _create_spend_days()
    _create_raises_and_alerts()
    _bring_back_money()
    _drop_aside("budgets", "ledger_entries")
    sqlite = op.get_bind().dialect.name == "sqlite"
    for trigger in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """Loses windows, raises, alerts, refunds and corrections: 0001 has no place for them."""
    for table in ("budget_alerts", "budget_raises", "spend_days"):
        op.drop_table(table)
    _put_aside("budgets", "ledger_entries")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    _create_old_budgets()
    _create_old_entries()
    _bring_back_old_money()
    _drop_aside("budgets", "ledger_entries")
    op.drop_column("holds", "day")
    op.drop_column("pilots", "time_zone")
    if op.get_bind().dialect.name == "sqlite":
        for trigger in (*SQLITE_TRIGGERS[:2], OLD_SQLITE_TRIGGER):
            op.execute(trigger)


def _put_aside(*tables: str) -> None:
    """Rows into a table without rules, so that a new one may take the name and the constraints."""
    for table in tables:
        op.execute(f"CREATE TABLE aside_{table} AS SELECT * FROM {table}")
        op.drop_table(table)


def _drop_aside(*tables: str) -> None:
    for table in tables:
        op.drop_table(f"aside_{table}")


def _utc_day(column: str) -> str:
    """Days before this version are counted in UTC: the pilot's zone was nowhere in the database."""
    if op.get_bind().dialect.name == "sqlite":
        return f"substr({column}, 1, 10)"
    return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


def _units() -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(n, sa.BigInteger(), server_default="0", nullable=False) for n in UNITS)


def _money(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=nullable)


def _text(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), server_default=default, nullable=nullable)


def _create_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", SERIAL, nullable=False),
        *(_text(name) for name in ("pilot_id", "scope", "subject", "window", "window_start")),
        _money("standing_nanos", nullable=True),
        _money("policy_nanos", nullable=True),
        _money("limit_nanos"),
        *(_money(f"{name}_nanos", "0") for name in ("committed", "refunded", "held")),
        _text("currency"),
        *_budget_constraints(),
        sa.CheckConstraint("refunded_nanos >= 0", name=op.f("ck_budgets_refunded_not_negative")),
    )


def _create_old_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", SERIAL, nullable=False),
        *(_text(name) for name in ("pilot_id", "scope", "subject", "window", "window_start")),
        _money("limit_nanos"),
        *(_money(f"{name}_nanos", "0") for name in ("committed", "held")),
        _text("currency"),
        *_budget_constraints(),
    )


def _budget_constraints() -> tuple[sa.schema.SchemaItem, ...]:
    key = ("pilot_id", "scope", "subject", "window", "window_start")
    return (
        sa.CheckConstraint(
            "committed_nanos + held_nanos <= limit_nanos", name=op.f("ck_budgets_within_limit")
        ),
        sa.CheckConstraint("committed_nanos >= 0", name=op.f("ck_budgets_committed_not_negative")),
        sa.CheckConstraint("held_nanos >= 0", name=op.f("ck_budgets_held_not_negative")),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_budgets_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
        sa.UniqueConstraint(*key, name="uq_budgets_pilot_id_scope_subject_window_window_start"),
    )


def _create_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", SERIAL, nullable=False),
        _text("pilot_id"),
        _text("kind"),
        _text("hold_id", nullable=True),
        *(
            _text(name)
            for name in ("answer_id", "day", "user_name", "team", "importance", "domain")
        ),
        *_units(),
        _money("nanos"),
        _text("currency"),
        _text("price_version"),
        _text("booked_by", nullable=True),
        _text("reason", ""),
        _text("entry_key", nullable=True),
        sa.Column("charged_at", INSTANT, nullable=False),
        *_entry_constraints(),
        sa.UniqueConstraint("pilot_id", "entry_key", name="uq_ledger_entries_pilot_id_entry_key"),
        sa.CheckConstraint(
            "(kind = 'charge' AND nanos >= 0 AND hold_id IS NOT NULL) "
            "OR (kind = 'refund' AND nanos < 0 AND hold_id IS NULL AND booked_by IS NOT NULL) "
            "OR (kind = 'correction' AND nanos > 0 AND hold_id IS NULL AND booked_by IS NOT NULL) "
            "OR (kind = 'review' AND nanos >= 0 AND hold_id IS NULL)",
            name=op.f("ck_ledger_entries_kind_and_sign"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_entries_answer_id", "ledger_entries", ["answer_id"], unique=False)


def _create_old_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", SERIAL, nullable=False),
        *(_text(name) for name in ("pilot_id", "hold_id", "answer_id")),
        *_units(),
        _money("nanos"),
        _text("currency"),
        _text("price_version"),
        sa.Column("charged_at", INSTANT, nullable=False),
        *_entry_constraints(),
        sa.CheckConstraint("nanos >= 0", name=op.f("ck_ledger_entries_not_negative")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_entries_answer_id", "ledger_entries", ["answer_id"], unique=False)


def _entry_constraints() -> tuple[sa.schema.SchemaItem, ...]:
    return (
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
    )


def _create_spend_days() -> None:
    key = ("pilot_id", "day", "team", "user_name", "importance", "domain", "currency")
    op.create_table(
        "spend_days",
        *(_text(name) for name in key),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        *_units(),
        _money("charged_nanos"),
        _money("refunded_nanos"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_spend_days_pilot_id"),
        sa.PrimaryKeyConstraint(*key, name="pk_spend_days"),
    )


def _create_raises_and_alerts() -> None:
    op.create_table(
        "budget_raises",
        *(_text(name) for name in ("id", "pilot_id", "scope", "subject", "window")),
        _money("nanos"),
        *(_text(name) for name in ("reason", "state", "asked_by")),
        sa.Column("asked_at", INSTANT, nullable=False),
        _text("decided_by", nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.CheckConstraint("nanos > 0", name=op.f("ck_budget_raises_positive")),
        sa.CheckConstraint(
            "state IN ('asked', 'granted', 'declined')", name=op.f("ck_budget_raises_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'asked') = (decided_by IS NULL)",
            name=op.f("ck_budget_raises_decided_by_someone"),
        ),
        sa.CheckConstraint(
            "decided_by <> asked_by", name=op.f("ck_budget_raises_decided_by_another")
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_budget_raises_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_budget_raises"),
    )
    op.create_index(
        "ix_budget_raises_pilot_id_state_scope_subject_window",
        "budget_raises",
        ["pilot_id", "state", "scope", "subject", "window"],
        unique=False,
    )
    key = ("pilot_id", "scope", "subject", "window", "window_start")
    op.create_table(
        "budget_alerts",
        *(_text(name) for name in key),
        sa.Column("threshold", sa.Integer(), nullable=False),
        _money("limit_nanos"),
        _money("committed_nanos"),
        _text("currency"),
        sa.Column("reached_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_budget_alerts_pilot_id"),
        sa.PrimaryKeyConstraint(*key, "threshold", name="pk_budget_alerts"),
    )


def _bring_back_money() -> None:
    """Budgets stand as set by hand, and now count all of their scope, also what came before."""
    units = ", ".join(f"e.{name}" for name in UNITS)
    op.execute(
        f"""
        INSERT INTO ledger_entries (id, pilot_id, kind, hold_id, answer_id, day, user_name, team,
            importance, domain, {", ".join(UNITS)}, nanos, currency, price_version, charged_at)
        SELECT e.id, e.pilot_id, 'charge', e.hold_id, e.answer_id, h.day, a.user_name, a.team,
            d.granted, d.domain, {units}, e.nanos, e.currency, e.price_version, e.charged_at
        FROM aside_ledger_entries e JOIN holds h ON h.id = e.hold_id
        JOIN answers a ON a.id = e.answer_id JOIN decisions d ON d.answer_id = e.answer_id
        ORDER BY e.id
        """
    )
    op.execute(
        f"""
        INSERT INTO spend_days (pilot_id, day, team, user_name, importance, domain, currency,
            answers, entries, {", ".join(UNITS)}, charged_nanos, refunded_nanos)
        SELECT pilot_id, day, team, user_name, importance, domain, currency, COUNT(*), COUNT(*),
            {", ".join(f"SUM({name})" for name in UNITS)}, SUM(nanos), 0
        FROM ledger_entries GROUP BY pilot_id, day, team, user_name, importance, domain, currency
        """
    )
    op.execute(
        f"""
        INSERT INTO budgets (id, pilot_id, scope, subject, "window", window_start, standing_nanos,
            limit_nanos, committed_nanos, held_nanos, currency)
        SELECT id, pilot_id, scope, subject, "window", window_start, standing_nanos,
            CASE WHEN committed + held > standing_nanos THEN committed + held
                ELSE standing_nanos END,
            committed, held, currency
        FROM (
            SELECT b.id, b.pilot_id, b.scope, b.subject, b."window", b.window_start, b.currency,
                b.limit_nanos AS standing_nanos,
                (SELECT CAST(COALESCE(SUM(s.charged_nanos), 0) AS BIGINT) FROM spend_days s
                    WHERE s.pilot_id = b.pilot_id AND {_in_scope("s")}) AS committed,
                (SELECT CAST(COALESCE(SUM(h.nanos), 0) AS BIGINT) FROM holds h
                    JOIN answers a ON a.id = h.answer_id
                    JOIN decisions d ON d.answer_id = h.answer_id
                    WHERE h.state = 'open' AND h.pilot_id = b.pilot_id
                        AND {_in_scope("a", "d.granted")}) AS held
            FROM aside_budgets b
        ) AS counted ORDER BY id
        """
    )
    _number_on("budgets", "ledger_entries")


def _in_scope(table: str, importance: str = "s.importance") -> str:
    return (
        f"(b.scope = 'pilot' OR (b.scope = 'team' AND {table}.team = b.subject) "
        f"OR (b.scope = 'user' AND {table}.user_name = b.subject) "
        f"OR (b.scope = 'importance' AND {importance} = b.subject))"
    )


def _bring_back_old_money() -> None:
    """Charges only, and the whole-pilot budgets that were set by hand."""
    units = ", ".join(UNITS)
    op.execute(
        f"""
        INSERT INTO ledger_entries (id, pilot_id, hold_id, answer_id, {units}, nanos, currency,
            price_version, charged_at)
        SELECT id, pilot_id, hold_id, answer_id, {units}, nanos, currency, price_version, charged_at
        FROM aside_ledger_entries WHERE kind = 'charge' ORDER BY id
        """
    )
    op.execute(
        """
        UPDATE answers SET cost_nanos = (
            SELECT COALESCE(SUM(e.nanos), 0) FROM ledger_entries e WHERE e.answer_id = answers.id
        )
        """
    )
    op.execute(
        f"""
        INSERT INTO budgets (id, pilot_id, scope, subject, "window", window_start, limit_nanos,
            committed_nanos, held_nanos, currency)
        SELECT id, pilot_id, scope, subject, "window", window_start,
            CASE WHEN committed + held_nanos > standing_nanos THEN committed + held_nanos
                ELSE standing_nanos END,
            committed, held_nanos, currency
        FROM (
            SELECT b.*, (
                SELECT CAST(COALESCE(SUM(s.nanos), 0) AS BIGINT) FROM aside_ledger_entries s
                WHERE s.kind = 'charge' AND s.pilot_id = b.pilot_id AND {_in_scope("s")}
            ) AS committed
            FROM aside_budgets b WHERE b.standing_nanos IS NOT NULL
        ) AS kept ORDER BY id
        """
    )
    _number_on("budgets", "ledger_entries")
    op.create_table(
        "hold_budgets",
        _text("hold_id"),
        sa.Column("budget_id", SERIAL, nullable=False),
        _text("pilot_id"),
        sa.ForeignKeyConstraint(["budget_id"], ["budgets.id"], name="fk_hold_budgets_budget_id"),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name="fk_hold_budgets_hold_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_hold_budgets_pilot_id"),
        sa.PrimaryKeyConstraint("hold_id", "budget_id", name="pk_hold_budgets"),
    )
    op.execute(
        f"""
        INSERT INTO hold_budgets (hold_id, budget_id, pilot_id)
        SELECT h.id, b.id, h.pilot_id FROM holds h
        JOIN answers a ON a.id = h.answer_id JOIN decisions d ON d.answer_id = h.answer_id
        JOIN budgets b ON b.pilot_id = h.pilot_id AND {_in_scope("a", "d.granted")}
        """
    )


def _number_on(*tables: str) -> None:
    """PostgreSQL goes on after the numbers that rows brought with them; SQLite does by itself."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in tables:
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
            f"(SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
        )
