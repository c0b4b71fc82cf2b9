"""Column types that refuse what would be stored wrong: instants without a zone, money as float."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

MAX_NANOS = 2**63 - 1


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Taken with any zone, given back in UTC; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a time zone, got the naive {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Nanos(TypeDecorator[int]):
    """Money: whole nanos (1e-9) of a currency. A float or a bool here is a bug."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        if type(value) is not int:
            raise TypeError(f"nanos are int, got {type(value).__name__} {value!r}")
        if abs(value) > MAX_NANOS:
            raise OverflowError(f"nanos must be within 64 bits, got {value}")
        return value
