"""The schema. Every row names its pilot; money is in nanos; instants are in UTC.

Triggers (the ledger is append-only, committed spend only grows) are in the migrations: metadata has
no word for them.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.types import Nanos, UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _serial() -> Column[int]:
    """SQLite numbers rows by itself only where the type is INTEGER."""
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _pilot() -> Column[str]:
    return Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False)


def _units() -> tuple[Column[int], ...]:
    names = ("prompt_tokens", "decode_tokens", "nfe")
    return tuple(Column(n, BigInteger, nullable=False, server_default="0") for n in names)


pilots = Table(
    "pilots",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("time_zone", String, nullable=False, server_default="UTC"),
)

users = Table(
    "users",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    _serial(),
    _pilot(),
    Column("scope", String, nullable=False),  # pilot, team, user, importance
    Column("subject", String, nullable=False),  # which team, user …; '' for the pilot
    Column("window", String, nullable=False),  # day, month, whole
    Column("window_start", String, nullable=False),  # the pilot's local day or month; '' for whole
    Column("standing_nanos", Nanos),  # the limit set by hand; NULL where none is
    Column("policy_nanos", Nanos),  # the limit of the policy last asked under; NULL where none is
    # In force: the lower of the two and granted raises, never below what is spent and held.
    Column("limit_nanos", Nanos, nullable=False),
    Column("committed_nanos", Nanos, nullable=False, server_default="0"),
    Column("refunded_nanos", Nanos, nullable=False, server_default="0"),
    Column("held_nanos", Nanos, nullable=False, server_default="0"),
    Column("currency", String, nullable=False),
    UniqueConstraint("pilot_id", "scope", "subject", "window", "window_start"),
    CheckConstraint("committed_nanos >= 0", name="committed_not_negative"),
    CheckConstraint("refunded_nanos >= 0", name="refunded_not_negative"),
    CheckConstraint("held_nanos >= 0", name="held_not_negative"),
    CheckConstraint("committed_nanos + held_nanos <= limit_nanos", name="within_limit"),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("version", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

price_lists = Table(
    "price_lists",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("version", String, primary_key=True),
    Column("currency", String, nullable=False),
    Column("model", String, nullable=False),
    Column("prompt_token_nanos", Nanos, nullable=False),
    Column("decode_token_nanos", Nanos, nullable=False),
    Column("nfe_nanos", Nanos, nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "prompt_token_nanos >= 0 AND decode_token_nanos >= 0 AND nfe_nanos >= 0",
        name="not_negative",
    ),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String, primary_key=True),
    _pilot(),
    Column("user_name", String, nullable=False),
    Column("team", String, nullable=False),
    Column("status", String, nullable=False),
    # NULL for a refused answer: nothing ran, so the same key may be tried again.
    Column("idempotency_key", String),
    Column("request_sha256", String, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("model", JSON, nullable=False),
    Column("adapter_sha256", String, nullable=False),
    Column("nfe_per_token", Integer, nullable=False, server_default="0"),
    *_units(),
    Column("cost_nanos", Nanos, nullable=False, server_default="0"),
    Column("changed_tokens", Integer, nullable=False, server_default="0"),
    Column("device_seconds", Float, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    ForeignKeyConstraint(["pilot_id", "user_name"], ["users.pilot_id", "users.name"]),
    UniqueConstraint("pilot_id", "user_name", "idempotency_key"),
    CheckConstraint(
        "status IN ('running', 'released', 'cancelled', 'failed', 'interrupted', 'refused')",
        name="status_known",
    ),
    CheckConstraint("cost_nanos >= 0", name="cost_not_negative"),
    Index(None, "pilot_id", "created_at"),
)

answer_bodies = Table(
    "answer_bodies",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    _pilot(),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
)

decisions = Table(
    "decisions",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    _pilot(),
    Column("asked", String, nullable=False),
    Column("granted", String, nullable=False),
    Column("domain", String, nullable=False),
    Column("solver", String, nullable=False),
    Column("nfe_cap_per_token", Integer, nullable=False),
    Column("rung", JSON, nullable=False),
    Column("quote_prompt_tokens", BigInteger, nullable=False),
    Column("quote_decode_tokens", BigInteger, nullable=False),
    Column("quote_nfe", BigInteger, nullable=False),
    Column("quote_nanos", Nanos, nullable=False),
    Column("currency", String, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("role", String, nullable=False, server_default="requester"),
    Column("limits", JSON, nullable=False, server_default="[]"),
    Column("review", JSON, nullable=False, server_default="{}"),
    Column("at_ceiling", String, nullable=False, server_default="refuse"),
    Column("policy_version", String, nullable=False),
    Column("price_version", String, nullable=False),
    ForeignKeyConstraint(
        ["pilot_id", "policy_version"], ["policy_versions.pilot_id", "policy_versions.version"]
    ),
    ForeignKeyConstraint(
        ["pilot_id", "price_version"], ["price_lists.pilot_id", "price_lists.version"]
    ),
)

holds = Table(
    "holds",
    metadata,
    Column("id", String, primary_key=True),
    _pilot(),
    Column("answer_id", String, ForeignKey("answers.id"), nullable=False, unique=True),
    Column("nanos", Nanos, nullable=False),
    Column("state", String, nullable=False),
    Column("day", String, nullable=False, server_default=""),  # the local day it counts for
    *_units(),  # work recorded by the last heartbeat
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    CheckConstraint("nanos >= 0", name="not_negative"),
    CheckConstraint("state IN ('open', 'settled', 'expired')", name="state_known"),
    Index(None, "state", "expires_at"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    _serial(),
    _pilot(),
    Column("kind", String, nullable=False),
    Column("hold_id", String, ForeignKey("holds.id"), unique=True),  # of a charge; one each
    Column("answer_id", String, ForeignKey("answers.id"), nullable=False, index=True),
    # Whose money it is: copied here so that a line of the ledger stands for itself.
    Column("day", String, nullable=False),
    Column("user_name", String, nullable=False),
    Column("team", String, nullable=False),
    Column("importance", String, nullable=False),
    Column("domain", String, nullable=False),
    *_units(),
    Column("nanos", Nanos, nullable=False),
    Column("currency", String, nullable=False),
    Column("price_version", String, nullable=False),
    Column("booked_by", String),  # who refunded or corrected; NULL for the service itself
    Column("reason", String, nullable=False, server_default=""),
    Column("entry_key", String),  # of a refund or a correction: the same key books once
    Column("charged_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(
        ["pilot_id", "price_version"], ["price_lists.pilot_id", "price_lists.version"]
    ),
    UniqueConstraint("pilot_id", "entry_key"),
    CheckConstraint(
        "(kind = 'charge' AND nanos >= 0 AND hold_id IS NOT NULL) "
        "OR (kind = 'refund' AND nanos < 0 AND hold_id IS NULL AND booked_by IS NOT NULL) "
        "OR (kind = 'correction' AND nanos > 0 AND hold_id IS NULL AND booked_by IS NOT NULL) "
        "OR (kind = 'review' AND nanos >= 0 AND hold_id IS NULL)",
        name="kind_and_sign",
    ),
    sqlite_autoincrement=True,  # no number is used twice: charges are in the order of their numbers
)

spend_days = Table(
    "spend_days",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("day", String, primary_key=True),
    Column("team", String, primary_key=True),
    Column("user_name", String, primary_key=True),
    Column("importance", String, primary_key=True),
    Column("domain", String, primary_key=True),
    Column("currency", String, primary_key=True),
    Column("answers", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    *_units(),
    Column("charged_nanos", Nanos, nullable=False),
    Column("refunded_nanos", Nanos, nullable=False),
)

budget_raises = Table(
    "budget_raises",
    metadata,
    Column("id", String, primary_key=True),
    _pilot(),
    Column("scope", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("window", String, nullable=False),
    Column("nanos", Nanos, nullable=False),
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("decided_by", String),
    Column("decided_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    CheckConstraint("nanos > 0", name="positive"),
    CheckConstraint("state IN ('asked', 'granted', 'declined')", name="state_known"),
    CheckConstraint("(state = 'asked') = (decided_by IS NULL)", name="decided_by_someone"),
    CheckConstraint("decided_by <> asked_by", name="decided_by_another"),
    Index(None, "pilot_id", "state", "scope", "subject", "window"),
)

budget_alerts = Table(
    "budget_alerts",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("scope", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("window", String, primary_key=True),
    Column("window_start", String, primary_key=True),
    Column("threshold", Integer, primary_key=True),  # percent
    Column("limit_nanos", Nanos, nullable=False),
    Column("committed_nanos", Nanos, nullable=False),
    Column("currency", String, nullable=False),
    Column("reached_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),  # when someone took it upon them to send it; NULL: nobody yet
)

measurements = Table(
    "measurements",
    metadata,
    _serial(),
    _pilot(),
    Column("suite", String, nullable=False),
    Column("budget", Integer, nullable=False),
    Column("importance", String),
    Column("domain", String),
    Column("accuracy", Float, nullable=False),
    Column("ci_low", Float, nullable=False),
    Column("ci_high", Float, nullable=False),
    Column("n", Integer, nullable=False),
    Column("nfe_per_token", Float, nullable=False),
    Column("cost_nanos_per_answer", Nanos, nullable=False),
    Column("currency", String, nullable=False),
    Column("adapter_sha256", String, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("measured_at", UtcDateTime, nullable=False),
    Column("shipped", Boolean, nullable=False),
    Index(None, "pilot_id", "adapter_sha256"),
)

measurement_rows = Table(
    "measurement_rows",
    metadata,
    Column("measurement_id", ForeignKey("measurements.id"), primary_key=True),
    Column("question_id", String, primary_key=True),
    _pilot(),
    Column("domain", String, nullable=False),
    Column("correct", Boolean, nullable=False),
    *_units(),
    Column("cost_nanos", Nanos, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    _pilot(),
    Column("rating", Integer, nullable=False),
    Column("rated_at", UtcDateTime, nullable=False),
    CheckConstraint("rating IN (-1, 1)", name="thumb"),
)
