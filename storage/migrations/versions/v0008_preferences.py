"""The language and the time zone in which a person wants the pages, whatever their browser says."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_preferences_pilot_id"),
        sa.ForeignKeyConstraint(
            ["pilot_id", "user_name"],
            ["users.pilot_id", "users.name"],
            name="fk_preferences_pilot_id_user_name",
        ),
        sa.PrimaryKeyConstraint("pilot_id", "user_name", name="pk_preferences"),
    )


def downgrade() -> None:
    """Loses them; the pages are as each browser has it again."""
    op.drop_table("preferences")
