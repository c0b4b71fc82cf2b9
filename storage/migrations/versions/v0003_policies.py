"""Policies that are proposed, approved by another person and activated; what a decision was.

Nothing is activated here: a pilot without an activation runs the policy of its settings first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DECIDED = (
    ("role", sa.String(), "requester"),
    ("limits", sa.JSON(), "[]"),
    ("review", sa.JSON(), "{}"),
    ("at_ceiling", sa.String(), "refuse"),
)
"""What decisions of before had: no ceilings of a policy, no review, refused at the ceiling."""


def upgrade() -> None:
    for name, kind, default in DECIDED:
        column = sa.Column(name, kind, server_default=default, nullable=False)
        op.add_column("decisions", column)
    _create_proposals()
    _create_activations()
    op.create_table(
        "calibrations",
        sa.Column("id", SERIAL, nullable=False),
        *(sa.Column(n, sa.String(), nullable=False) for n in ("pilot_id", "model", "device")),
        sa.Column("measured_at", INSTANT, nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_calibrations_pilot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_calibrations"),
    )


def downgrade() -> None:
    """Loses who proposed, approved and activated; versions stay."""
    for table in ("calibrations", "policy_activations", "policy_proposals"):
        op.drop_table(table)
    for name, _, _ in DECIDED:
        op.drop_column("decisions", name)


def _create_proposals() -> None:
    op.create_table(
        "policy_proposals",
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "approved_by <> proposed_by", name=op.f("ck_policy_proposals_approved_by_another")
        ),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)",
            name=op.f("ck_policy_proposals_approved_at_once"),
        ),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_policy_proposals_pilot_id"),
        sa.ForeignKeyConstraint(
            ["pilot_id", "version"],
            ["policy_versions.pilot_id", "policy_versions.version"],
            name="fk_policy_proposals_pilot_id_version",
        ),
        sa.PrimaryKeyConstraint("pilot_id", "version", name="pk_policy_proposals"),
        sa.UniqueConstraint(
            "pilot_id",
            "version",
            "approved_by",
            name="uq_policy_proposals_pilot_id_version_approved_by",
        ),
    )


def _create_activations() -> None:
    op.create_table(
        "policy_activations",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("activated_by", sa.String(), nullable=False),
        sa.Column("activated_at", INSTANT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_policy_activations_pilot_id"),
        sa.ForeignKeyConstraint(
            ["pilot_id", "version", "approved_by"],
            [
                "policy_proposals.pilot_id",
                "policy_proposals.version",
                "policy_proposals.approved_by",
            ],
            name="fk_policy_activations_pilot_id_version_approved_by",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_policy_activations"),
        sqlite_autoincrement=True,
    )
