"""Money text: exact where it must be, short where it may be, rounded to the honest side."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import about, at_least, at_most, exact, plot_coordinate, symbol

NANOS = st.integers(0, 10**15)


@pytest.mark.parametrize(
    ("nanos", "currency", "locale", "text"),
    [
        (123_456, "USD", "en_US", "$0.000123456"),
        (5_000_000_000, "USD", "en_US", "$5.00"),
        (1_234_500_000_001, "USD", "en_US", "$1,234.500000001"),
        (5_000_000_000, "JPY", "ja_JP", "￥5"),
        (12_300_000, "JPY", "ja_JP", "￥0.0123"),
        (0, "USD", "ja_JP", "$0.00"),
    ],
)
def test_exact_money_shows_every_digit(nanos: int, currency: str, locale: str, text: str) -> None:
    assert exact(nanos, currency, locale) == text


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (123_456, "$0.000123"),
        (1, "$0.000000001"),
        (999_999_999, "$1.00"),
        (48_585, "$0.0000486"),
        (12_345_678_901, "$12.35"),
    ],
)
def test_short_money_keeps_three_digits_of_a_small_amount(nanos: int, text: str) -> None:
    assert about(nanos, "USD", "en_US") == text


def test_a_bound_never_looks_lower_and_a_rest_never_looks_higher() -> None:
    assert at_most(391_001, "USD", "en_US") == "$0.000392"
    assert at_least(4_999_999_999, "USD", "en_US") == "$4.99"


@given(NANOS)
def test_exact_text_reads_back_as_the_same_nanos(nanos: int) -> None:
    text = exact(nanos, "USD", "en_US").removeprefix("$").replace(",", "")
    assert int(Decimal(text).scaleb(9)) == nanos


@given(NANOS.filter(bool))
def test_no_price_is_shown_as_nothing(nanos: int) -> None:
    assert any(digit in about(nanos, "USD", "en_US") for digit in "123456789")


def test_symbol_and_coordinate_are_for_axes() -> None:
    assert symbol("USD", "en_US") == "$"
    assert plot_coordinate(1_500_000_000) == 1.5
