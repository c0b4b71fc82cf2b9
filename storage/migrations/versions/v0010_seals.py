"""Seals of the ledger's rows, its lines as one chain, and tallies of the rows that nothing misses.

What is there is sealed as it stands: from now on a change of it shows.
"""

import sqlalchemy as sa
from alembic import op

from storage.seal_all import seal_all

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SEALED = (
    "decisions",
    "holds",
    "price_lists",
    "budgets",
    "budget_raises",
    "policy_versions",
    "policy_proposals",
    "policy_activations",
)


def upgrade() -> None:
    for table in SEALED:
        op.add_column(table, _text("seal"))
    op.add_column("ledger_entries", _text("hash"))
    op.add_column(
        "pilots", sa.Column("entries_count", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("pilots", _text("entries_hash"))
    op.create_table(
        "seal_tallies",
        sa.Column("pilot_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pilot_id"], ["pilots.id"], name="fk_seal_tallies_pilot_id"),
        sa.PrimaryKeyConstraint("pilot_id", "name", name="pk_seal_tallies"),
    )
    # Nothing to seal in a new database; so what later releases seal keeps none from being made.
    if op.get_bind().execute(sa.text("SELECT 1 FROM pilots")).first() is not None:
        seal_all(op.get_bind())


def downgrade() -> None:
    """Loses seals and tallies; the rows stay."""
    op.drop_table("seal_tallies")
    op.drop_column("pilots", "entries_hash")
    op.drop_column("pilots", "entries_count")
    op.drop_column("ledger_entries", "hash")
    for table in SEALED[::-1]:
        op.drop_column(table, "seal")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), server_default="", nullable=False)
