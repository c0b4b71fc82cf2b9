"""Votes on comparisons, by pairs of answers: until now they were kept as ratings, which they are
not. The ratings that they left stay: nobody can tell them from thumbs any more.
"""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = "comparison_votes"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("less_id", sa.String(), nullable=False),
        sa.Column("more_id", sa.String(), nullable=False),
        sa.Column("preferred", sa.String(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("voted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("less_id <> more_id", name=op.f(f"ck_{TABLE}_of_two")),
        sa.CheckConstraint(
            "preferred IN ('less', 'more', 'tie', 'bad')", name=op.f(f"ck_{TABLE}_preferred_known")
        ),
        sa.ForeignKeyConstraint(["less_id"], ["answers.id"], name=f"fk_{TABLE}_less_id"),
        sa.ForeignKeyConstraint(["more_id"], ["answers.id"], name=f"fk_{TABLE}_more_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name=f"fk_{TABLE}_pilot_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{TABLE}"),
        sa.UniqueConstraint("less_id", "more_id", name=f"uq_{TABLE}_less_id_more_id"),
    )


def downgrade() -> None:
    """Loses the votes; answers and ratings stay."""
    op.drop_table(TABLE)
