"""Tables of policies and calibrations, in the schema of tables.py.

That an active policy was approved, and by someone other than its author, is a constraint here and
not only a check in code.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema import metadata, sealed
from storage.types import UtcDateTime

policy_proposals = Table(
    "policy_proposals",
    metadata,
    Column("pilot_id", String, ForeignKey("pilots.id"), primary_key=True),
    Column("version", String, primary_key=True),
    Column("source", Text, nullable=False),  # as it was written, with its comments
    Column("note", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("approved_by", String),
    Column("approved_at", UtcDateTime),
    sealed(),
    ForeignKeyConstraint(
        ["pilot_id", "version"], ["policy_versions.pilot_id", "policy_versions.version"]
    ),
    UniqueConstraint("pilot_id", "version", "approved_by"),
    CheckConstraint("approved_by <> proposed_by", name="approved_by_another"),
    CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved_at_once"),
)

policy_activations = Table(
    "policy_activations",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False),
    Column("version", String, nullable=False),
    Column("approved_by", String, nullable=False),  # so that the key below needs an approval
    Column("activated_by", String, nullable=False),
    Column("activated_at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=False),
    sealed(),
    ForeignKeyConstraint(
        ["pilot_id", "version", "approved_by"],
        ["policy_proposals.pilot_id", "policy_proposals.version", "policy_proposals.approved_by"],
    ),
    sqlite_autoincrement=True,  # the newest is the one in force, also after a clock that went back
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False),
    Column("model", String, nullable=False),
    Column("device", String, nullable=False),
    Column("measured_at", UtcDateTime, nullable=False),
    Column("record", JSON, nullable=False),  # rates with their spread, conditions, prices
)
