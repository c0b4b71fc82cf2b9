"""By which channels an alert goes out, and which of them have not heard of it yet.

And the index by which the latest lines of a ledger are found, however many there are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Alerts from before go where they went then; those nobody sent yet are due in the log."""
    op.add_column(
        "budget_alerts",
        sa.Column("channels", sa.String(), server_default="log,page", nullable=False),
    )
    op.add_column("budget_alerts", sa.Column("due", sa.String(), server_default="", nullable=False))
    op.execute("UPDATE budget_alerts SET due = 'log' WHERE sent_at IS NULL")
    op.create_index(
        "ix_budget_alerts_pilot_id_reached_at", "budget_alerts", ["pilot_id", "reached_at"]
    )
    op.create_index("ix_ledger_entries_pilot_id_id", "ledger_entries", ["pilot_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_ledger_entries_pilot_id_id", "ledger_entries")
    op.drop_index("ix_budget_alerts_pilot_id_reached_at", "budget_alerts")
    op.drop_column("budget_alerts", "due")
    op.drop_column("budget_alerts", "channels")
