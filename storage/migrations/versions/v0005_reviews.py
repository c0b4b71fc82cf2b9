"""Reviews: withheld answers, claims, verdicts and what is written beside them.

What may never happen is refused by the database itself, in rules that both dialects get from one
list. `answers` is written anew on SQLite (it cannot change a constraint in place), so triggers on
it must be created again by whoever rebuilds it next.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OLD = ("running", "released", "cancelled", "failed", "interrupted", "refused")
STATUSES = (*OLD, "pending_review", "rejected", "evidence")
TABLES = (
    "review_items",
    "review_claims",
    "review_verdicts",
    "review_drafts",
    "review_messages",
    "review_links",
    "review_notices",
)
APPROVALS = {
    "sqlite": "COALESCE(json_extract(d.review, '$.approvals'), 0)",
    "postgresql": "COALESCE((d.review ->> 'approvals')::int, 0)",
}


class Rule(NamedTuple):
    """What is refused: an event on a table, where the condition holds. {approvals} is of `d`."""

    name: str
    table: str
    event: str
    broken: str
    message: str


BEHIND = """
    SELECT COUNT(*) FROM review_verdicts v
    JOIN answer_bodies b ON b.answer_id = v.answer_id
    WHERE v.answer_id = NEW.{id} AND v.kind <> 'reject'
        AND COALESCE(v.correction, '') = COALESCE(b.corrected, '')
    """
"""How many people stand behind the words that would go out: one verdict each, by a constraint."""

RULES = (
    Rule(
        "answers_release_needs_approvals",
        "answers",
        "UPDATE OF status",
        f"""NEW.status = 'released' AND OLD.status <> 'released' AND EXISTS (
            SELECT 1 FROM decisions d WHERE d.answer_id = NEW.id
            AND {{approvals}} > ({BEHIND.format(id="id")}))""",
        "an answer that needs approvals goes out with all of them only",
    ),
    Rule(
        "answers_rejection_needs_verdicts",
        "answers",
        "UPDATE OF status",
        """NEW.status = 'rejected' AND OLD.status <> 'rejected' AND EXISTS (
            SELECT 1 FROM decisions d WHERE d.answer_id = NEW.id AND {approvals} > (
                SELECT COUNT(*) FROM review_verdicts v WHERE v.answer_id = NEW.id))""",
        "an answer is rejected by as many people as would have to approve it",
    ),
    Rule(
        "answers_wait_until_decided",
        "answers",
        "UPDATE OF status",
        """(OLD.status = 'pending_review'
            AND NEW.status NOT IN ('pending_review', 'released', 'rejected'))
        OR (OLD.status IN ('rejected', 'evidence') AND NEW.status <> OLD.status)""",
        "a withheld answer leaves review by a decision only, and what was rejected stays so",
    ),
    Rule(
        "answers_keep_their_asker",
        "answers",
        "UPDATE OF user_name, team",
        "NEW.user_name <> OLD.user_name OR NEW.team <> OLD.team",
        "an answer belongs to who asked for it",
    ),
    Rule(
        "decisions_keep_their_review",
        "decisions",
        "UPDATE OF answer_id, review",
        "1 = 1",
        "who must approve an answer is decided once",
    ),
    Rule(
        "decisions_come_before_release",
        "decisions",
        "INSERT",
        """EXISTS (SELECT 1 FROM (SELECT NEW.review AS review) d WHERE {approvals} > 0)
        AND EXISTS (SELECT 1 FROM answers a WHERE a.id = NEW.answer_id
            AND a.status IN ('released', 'rejected'))""",
        "an answer that needs approvals goes out with all of them only",
    ),
    Rule(
        "answer_bodies_keep_the_original",
        "answer_bodies",
        "UPDATE OF answer",
        "OLD.answer <> '' AND NEW.answer <> OLD.answer",
        "what the model wrote is kept as it was",
    ),
    Rule(
        "answer_bodies_corrected_in_review",
        "answer_bodies",
        "UPDATE OF corrected",
        """COALESCE(NEW.corrected, '') <> COALESCE(OLD.corrected, '') AND NOT EXISTS (
            SELECT 1 FROM answers a WHERE a.id = NEW.answer_id AND a.status = 'pending_review')""",
        "words are corrected before they go out",
    ),
    Rule(
        "review_items_ask_for_what_was_decided",
        "review_items",
        "INSERT",
        """NEW.kind = 'required' AND NOT EXISTS (SELECT 1 FROM decisions d
            WHERE d.answer_id = NEW.answer_id AND {approvals} = NEW.approvals)""",
        "an item asks for the approvals that its answer was decided to need",
    ),
    Rule(
        "review_items_stay_what_they_are",
        "review_items",
        "UPDATE",
        """OLD.state = 'decided' OR NEW.answer_id <> OLD.answer_id OR NEW.kind <> OLD.kind
        OR NEW.approvals <> OLD.approvals OR NEW.claim < OLD.claim""",
        "an item keeps its answer, kind and approvals, and a decided one everything",
    ),
    Rule(
        "review_items_not_by_the_requester",
        "review_items",
        "UPDATE OF holder",
        "NEW.holder = (SELECT a.user_name FROM answers a WHERE a.id = NEW.answer_id)",
        "nobody reviews an answer to their own question",
    ),
    Rule(
        "review_items_one_claim_at_a_time",
        "review_items",
        "UPDATE OF holder",
        """OLD.holder IS NOT NULL AND NEW.holder IS NOT NULL AND NEW.holder <> OLD.holder
        AND NEW.claimed_at < OLD.lease_until""",
        "someone else has a live claim",
    ),
    Rule(
        "review_items_decided_by_verdicts",
        "review_items",
        "UPDATE OF state",
        f"""NEW.state = 'decided' AND (
            (NEW.outcome <> 'rejected' AND NEW.kind = 'required'
                AND NEW.approvals > ({BEHIND.format(id="answer_id")}))
            OR NEW.approvals > (
                SELECT COUNT(*) FROM review_verdicts v WHERE v.answer_id = NEW.answer_id))""",
        "an item is decided by the verdicts it needs",
    ),
    Rule("review_items_no_delete", "review_items", "DELETE", "1 = 1", "items of review stay"),
    Rule(
        "review_verdicts_need_a_live_claim",
        "review_verdicts",
        "INSERT",
        """NOT EXISTS (SELECT 1 FROM review_items i WHERE i.answer_id = NEW.answer_id
            AND i.state = 'waiting' AND i.holder = NEW.reviewer AND i.claim = NEW.claim
            AND i.lease_until > NEW.given_at)""",
        "a verdict needs a live claim of the same person",
    ),
    Rule(
        "review_verdicts_not_by_the_requester",
        "review_verdicts",
        "INSERT",
        "NEW.reviewer = (SELECT a.user_name FROM answers a WHERE a.id = NEW.answer_id)",
        "nobody reviews an answer to their own question",
    ),
    Rule("review_verdicts_no_update", "review_verdicts", "UPDATE", "1 = 1", "verdicts stay"),
    Rule("review_verdicts_no_delete", "review_verdicts", "DELETE", "1 = 1", "verdicts stay"),
    Rule(
        "review_claims_stay",
        "review_claims",
        "UPDATE",
        """OLD.booked_at IS NOT NULL OR NEW.answer_id <> OLD.answer_id OR NEW.number <> OLD.number
        OR NEW.reviewer <> OLD.reviewer OR NEW.seconds <> OLD.seconds OR NEW."end" <> OLD."end" """,
        "an ended claim is booked once and changes in nothing else",
    ),
    Rule("review_claims_no_delete", "review_claims", "DELETE", "1 = 1", "ended claims stay"),
    # SQLite's INSERT OR REPLACE removes a row without asking its triggers.
    Rule(
        "answers_not_replaced",
        "answers",
        "INSERT",
        """NEW.status <> 'running' AND EXISTS (
            SELECT 1 FROM decisions d WHERE d.answer_id = NEW.id AND {approvals} > 0)""",
        "an answer that needs approvals goes out with all of them only",
    ),
    *(
        Rule(
            f"{table}_not_replaced",
            table,
            "INSERT",
            f"""EXISTS (SELECT 1 FROM {table} own
            WHERE {key})""",
            f"a row of {table} is there already",
        )
        for table, key in (
            ("decisions", "own.answer_id = NEW.answer_id"),
            ("review_items", "own.answer_id = NEW.answer_id"),
            ("review_claims", "own.answer_id = NEW.answer_id AND own.number = NEW.number"),
            ("review_verdicts", "own.answer_id = NEW.answer_id AND own.reviewer = NEW.reviewer"),
        )
    ),
    Rule("review_links_stay", "review_links", "UPDATE", "1 = 1", "links between answers stay"),
)


def upgrade() -> None:
    _set_statuses(STATUSES)
    op.add_column("answer_bodies", sa.Column("corrected", sa.Text(), nullable=True))
    _create_items()
    _create_claims_and_verdicts()
    _create_notes()
    for rule in RULES:
        _forbid(rule)
    if op.get_bind().dialect.name == "postgresql":
        for table in ("review_items", "review_claims", "review_verdicts"):
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('reviews stay')"
            )


def downgrade() -> None:
    """Loses reviews, and the words of every answer that was withheld: 0004 would show them."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for rule in RULES:
        on = f" ON {rule.table}" if postgresql else ""
        op.execute(f"DROP TRIGGER {rule.name}{on}")
        if postgresql:
            op.execute(f"DROP FUNCTION {rule.name}()")
    for table in TABLES[::-1]:
        op.drop_table(table)
    op.execute("UPDATE answer_bodies SET answer = corrected WHERE corrected IS NOT NULL")
    op.drop_column("answer_bodies", "corrected")
    hidden = "('pending_review', 'rejected', 'evidence')"
    op.execute(
        "UPDATE answer_bodies SET answer = '' WHERE answer_id IN "
        f"(SELECT id FROM answers WHERE status IN {hidden})"
    )
    if postgresql:
        op.drop_constraint(op.f("ck_answers_status_known"), "answers", type_="check")
    op.execute(f"UPDATE answers SET status = 'cancelled' WHERE status IN {hidden}")
    _set_statuses(OLD, dropped=postgresql)


