"""An index of each person's answers, newest first.

A list of one's own questions, and the dashboard of one person, read as many answers as they show,
however many everybody asked: until now they read all of that person's and sorted them.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEX = "ix_answers_pilot_id_user_name_created_at"


def upgrade() -> None:
    op.create_index(INDEX, "answers", ["pilot_id", "user_name", "created_at"])


def downgrade() -> None:
    op.drop_index(INDEX, "answers")
