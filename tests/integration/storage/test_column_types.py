"""What would be stored wrong is not stored."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from storage.types import MAX_NANOS, Nanos, UtcDateTime

DIALECTS: tuple[Dialect, ...] = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("value", [1.0, True, "1", Decimal(1)])
def test_money_that_is_no_integer_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="nanos are int"):
        Nanos().process_bind_param(value, DIALECTS[0])


@given(st.integers(-MAX_NANOS, MAX_NANOS))
def test_money_is_bound_as_it_is(value: int) -> None:
    assert Nanos().process_bind_param(value, DIALECTS[0]) == value


def test_money_beyond_64_bits_is_refused() -> None:
    with pytest.raises(OverflowError):
        Nanos().process_bind_param(MAX_NANOS + 1, DIALECTS[0])


def test_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2025, 11, 3), DIALECTS[0])


@given(st.datetimes(timezones=st.timezones()))
def test_instant_survives_any_zone_and_dialect(value: datetime) -> None:
    for dialect in DIALECTS:
        bound = UtcDateTime().process_bind_param(value, dialect)
        assert bound is not None
        stored = bound.replace(tzinfo=None) if dialect.name == "sqlite" else bound
        back = UtcDateTime().process_result_value(stored, dialect)
        assert back is not None
        assert back == value.astimezone(UTC)
        assert back.tzinfo is UTC


def test_nothing_stays_nothing() -> None:
    assert Nanos().process_bind_param(None, DIALECTS[0]) is None
    assert UtcDateTime().process_bind_param(None, DIALECTS[0]) is None
    assert UtcDateTime().process_result_value(None, DIALECTS[0]) is None
