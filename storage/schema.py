"""What all tables are made of. Every row names its pilot; money is in nanos; instants are in UTC.

Triggers (the ledger is append-only, committed spend only grows) are in the migrations: metadata has
no word for them.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def serial() -> Column[int]:
    """SQLite numbers rows by itself only where the type is INTEGER."""
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def pilot() -> Column[str]:
    return Column("pilot_id", String, ForeignKey("pilots.id"), nullable=False)


def units() -> tuple[Column[int], ...]:
    names = ("prompt_tokens", "decode_tokens", "nfe")
    return tuple(Column(n, BigInteger, nullable=False, server_default="0") for n in names)


def sealed() -> Column[str]:
    """A SHA-256 of what the row says: seals.py."""
    return Column("seal", String, nullable=False, server_default="")
