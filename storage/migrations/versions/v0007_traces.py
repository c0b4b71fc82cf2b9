"""How an answer came to be, token by token, and how candidates voted: in a table of its own, so
that lists and answers stay short.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_traces",
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("tokens", sa.JSON(), nullable=False),
        sa.Column("votes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_answer_traces_answer_id"),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_answer_traces_pilot_id"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_answer_traces"),
    )


def downgrade() -> None:
    """Loses the traces; answers stay."""
    op.drop_table("answer_traces")
