"""Of each session the browser, the device and the address from which its person signed in.

Of those that are open when this comes nothing is known; they are gone within half a day.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = ("browser", "device", "address")


def upgrade() -> None:
    for name in COLUMNS:
        column = sa.Column(name, sa.String(), server_default="", nullable=False)
        op.add_column("sessions", column)


def downgrade() -> None:
    for name in COLUMNS[::-1]:
        op.drop_column("sessions", name)
