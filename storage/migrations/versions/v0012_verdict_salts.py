"""A salt beside every verdict: the audit log keeps a seal of it, by which nobody can guess words.

Verdicts from before have none, and their entries no seal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    salt = sa.Column("salt", sa.String(), server_default="", nullable=False)
    op.add_column("review_verdicts", salt)


def downgrade() -> None:
    """Verdicts stay; nothing can tell any more whether they fit their seals."""
    op.drop_column("review_verdicts", "salt")
