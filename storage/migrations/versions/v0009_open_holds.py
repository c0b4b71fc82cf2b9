"""An index of the holds that are open, and of no other.

A handful are open at a time, however many answers there were: what looks for them stays as fast,
and a closed hold costs no place in it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.drop_index("ix_holds_state_expires_at", "holds")
    op.create_index(
        "ix_holds_open",
        "holds",
        ["pilot_id", "expires_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_holds_open", "holds")
    op.create_index("ix_holds_state_expires_at", "holds", ["state", "expires_at"])
