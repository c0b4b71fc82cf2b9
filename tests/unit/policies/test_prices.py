"""Price lists by date, what measurement makes of them, and what a request will probably cost."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.calibrate import DeviceCost, Round, Timed, cost_of, price_list, rates
from policies.decide import decide
from policies.errors import InvalidInput, Unpriced
from policies.expected import FEWEST, expected
from policies.prices import load, parse
from policies.pricing import in_force
from policies.reconcile import reconcile
from policies.types import Units
from tests.unit.policies.policies import PRICES, policy, request

TOKYO = ZoneInfo("Asia/Tokyo")
USD = 10**9


def lists(valid_from: str, version: str = "a") -> str:
    return (
        f"- {{version: {version}, currency: USD, model: m, valid_from: {valid_from}, "
        "prompt_token_nanos: 1, decode_token_nanos: 2, nfe_nanos: 3}\n"
    )


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-12-01", datetime(2026, 11, 30, 15, tzinfo=UTC)),
        ("2026-12-01T09:30:00", datetime(2026, 12, 1, 0, 30, tzinfo=UTC)),
        ("2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=UTC)),
        ("'2026-12-01T00:00:00+09:00'", datetime(2026, 11, 30, 15, tzinfo=UTC)),
    ],
)
def test_date_of_a_list_begins_in_the_time_zone_of_the_pilot(
    written: str, instant: datetime
) -> None:
    (found,) = parse(lists(written), "prices.yaml", TOKYO)
    assert found.valid_from == instant


def test_next_list_takes_over_at_midnight_of_the_pilot() -> None:
    both = parse(lists("2026-11-01") + lists("2026-12-01", "b"), "prices.yaml", TOKYO)
    before, after = (datetime(2026, 11, 30, hour, 59, tzinfo=UTC) for hour in (14, 15))
    assert in_force(both, "m", before).version == "a"
    assert in_force(both, "m", after).version == "b"
    with pytest.raises(Unpriced):
        in_force(both, "m", datetime(2026, 10, 31, 14, 59, tzinfo=UTC))


def test_fault_of_a_price_list_has_its_line() -> None:
    broken = lists("2026-11-01") + lists("2026-12-01", "b").replace("nanos: 3", "nanos: 1.5")
    with pytest.raises(InvalidInput, match=r"prices.yaml, line 2: 1.nfe_nanos: .*integer, got 1.5"):
        parse(broken, "prices.yaml")
    with pytest.raises(InvalidInput, match=r"line 2: 1.version: names a list above, got 'a'"):
        parse(lists("2026-11-01") * 2, "prices.yaml")
    with pytest.raises(InvalidInput, match="known here: version, currency, model"):
        parse(lists("2026-11-01").replace("nfe_nanos", "step_nanos"), "prices.yaml")


def test_shipped_list_can_be_read() -> None:
    assert load("builtin", TOKYO)[0].currency == "USD"


def timed(prompt: int, decode: int, nfe: int, noise: float = 0.0) -> Timed:
    """A machine that takes 1 s to begin, 2 ms a prompt token, 30 ms a token, 20 ms a pass, 50 W."""
    seconds = 1.0 + 0.002 * prompt + 0.030 * decode + 0.020 * nfe + noise
    return Timed(Units(prompt, decode, nfe), seconds, 50 * seconds)


def measured(noise: float = 0.0) -> Round:
    return Round(
        timed(20, 4, 0, noise), timed(20, 24, 0), timed(300, 22, 0), timed(20, 23, 345, noise)
    )


def test_calibration_finds_the_rates_whatever_each_run_spends_to_begin() -> None:
    found = rates([measured(), measured(), measured()])
    assert found.prompt_token.median == pytest.approx(0.002)
    assert found.decode_token.median == pytest.approx(0.030)
    assert found.nfe.median == pytest.approx(0.020)
    assert found.watts is not None
    assert found.watts.median == pytest.approx(50)


def test_spread_shows_how_far_rounds_differ_and_one_outlier_moves_no_median() -> None:
    found = rates([measured(noise) for noise in (0.0, 0.01, 0.02, -0.01, 5.0)])
    assert found.nfe.n == 5
    assert found.nfe.median == pytest.approx(0.020, rel=0.01)
    assert found.nfe.low < found.nfe.median < found.nfe.high


def test_runs_that_tell_nothing_apart_are_refused() -> None:
    same = Round(*(timed(20, 4, 0) for _ in range(4)))
    with pytest.raises(InvalidInput, match="0 more tokens written"):
        rates([same])


def test_measured_list_is_rounded_up_and_has_energy_only_where_it_is_paid() -> None:
    found = rates([measured()])
    since = datetime(2026, 12, 1, tzinfo=UTC)
    hour = price_list(found, DeviceCost(3600 * USD), "m-1", "USD", "m", since)
    assert hour.decode_token_nanos == pytest.approx(30_000_000, abs=1)
    paid = price_list(found, DeviceCost(3600 * USD, USD), "m-1", "USD", "m", since)
    # 50 W for 30 ms at 1 USD a kWh are 416.7 nanos more
    assert 416 <= paid.decode_token_nanos - hour.decode_token_nanos <= 418
    assert cost_of(1.0, DeviceCost(1)) == 1


@given(st.integers(0, 10**12), st.floats(0, 10**6), st.integers(1, 10**7), st.integers(0, 10**12))
def test_reconciliation_never_hides_idle_time(
    charged: int, busy: float, span: int, hour: int
) -> None:
    found = reconcile(charged, busy, span, DeviceCost(hour))
    assert 0 <= found.idle_share <= 1
    if busy <= span:
        assert found.used_nanos <= found.owned_nanos
        assert found.busy_seconds + found.idle_share * span == pytest.approx(span, abs=1e-3)


def test_reconciliation_puts_list_price_beside_use_and_ownership() -> None:
    found = reconcile(3 * USD, 3600, 4 * 3600, DeviceCost(2 * USD))
    assert (found.used_nanos, found.owned_nanos) == (2 * USD, 8 * USD)
    assert found.idle_share == 0.75
    assert (found.charged_of_used, found.charged_of_owned) == (1.5, 0.375)


def test_expectation_needs_a_few_answers_and_never_passes_the_quote() -> None:
    decision = decide(request(), policy(), PRICES)
    few = [Units(9, 2, 6)] * (FEWEST - 1)
    assert expected(decision, few, PRICES) is None
    found = expected(decision, [Units(9, n, 3 * n) for n in range(1, 12)], PRICES)
    assert found is not None
    # the median answer wrote 6 tokens; the prompt of five tokens is this request's own
    assert (found.nanos, found.n) == (5 * 2 + 6 * 10 + 18 * 5, 11)
    assert found.low_nanos < found.nanos < found.high_nanos <= decision.quote.nanos
    long = expected(decision, [Units(9, 500, 500)] * 9, PRICES)
    assert long is not None
    assert long.high_nanos == decision.quote.nanos
