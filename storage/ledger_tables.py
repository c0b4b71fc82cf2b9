"""Tables of the money: counters, holds, lines, rollups, raises, alerts. schema.py has the rules."""

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
    UniqueConstraint,
    literal_column,
    text,
)

from storage.schema import metadata, pilot, sealed, serial, units
from storage.types import Nanos, UtcDateTime

budgets = Table(
    "budgets",
    metadata,
    serial(),
    pilot(),
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
    sealed(),
    UniqueConstraint("pilot_id", "scope", "subject", "window", "window_start"),
    CheckConstraint("committed_nanos >= 0", name="committed_not_negative"),
    CheckConstraint("refunded_nanos >= 0", name="refunded_not_negative"),
    CheckConstraint("held_nanos >= 0", name="held_not_negative"),
    CheckConstraint("committed_nanos + held_nanos <= limit_nanos", name="within_limit"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", String, primary_key=True),
    pilot(),
    Column("answer_id", String, ForeignKey("answers.id"), nullable=False, unique=True),
    Column("nanos", Nanos, nullable=False),
    Column("state", String, nullable=False),
    Column("day", String, nullable=False, server_default=""),  # the local day it counts for
    *units(),  # work recorded by the last heartbeat
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    sealed(),
    CheckConstraint("nanos >= 0", name="not_negative"),
    CheckConstraint("state IN ('open', 'settled', 'expired')", name="state_known"),
    # `is_open` below, in the words of each database.
    Index(
        "ix_holds_open",
        "pilot_id",
        "expires_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)
is_open = holds.c.state == literal_column("'open'")
"""As a constant and not as a value beside the statement: no index of some rows is used for that."""

ledger_entries = Table(
    "ledger_entries",
    metadata,
    serial(),
    pilot(),
    Column("kind", String, nullable=False),
    Column("hold_id", String, ForeignKey("holds.id"), unique=True),  # of a charge; one each
    Column("answer_id", String, ForeignKey("answers.id"), nullable=False, index=True),
    # Whose money it is: copied here so that a line of the ledger stands for itself.
    Column("day", String, nullable=False),
    Column("user_name", String, nullable=False),
    Column("team", String, nullable=False),
    Column("importance", String, nullable=False),
    Column("domain", String, nullable=False),
    *units(),
    Column("nanos", Nanos, nullable=False),
    Column("currency", String, nullable=False),
    Column("price_version", String, nullable=False),
    Column("booked_by", String),  # who refunded or corrected; NULL for the service itself
    Column("reason", String, nullable=False, server_default=""),
    Column("entry_key", String),  # of a refund or a correction: the same key books once
    Column("charged_at", UtcDateTime, nullable=False),
    Column("hash", String, nullable=False, server_default=""),  # behind the line before: seals.py
    ForeignKeyConstraint(
        ["pilot_id", "price_version"], ["price_lists.pilot_id", "price_lists.version"]
    ),
    UniqueConstraint("pilot_id", "entry_key"),
    Index(None, "pilot_id", "id"),  # the latest lines, and which is the last
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
    *units(),
    Column("charged_nanos", Nanos, nullable=False),
    Column("refunded_nanos", Nanos, nullable=False),
)

budget_raises = Table(
    "budget_raises",
    metadata,
    Column("id", String, primary_key=True),
    pilot(),
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
    sealed(),
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
    Column("sent_at", UtcDateTime),  # when someone took it upon them to send it; NULL: nobody now
    Column("channels", String, nullable=False, server_default="log,page"),
    Column("due", String, nullable=False, server_default=""),  # those that have not heard of it
    Index(None, "pilot_id", "reached_at"),
)

# What the seals of a table add up to (seals.py), so that a row that is gone is missed.
seal_tallies = Table(
    "seal_tallies",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("name", String, primary_key=True),  # of the table
    Column("row_count", BigInteger, nullable=False),
    Column("total", String, nullable=False),  # modulo 2**256, in 64 hexadecimal digits
)
