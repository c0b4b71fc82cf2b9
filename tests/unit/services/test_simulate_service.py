"""A draft over the log of a real pilot, and what measured quality says of it, with its interval."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.ports import Measured, Measurement
from app.services.calibrate import Calibrate, reconciled
from app.services.simulate import Simulate, quality
from app.services.spent import flags
from evaluation.stats import paired
from policies.calibrate import DeviceCost
from policies.document import Policy
from policies.errors import InvalidInput, OverCeiling
from policies.simulate import Basis, Move, Replay
from policies.types import Domain, Importance, Rung, Solver, Units
from tests.actors import FINN
from tests.databases import POLICY, PRICES, START
from tests.fakes import MODEL
from tests.samples import measurement
from tests.unit.policies.policies import policy
from tests.world import World

DAY = timedelta(days=1)
CHEAP = policy("cheap", standard={"max_new_tokens": 96}, high={"max_nfe_per_token": 3})


def simulate(world: World) -> Simulate:
    def nfe_per_token(rung: Rung) -> int:
        return rung.max_nfe_per_token

    return Simulate(world.uow, ZoneInfo("Asia/Tokyo"), MODEL.adapter_sha256, nfe_per_token)


def over(world: World, draft: Policy) -> Replay:
    return simulate(world)(FINN, draft, START - DAY, START + DAY).replay


def test_policy_in_force_replays_to_what_the_ledger_charged(world: World) -> None:
    costs = [
        world.receipt(f"key-{i}", importance=importance).row.cost_nanos
        for i, importance in enumerate(Importance)
    ]
    out = over(world, POLICY)
    assert out.cost_before == out.cost_after == sum(costs) == sum(world.charges())
    assert out.by_basis == {Basis.CHARGED: 4}


def test_draft_with_fewer_passes_costs_its_units_at_the_prices_of_then(world: World) -> None:
    row = world.receipt(importance=Importance.HIGH).row
    out = over(world, CHEAP)
    words = row.units.decode_tokens
    assert out.cost_before == row.cost_nanos
    assert out.cost_after == (
        row.units.prompt_tokens * PRICES.prompt_token_nanos
        + words * PRICES.decode_token_nanos
        + 3 * words * PRICES.nfe_nanos
    )


def test_refused_query_is_replayed_as_it_was_asked(world: World) -> None:
    world.limit(100)
    with pytest.raises(OverCeiling):
        world.receipt()
    out = over(world, POLICY)
    assert (out.queries, out.refused_before, out.refused_after) == (1, 1, 0)


def test_only_queries_of_the_days_asked_for_are_replayed(world: World) -> None:
    world.receipt("key-1")
    world.clock.advance(DAY)
    world.receipt("key-2")
    found = simulate(world)(FINN, POLICY, START, START + DAY)
    assert (found.replay.queries, found.currency) == (1, PRICES.currency)


def test_a_trial_that_is_waited_for_replays_the_newest_and_says_so(world: World) -> None:
    for name in ("key-1", "key-2", "key-3"):
        world.receipt(name)
        world.clock.advance(timedelta(minutes=1))
    over_all = (FINN, POLICY, START - DAY, START + DAY)
    for most, replayed, cut in ((2, 2, True), (3, 3, False), (None, 3, False)):
        found = simulate(world)(*over_all, most)
        assert (found.replay.queries, found.cut) == (replayed, cut)


def rows(domain: Domain, right: str) -> list[Measured]:
    return [
        Measured(f"{domain}-{i}", domain, c == "1", Units(1, 1, 3), 9) for i, c in enumerate(right)
    ]


def rung(cap: int, **changes: object) -> Rung:
    base = Rung(Solver.EULER if cap else Solver.BASE, cap, 1.0, 96)
    return replace(base, **changes)  # type: ignore[arg-type]


MATH_3, MATH_7 = "0011010011", "0111011011"
DATA_3, DATA_7 = "1111100000", "1111110000"
RECORDED: list[tuple[Measurement, list[Measured]]] = [
    (measurement(3, 0.5), rows(Domain.MATH, MATH_3) + rows(Domain.DATA, DATA_3)),
    (measurement(7, 0.7), rows(Domain.MATH, MATH_7) + rows(Domain.DATA, DATA_7)),
    (measurement(7, 0.7, suite="pilot --gate 0.9"), rows(Domain.MATH, MATH_3)),
    (measurement(3, 0.7, suite="other"), rows(Domain.BUSINESS, "10")),
]


def moved(*moves: tuple[Domain, Rung, Rung, int]) -> Replay:
    return Replay(moves=Counter({Move(d, before, after): n for d, before, after, n in moves}))


def bools(right: str) -> Iterator[bool]:
    return (c == "1" for c in right)


def test_quality_of_a_move_is_paired_on_its_own_domain() -> None:
    found = quality(moved((Domain.MATH, rung(3), rung(7), 5)), RECORDED)
    own = paired(list(bools(MATH_3)), list(bools(MATH_7)))
    assert (found.measured, found.unmeasured) == (5, 0)
    assert found.moves[0].difference == own
    assert found.gain == pytest.approx(own.value)
    assert found.low == pytest.approx(own.low)
    assert found.high == pytest.approx(own.high)


def test_domains_weigh_as_their_queries_and_the_interval_narrows() -> None:
    both = quality(
        moved((Domain.MATH, rung(3), rung(7), 30), (Domain.DATA, rung(3), rung(7), 10)), RECORDED
    )
    math = paired(list(bools(MATH_3)), list(bools(MATH_7)))
    data = paired(list(bools(DATA_3)), list(bools(DATA_7)))
    assert both.gain == pytest.approx(0.75 * math.value + 0.25 * data.value)
    assert both.low is not None
    assert both.high is not None
    widths = 0.75 * (math.high - math.low) + 0.25 * (data.high - data.low)
    assert both.high - both.low < widths


@pytest.mark.parametrize(
    ("before", "after", "domain"),
    [
        (rung(3), rung(15), Domain.MATH),  # nobody measured 15
        (rung(3), rung(7), Domain.GENERAL),
        (rung(3), rung(7, solver=Solver.RK4), Domain.MATH),
        (rung(3), rung(7, points=2), Domain.MATH),
        (rung(3), rung(7), Domain.BUSINESS),  # only one of the two was
    ],
)
def test_move_that_nobody_measured_is_said_to_be_so(
    before: Rung, after: Rung, domain: Domain
) -> None:
    found = quality(moved((domain, before, after, 4)), RECORDED)
    assert (found.measured, found.unmeasured, found.gain) == (0, 4, None)


def test_gated_rung_is_matched_with_the_measurement_that_had_its_gate() -> None:
    found = quality(moved((Domain.MATH, rung(3), rung(7, gate=0.9), 1)), RECORDED)
    assert found.gain == 0.0  # the gated rows above are those of cap 3


def test_a_rung_measured_as_one_counts_like_its_cap_under_the_same_flags() -> None:
    checked = {"gate": 0.9, "temperature": 0.7, "checked": True}
    before, after = rung(1, gate=0.9), rung(7, **checked)  # as the policy has them
    suite = f"pilot{flags(after)}"
    right = rows(Domain.MATH, MATH_3), rows(Domain.MATH, MATH_7)
    recorded = [
        (measurement(1, 0.5, suite=suite, importance=Importance.STANDARD), right[0]),
        (measurement(7, 0.7, suite=suite, importance=Importance.HIGH), right[1]),
    ]
    found = quality(moved((Domain.MATH, before, after, 4)), recorded)
    assert (found.measured, found.unmeasured) == (4, 0)
    twice = quality(moved((Domain.MATH, rung(2, gate=0.9), after, 4)), recorded)
    assert twice.measured == 0


def test_calibration_is_measured_priced_and_kept_with_its_conditions(world: World) -> None:
    world.engine.words = ["word"] * 30
    total = 0.0

    def joules() -> float:
        nonlocal total
        total += 10.0
        return total

    measure = Calibrate(world.engine, world.uow, world.clock, joules, DeviceCost(3600 * 10**9))
    done: list[tuple[int, int]] = []
    found = measure(
        FINN,
        2,
        12,
        "m-1",
        "JPY",
        START,
        lambda: {"load": [0.1]},
        lambda n, of: done.append((n, of)),
    )
    assert done == [(1, 2), (2, 2)]
    assert len(world.engine.jobs) == 4 * 3  # the first round warms up
    assert (found.prices.version, found.prices.model) == ("m-1", MODEL.model)
    with world.uow() as uow:
        kept = uow.history.calibration(MODEL.model)
    assert kept is not None
    assert kept.record == found.record
    assert kept.record["conditions"] == {"before": {"load": [0.1]}, "after": {"load": [0.1]}}
    assert kept.record["rates_seconds"]["watts"]["median"] == 10.0 / 0.25
    for repeats, tokens in ((0, 12), (2, 4), (2, 513)):
        with pytest.raises(InvalidInput, match="repeats are from 1 to 100"):
            measure(FINN, repeats, tokens, "m-2", "JPY", START, dict)


def test_reconciliation_reads_what_the_ledger_and_the_meter_say(world: World) -> None:
    hour = timedelta(hours=1)
    cost = DeviceCost(3600)
    assert reconciled(world.uow, MODEL.model, START, START + hour, cost) is None
    charged = world.receipt().row.cost_nanos
    found = reconciled(world.uow, MODEL.model, START, START + hour, cost)
    assert found is not None
    assert (found.metered.answers, found.result.charged_nanos) == (1, charged)
    assert reconciled(world.uow, MODEL.model, None, START + hour, cost) == found
    assert found.result.busy_seconds == 0.25
    assert found.result.idle_share == pytest.approx(1 - 0.25 / 3600)
    assert (found.result.used_nanos, found.result.owned_nanos, found.watts) == (1, 3600, None)
