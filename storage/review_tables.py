"""Tables of reviews, in the schema of tables.py.

That nobody decides over their own answer, twice, or without a live claim, and that nothing goes out
without its approvals, are triggers: they are in the migration, in the words of each database.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.schema import metadata
from storage.types import Nanos, UtcDateTime


def _answer(key: bool = False, index: bool = False) -> Column[str]:
    to = ForeignKey("answers.id")
    return Column("answer_id", String, to, primary_key=key, nullable=False, index=index or None)


def _pilot() -> Column[str]:
    return Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False)


def _serial() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


review_items = Table(
    "review_items",
    metadata,
    _answer(key=True),
    _pilot(),
    Column("kind", String, nullable=False),
    Column("approvals", Integer, nullable=False),
    Column("importance", String, nullable=False),
    Column("rank", Integer, nullable=False),  # of the importance, for the order of the queue
    Column("state", String, nullable=False),
    Column("outcome", String),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    # The claim that was not ended. Its time is metered up to `beaten_at`.
    Column("holder", String),
    Column("claim", Integer, nullable=False, server_default="0"),
    Column("claimed_at", UtcDateTime),
    Column("beaten_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("seconds", Integer, nullable=False, server_default="0"),
    CheckConstraint("kind IN ('required', 'audit')", name="kind_known"),
    CheckConstraint("approvals BETWEEN 1 AND 2", name="approvals_by_one_or_two"),
    CheckConstraint("kind <> 'audit' OR approvals = 1", name="audit_by_one"),
    CheckConstraint("state IN ('waiting', 'asked', 'decided')", name="state_known"),
    CheckConstraint(
        "(state = 'decided' AND outcome IN ('approved', 'corrected', 'rejected') "
        "AND decided_at IS NOT NULL) "
        "OR (state <> 'decided' AND outcome IS NULL AND decided_at IS NULL)",
        name="decided_with_outcome",
    ),
    CheckConstraint(
        "(holder IS NULL AND lease_until IS NULL) OR (holder IS NOT NULL AND state = 'waiting' "
        "AND claimed_at IS NOT NULL AND beaten_at IS NOT NULL AND lease_until IS NOT NULL)",
        name="holder_with_lease",
    ),
    Index(None, "pilot_id", "state", "rank"),
)

review_claims = Table(
    "review_claims",
    metadata,
    _answer(key=True),
    Column("number", Integer, primary_key=True),
    _pilot(),
    Column("reviewer", String, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("end", String, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("nanos", Nanos),  # booked in the ledger; NULL until then
    Column("booked_at", UtcDateTime),
    CheckConstraint("seconds >= 0", name="seconds_not_negative"),
    CheckConstraint(
        "\"end\" IN ('verdict', 'asked', 'released', 'skipped', 'expired', 'taken_over')",
        name="end_known",
    ),
    CheckConstraint("(nanos IS NULL) = (booked_at IS NULL)", name="booked_at_once"),
    Index(None, "pilot_id", "booked_at"),
)

review_verdicts = Table(
    "review_verdicts",
    metadata,
    _serial(),
    _pilot(),
    _answer(),
    Column("reviewer", String, nullable=False),
    Column("claim", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("correction", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("source", String, ForeignKey("answers.id")),  # the rerun whose words were taken over
    Column("given_at", UtcDateTime, nullable=False),
    Column("salt", String, nullable=False, server_default=""),  # of its seal in the audit log
    UniqueConstraint("answer_id", "reviewer"),
    CheckConstraint("kind IN ('approve', 'correct', 'reject')", name="kind_known"),
    CheckConstraint(
        "(kind = 'correct' AND correction <> '' AND correction IS NOT NULL) "
        "OR (kind <> 'correct' AND correction IS NULL AND source IS NULL)",
        name="correction_of_correct",
    ),
    CheckConstraint("kind <> 'reject' OR reason <> ''", name="reject_with_reason"),
    sqlite_autoincrement=True,  # numbers are the order in which they were given
)

review_drafts = Table(
    "review_drafts",
    metadata,
    _answer(key=True),
    Column("reviewer", String, primary_key=True),
    _pilot(),
    Column("kind", String),
    Column("correction", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

review_messages = Table(
    "review_messages",
    metadata,
    _serial(),
    _pilot(),
    _answer(index=True),
    Column("kind", String, nullable=False),
    Column("by_name", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    CheckConstraint("kind IN ('question', 'reply')", name="kind_known"),
)

review_links = Table(
    "review_links",
    metadata,
    _answer(key=True),
    _pilot(),
    Column("of_answer_id", String, ForeignKey("answers.id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("by_name", String, nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
    CheckConstraint("kind IN ('base', 'more')", name="kind_known"),
    CheckConstraint("answer_id <> of_answer_id", name="of_another"),
)

review_notices = Table(
    "review_notices",
    metadata,
    _answer(key=True),
    Column("kind", String, primary_key=True),
    Column("channel", String, primary_key=True),
    _pilot(),
    Column("importance", String, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),  # when someone took it upon them to send it; NULL: nobody yet
    CheckConstraint("kind IN ('reminder', 'overdue')", name="kind_known"),
)
