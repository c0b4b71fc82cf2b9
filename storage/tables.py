"""Tables of what is asked, decided and measured; the money's are in ledger_tables.py."""

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
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema import metadata, pilot, sealed, serial, units
from storage.types import Nanos, UtcDateTime

pilots = Table(
    "pilots",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("time_zone", String, nullable=False, server_default="UTC"),
    # The last entry of the audit log, so that cutting off its end shows.
    Column("audit_count", BigInteger, nullable=False, server_default="0"),
    Column("audit_hash", String, nullable=False, server_default=""),
    # The same of the ledger's lines.
    Column("entries_count", BigInteger, nullable=False, server_default="0"),
    Column("entries_hash", String, nullable=False, server_default=""),
)

users = Table(
    "users",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("version", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sealed(),
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
    sealed(),
    CheckConstraint(
        "prompt_token_nanos >= 0 AND decode_token_nanos >= 0 AND nfe_nanos >= 0",
        name="not_negative",
    ),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String, primary_key=True),
    pilot(),
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
    *units(),
    Column("cost_nanos", Nanos, nullable=False, server_default="0"),
    Column("changed_tokens", Integer, nullable=False, server_default="0"),
    Column("device_seconds", Float, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    ForeignKeyConstraint(["pilot_id", "user_name"], ["users.pilot_id", "users.name"]),
    UniqueConstraint("pilot_id", "user_name", "idempotency_key"),
    CheckConstraint(
        "status IN ('running', 'released', 'cancelled', 'failed', 'interrupted', 'refused', "
        "'pending_review', 'rejected', 'evidence')",
        name="status_known",
    ),
    CheckConstraint("cost_nanos >= 0", name="cost_not_negative"),
    Index(None, "pilot_id", "created_at"),
    Index(None, "pilot_id", "user_name", "created_at"),  # one's own questions, the newest first
)

answer_bodies = Table(
    "answer_bodies",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    pilot(),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
    Column("corrected", Text),  # what reviewers released instead; the answer itself is kept
)

answer_traces = Table(
    "answer_traces",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    pilot(),
    Column("tokens", JSON, nullable=False),
    Column("votes", JSON, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    pilot(),
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
    sealed(),
    ForeignKeyConstraint(
        ["pilot_id", "policy_version"], ["policy_versions.pilot_id", "policy_versions.version"]
    ),
    ForeignKeyConstraint(
        ["pilot_id", "price_version"], ["price_lists.pilot_id", "price_lists.version"]
    ),
)

measurements = Table(
    "measurements",
    metadata,
    serial(),
    pilot(),
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
    pilot(),
    Column("domain", String, nullable=False),
    Column("correct", Boolean, nullable=False),
    *units(),
    Column("cost_nanos", Nanos, nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("answer_id", String, ForeignKey("answers.id"), primary_key=True),
    pilot(),
    Column("rating", Integer, nullable=False),
    Column("rated_at", UtcDateTime, nullable=False),
    CheckConstraint("rating IN (-1, 1)", name="thumb"),
)

comparison_votes = Table(
    "comparison_votes",
    metadata,
    serial(),
    pilot(),
    Column("less_id", String, ForeignKey("answers.id"), nullable=False),
    Column("more_id", String, ForeignKey("answers.id"), nullable=False),
    Column("preferred", String, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("voted_at", UtcDateTime, nullable=False),
    UniqueConstraint("less_id", "more_id"),
    CheckConstraint("less_id <> more_id", name="of_two"),
    CheckConstraint("preferred IN ('less', 'more', 'tie', 'bad')", name="preferred_known"),
)