def _set_statuses(statuses: tuple[str, ...], dropped: bool = False) -> None:
    known = "status IN (" + ", ".join(f"'{status}'" for status in statuses) + ")"
    if op.get_bind().dialect.name == "postgresql":
        if not dropped:
            op.drop_constraint(op.f("ck_answers_status_known"), "answers", type_="check")
        op.create_check_constraint(op.f("ck_answers_status_known"), "answers", known)
        return
    # References to the table are checked when all is done: until then it is away for a moment.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TABLE aside_answers AS SELECT * FROM answers")
    op.drop_table("answers")
    _create_answers(known)
    op.execute("INSERT INTO answers SELECT * FROM aside_answers")
    op.drop_table("aside_answers")


def _create_answers(known: str) -> None:
    """As 0001 has it, but for the statuses."""
    units = ("prompt_tokens", "decode_tokens", "nfe", "cost_nanos")
    op.create_table(
        "answers",
        *(_text(name) for name in ("id", "pilot_id", "user_name", "team", "status")),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        _text("request_sha256"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        _text("adapter_sha256"),
        sa.Column("nfe_per_token", sa.Integer(), server_default="0", nullable=False),
        *(sa.Column(n, sa.BigInteger(), server_default="0", nullable=False) for n in units),
        sa.Column("changed_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("device_seconds", sa.Float(), server_default="0", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint(known, name=op.f("ck_answers_status_known")),
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
    op.create_index("ix_answers_pilot_id_created_at", "answers", ["pilot_id", "created_at"])


def _text(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), server_default=default, nullable=nullable)


def _body(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def _instant(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, INSTANT, nullable=nullable)


def _to_answers(table: str, column: str = "answer_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["answers.id"], name=f"fk_{table}_{column}")


def _to_pilots(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name=f"fk_{table}_pilot_id")


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _create_items() -> None:
    name = "review_items"
    op.create_table(
        name,
        *(_text(column) for column in ("answer_id", "pilot_id", "kind")),
        sa.Column("approvals", sa.Integer(), nullable=False),
        _text("importance"),
        sa.Column("rank", sa.Integer(), nullable=False),
        _text("state"),
        _text("outcome", nullable=True),
        _instant("opened_at"),
        _instant("due_at"),
        _instant("decided_at", nullable=True),
        _text("holder", nullable=True),
        sa.Column("claim", sa.Integer(), server_default="0", nullable=False),
        *(_instant(column, nullable=True) for column in ("claimed_at", "beaten_at", "lease_until")),
        sa.Column("seconds", sa.Integer(), server_default="0", nullable=False),
        _check(name, "kind_known", "kind IN ('required', 'audit')"),
        _check(name, "approvals_by_one_or_two", "approvals BETWEEN 1 AND 2"),
        _check(name, "audit_by_one", "kind <> 'audit' OR approvals = 1"),
        _check(name, "state_known", "state IN ('waiting', 'asked', 'decided')"),
        _check(
            name,
            "decided_with_outcome",
            "(state = 'decided' AND outcome IN ('approved', 'corrected', 'rejected') "
            "AND decided_at IS NOT NULL) "
            "OR (state <> 'decided' AND outcome IS NULL AND decided_at IS NULL)",
        ),
        _check(
            name,
            "holder_with_lease",
            "(holder IS NULL AND lease_until IS NULL) OR (holder IS NOT NULL AND state = 'waiting' "
            "AND claimed_at IS NOT NULL AND beaten_at IS NOT NULL AND lease_until IS NOT NULL)",
        ),
        _to_answers(name),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("answer_id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_pilot_id_state_rank", name, ["pilot_id", "state", "rank"])


def _create_claims_and_verdicts() -> None:
    name = "review_claims"
    op.create_table(
        name,
        _text("answer_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("pilot_id"),
        _text("reviewer"),
        _instant("began_at"),
        _instant("ended_at"),
        sa.Column("seconds", sa.Integer(), nullable=False),
        _text("end"),
        _body("note", ""),
        sa.Column("nanos", sa.BigInteger(), nullable=True),
        _instant("booked_at", nullable=True),
        _check(name, "seconds_not_negative", "seconds >= 0"),
        _check(
            name,
            "end_known",
            "\"end\" IN ('verdict', 'asked', 'released', 'skipped', 'expired', 'taken_over')",
        ),
        _check(name, "booked_at_once", "(nanos IS NULL) = (booked_at IS NULL)"),
        _to_answers(name),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("answer_id", "number", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_pilot_id_booked_at", name, ["pilot_id", "booked_at"])
    name = "review_verdicts"
    op.create_table(
        name,
        sa.Column("id", SERIAL, nullable=False),
        *(_text(column) for column in ("pilot_id", "answer_id", "reviewer")),
        sa.Column("claim", sa.Integer(), nullable=False),
        _text("kind"),
        _body("correction", nullable=True),
        _body("reason", ""),
        _text("source", nullable=True),
        _instant("given_at"),
        _check(name, "kind_known", "kind IN ('approve', 'correct', 'reject')"),
        _check(
            name,
            "correction_of_correct",
            "(kind = 'correct' AND correction <> '' AND correction IS NOT NULL) "
            "OR (kind <> 'correct' AND correction IS NULL AND source IS NULL)",
        ),
        _check(name, "reject_with_reason", "kind <> 'reject' OR reason <> ''"),
        _to_answers(name),
        _to_answers(name, "source"),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("answer_id", "reviewer", name=f"uq_{name}_answer_id_reviewer"),
        sqlite_autoincrement=True,
    )


def _create_notes() -> None:
    name = "review_drafts"
    op.create_table(
        name,
        *(_text(column) for column in ("answer_id", "reviewer", "pilot_id")),
        _text("kind", nullable=True),
        _body("correction"),
        _body("reason"),
        _instant("saved_at"),
        _to_answers(name),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("answer_id", "reviewer", name=f"pk_{name}"),
    )
    name = "review_messages"
    op.create_table(
        name,
        sa.Column("id", SERIAL, nullable=False),
        *(_text(column) for column in ("pilot_id", "answer_id", "kind", "by_name")),
        _body("text"),
        _instant("said_at"),
        _check(name, "kind_known", "kind IN ('question', 'reply')"),
        _to_answers(name),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_answer_id", name, ["answer_id"])
    name = "review_links"
    op.create_table(
        name,
        *(_text(column) for column in ("answer_id", "pilot_id", "of_answer_id", "kind", "by_name")),
        _instant("linked_at"),
        _check(name, "kind_known", "kind IN ('base', 'more')"),
        _check(name, "of_another", "answer_id <> of_answer_id"),
        _to_answers(name),
        _to_answers(name, "of_answer_id"),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("answer_id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_of_answer_id", name, ["of_answer_id"])
    name = "review_notices"
    op.create_table(
        name,
        *(_text(column) for column in ("answer_id", "kind", "channel", "pilot_id", "importance")),
        _instant("due_at"),
        _instant("noted_at"),
        _instant("sent_at", nullable=True),
        _check(name, "kind_known", "kind IN ('reminder', 'overdue')"),
        _to_answers(name),
        _to_pilots(name),
        sa.PrimaryKeyConstraint("answer_id", "kind", "channel", name=f"pk_{name}"),
    )


def _forbid(rule: Rule) -> None:
    dialect = op.get_bind().dialect.name
    broken = rule.broken.format(approvals=APPROVALS[dialect])
    if dialect == "sqlite":
        op.execute(
            f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} "
            f"WHEN {broken} BEGIN SELECT RAISE(ABORT, '{rule.message}'); END"
        )
        return
    given = "OLD" if rule.event == "DELETE" else "NEW"
    op.execute(
        f"""
        CREATE FUNCTION {rule.name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {broken} THEN
                RAISE EXCEPTION '{rule.message}' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN {given};
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {rule.name}()"
    )
