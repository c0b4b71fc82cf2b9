"""A question at the ceilings of its policy: refused with an offer, or answered a rung lower."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.ports import AnswerStatus
from app.services.ask import Started
from policies.ceilings import CeilingRule
from policies.errors import OverCeiling
from policies.types import AtCeiling, Importance, Window
from tests.actors import ANN
from tests.databases import PRICES
from tests.unit.policies.policies import QUOTES, policy
from tests.world import World

CRITICAL, HIGH, ROUTINE = Importance.CRITICAL, Importance.HIGH, Importance.ROUTINE
STEP_DOWN = dict.fromkeys(Importance, AtCeiling.STEP_DOWN)
"""Quotes are those of QUOTES: its prices are PRICES in another currency."""


def under(
    world: World, *ceilings: tuple[str, Window, int], stepping: bool = False, name: str = "tight"
) -> None:
    rules = tuple(
        CeilingRule(*_scope(scope), window, nanos, PRICES.currency)
        for scope, window, nanos in ceilings
    )
    plain = policy(name)
    at = STEP_DOWN if stepping else plain.at_ceiling
    world.under(replace(plain, ceilings=rules, at_ceiling=at))


def _scope(scope: str) -> tuple[str, str | None]:
    kind, _, subject = scope.partition(":")
    return kind, subject or None


def refusal(world: World, **form: Importance) -> OverCeiling:
    with pytest.raises(OverCeiling) as refused:
        world.receipt("refused", **form)
    return refused.value


@pytest.mark.parametrize("window", [Window.DAY, Window.MONTH, Window.WHOLE])
def test_refusal_names_the_window_its_numbers_and_the_rung_that_fits(
    world: World, window: Window
) -> None:
    under(world, ("team", window, QUOTES["critical"] - 1))
    values = refusal(world, importance=CRITICAL).values
    starts = {Window.DAY: "2025-11-03", Window.MONTH: "2025-11", Window.WHOLE: ""}
    assert values == {
        "scope": "team:sales",
        "window": window,
        "window_start": starts[window],
        "limit_nanos": QUOTES["critical"] - 1,
        "committed_nanos": 0,
        "held_nanos": 0,
        "quote_nanos": QUOTES["critical"],
        "currency": "JPY",
        "fits": "high",
    }
    assert world.engine.jobs == []
    assert world.only_row().status is AnswerStatus.REFUSED


def test_offer_fits_under_every_ceiling_also_that_of_its_own_importance(world: World) -> None:
    under(
        world,
        ("pilot", Window.DAY, QUOTES["critical"] - 1),
        ("importance:high", Window.DAY, QUOTES["high"] - 1),
    )
    assert refusal(world, importance=CRITICAL).values["fits"] == "standard"
    assert world.receipt(importance=Importance.STANDARD).row.granted is Importance.STANDARD


def test_ceiling_of_one_request_refuses_what_is_too_dear(world: World) -> None:
    under(world, ("request", Window.REQUEST, QUOTES["high"]))
    refused = refusal(world, importance=CRITICAL)
    assert (refused.values["scope"], refused.values["fits"]) == ("request", "high")
    for key in ("one", "two"):
        assert world.receipt(key, importance=HIGH).row.status is AnswerStatus.RELEASED


def test_stepping_down_takes_the_highest_rung_that_fits_and_says_so(world: World) -> None:
    under(world, ("pilot", Window.DAY, QUOTES["high"]), stepping=True)
    started, *_ = world.events(importance=CRITICAL)
    assert isinstance(started, Started)
    assert (started.decision.asked, started.decision.granted) == (CRITICAL, HIGH)
    assert started.decision.reasons[-1].code == "reason.stepped_down"
    row = world.only_row()
    assert (row.asked, row.granted, row.quote_nanos) == (CRITICAL, HIGH, QUOTES["high"])
    assert world.engine.jobs[0].plan.rung.max_nfe_per_token == 7


def test_stepping_down_to_nothing_that_fits_refuses_what_was_asked(world: World) -> None:
    under(world, ("pilot", Window.DAY, QUOTES["routine"] - 1), stepping=True)
    refused = refusal(world, importance=CRITICAL)
    assert (refused.values["quote_nanos"], refused.values["fits"]) == (QUOTES["critical"], "")
    row = world.only_row()
    assert (row.status, row.granted) == (AnswerStatus.REFUSED, CRITICAL)


def test_lower_rung_pays_from_its_own_importance(world: World) -> None:
    under(
        world,
        ("importance:critical", Window.DAY, 0),
        ("importance:high", Window.DAY, 0),
        stepping=True,
    )
    assert world.receipt(importance=CRITICAL).row.granted is Importance.STANDARD


def test_day_that_is_full_is_empty_again_the_next(world: World) -> None:
    under(world, ("user", Window.DAY, QUOTES["routine"]))
    world.receipt("one", importance=ROUTINE)
    assert refusal(world, importance=ROUTINE).values["committed_nanos"] == 60
    world.clock.advance(timedelta(days=1))
    world.receipt("two", importance=ROUTINE)


def test_policy_changed_between_two_questions_holds_for_the_second(world: World) -> None:
    under(world, ("pilot", Window.DAY, QUOTES["routine"] + 60))
    world.receipt("one", importance=ROUTINE)
    under(world, ("pilot", Window.DAY, QUOTES["routine"]), name="tighter")
    assert refusal(world, importance=ROUTINE).values["limit_nanos"] == QUOTES["routine"]


def test_preview_shows_the_ceilings_the_question_would_count_under(world: World) -> None:
    under(world, ("team", Window.DAY, 999), ("user:bob", Window.DAY, 1))
    preview = world.ask().preview(ANN, world.form())
    assert [(c.scope, c.window, c.limit_nanos) for c in preview.ceilings] == [
        ("pilot", Window.WHOLE, 1_000_000),
        ("team:sales", Window.DAY, 999),
    ]
