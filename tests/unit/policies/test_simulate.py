"""Replays: exact where the same rung ran, held to the ceilings and days that the ledger counts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from policies.budget import Book, Held, Payer, day_of
from policies.decide import decide
from policies.document import Policy
from policies.pricing import price
from policies.simulate import Basis, Move, Past, Replay, replay
from policies.types import Domain, Importance, Rung, Solver, Units, Window
from tests.unit.policies.policies import PRICES, QUOTES, ceiling, policy, request, rule

NOON = datetime(2025, 11, 3, 3, 0, tzinfo=UTC)
"""In Tokyo."""
TOKYO = ZoneInfo("Asia/Tokyo")
PLAIN = policy()
ROUTINE, STANDARD, HIGH, CRITICAL = Importance


def nfe_per_token(rung: Rung) -> int:
    return rung.max_nfe_per_token


def past(
    name: str = "a-1",
    importance: Importance = STANDARD,
    under: Policy = PLAIN,
    tokens: int = 4,
    at: datetime = NOON,
    seconds: int = 60,
    ran: bool = True,
    **changes: Any,
) -> Past:
    asked = request(importance, **changes)
    decision = decide(asked, under, PRICES)
    rung = decision.plan.rung
    units = Units(5, tokens, tokens * nfe_per_token(rung)) if ran else Units()
    return Past(
        id=name,
        request=asked,
        granted=decision.granted,
        rung=rung,
        approvals=decision.review.approvals,
        ran=ran,
        units=units,
        cost_nanos=price(units, PRICES),
        prices=PRICES,
        created_at=at,
        finished_at=at + timedelta(seconds=seconds),
    )


def replayed(queries: Iterable[Past], under: Policy) -> Replay:
    return replay(queries, under, TOKYO, nfe_per_token)


@given(st.lists(st.tuples(st.sampled_from(Importance), st.integers(0, 10)), max_size=8))
def test_policy_that_was_in_force_replays_to_the_nano(
    asked: list[tuple[Importance, int]],
) -> None:
    queries = [past(f"a-{i}", imp, tokens=n) for i, (imp, n) in enumerate(asked)]
    out = replayed(queries, PLAIN)
    assert out.cost_after == out.cost_before == sum(q.cost_nanos for q in queries)
    assert out.by_basis[Basis.CHARGED] == out.queries == len(queries)
    assert out.cost_by_basis[Basis.CHARGED] == out.cost_after
    assert (out.refused_after, out.moves) == (0, {})


def test_another_rung_costs_its_units_for_as_many_words() -> None:
    draft = policy(high={"max_nfe_per_token": 5})
    out = replayed([past(importance=HIGH)], draft)
    assert out.cost_after == 5 * 2 + 4 * 10 + 4 * 5 * 5
    assert out.by_basis == {Basis.SAME_WORDS: 1}
    before, after = PLAIN.rungs[HIGH], draft.rungs[HIGH]
    assert out.moves == {Move(Domain.MATH, before, after): 1}


def test_what_cannot_be_known_is_taken_at_its_most_and_counted_apart() -> None:
    longer = policy(standard={"max_new_tokens": 20})
    cut = replayed([past(tokens=10)], longer)  # it may have been cut short at its ten
    assert (cut.cost_after, cut.by_basis) == (5 * 2 + 20 * (10 + 15), {Basis.AT_MOST: 1})
    whole = replayed([past(tokens=9)], longer)
    assert whole.by_basis == {Basis.SAME_WORDS: 1}
    for early in ({"solver": "bosh3"}, {"gate": 0.9}, {"steady": 2}):
        out = replayed([past(importance=CRITICAL)], policy(critical=early))
        assert out.by_basis == {Basis.AT_MOST: 1}
    refused = replayed([past(ran=False)], PLAIN)
    assert (refused.cost_after, refused.by_basis) == (QUOTES["standard"], {Basis.AT_MOST: 1})
    assert (refused.refused_before, refused.refused_after) == (1, 0)


def test_every_candidate_of_a_rung_is_paid() -> None:
    voting = policy(critical={"candidates": 3, "temperature": 0.7})
    back = replayed([past(importance=CRITICAL, under=voting, tokens=12)], PLAIN)
    assert back.cost_after == price(Units(5, 4, 60), PRICES)
    assert replayed([past(importance=CRITICAL)], voting).cost_after == 10 + 12 * (10 + 75)


def test_ceiling_of_a_day_begins_anew_at_midnight_of_the_pilot() -> None:
    cost = past().cost_nanos  # 110, quoted at 260
    limit = f"0.{cost + QUOTES['standard']:09d} USD"
    draft = policy(ceilings=[ceiling("user", "day", limit)])
    late = datetime(2025, 11, 3, 14, 50, tzinfo=UTC)  # ten to midnight in Tokyo
    queries = [past(f"a-{i}", at=late + timedelta(minutes=2 * i)) for i in range(6)]
    out = replayed(queries, draft)
    assert out.refused_by == {("user:ann", Window.DAY): 3}
    assert out.refused_examples == ["a-2", "a-3", "a-4"]  # a-5 is asked at midnight


def test_money_of_those_that_still_run_is_held_at_their_quote() -> None:
    limit = f"0.{2 * QUOTES['standard'] - 1:09d} USD"
    draft = policy(ceilings=[ceiling("pilot", "whole", limit)])
    together = [past("a-1", seconds=60), past("a-2", at=NOON + timedelta(seconds=59))]
    assert replayed(together, draft).refused_after == 1
    apart = [past("a-1", seconds=60), past("a-2", at=NOON + timedelta(seconds=60))]
    assert replayed(apart, draft).refused_after == 0


def test_without_room_it_steps_down_as_the_policy_says() -> None:
    limit = ceiling("request", "request", f"0.{QUOTES['standard']:09d} USD")
    down = {"at_ceiling": "step_down"}
    stepping = policy(ceilings=[limit], critical=down, high=down)
    out = replayed([past(importance=CRITICAL)], stepping)
    assert (out.stepped_down, out.refused_after) == (1, 0)
    assert out.importances == {(CRITICAL, STANDARD): 1}
    refusing = replayed([past(importance=CRITICAL)], policy(ceilings=[limit]))
    assert refusing.refused_by == {("request", Window.REQUEST): 1}
    assert (refusing.cost_after, refusing.importances) == (0, {(CRITICAL, None): 1})


def test_rules_and_reviews_of_the_draft_are_counted() -> None:
    draft = policy(
        rules=[rule("high", team=["sales"])],
        high={"review": {"approvals": 1}},
        critical={"review": {"approvals": 2}},
    )
    out = replayed([past(), past("a-2", CRITICAL, team="legal"), past("a-3", team="legal")], draft)
    assert (out.raised, out.reviewed_after, out.approvals_after) == (1, 2, 3)
    assert (out.reviewed_before, out.approvals_before) == (0, 0)


QUERY = st.tuples(
    st.sampled_from(Importance),
    st.integers(0, 10),
    st.sampled_from(["ann", "bob"]),
    st.integers(0, 3000),
    st.integers(0, 900),
)


@given(
    queries=st.lists(QUERY, max_size=12),
    limits=st.lists(st.integers(100, 3000), min_size=4, max_size=4),
)
def test_replay_admits_exactly_what_the_ledger_in_memory_admits(
    queries: list[tuple[Importance, int, str, int, int]], limits: list[int]
) -> None:
    kinds = (("pilot", "whole"), ("user", "day"), ("importance", "month"), ("request", "request"))
    top = max(limits)
    lines = [
        ceiling(scope, window, f"0.{top if scope == 'pilot' else n:09d} USD")
        for (scope, window), n in zip(kinds, limits, strict=True)
    ]
    draft = policy(ceilings=lines)
    asked = sorted(
        (
            past(
                f"a-{i}", imp, tokens=tokens, user=user, at=NOON + timedelta(minutes=at), seconds=s
            )
            for i, (imp, tokens, user, at, s) in enumerate(queries)
        ),
        key=lambda q: q.created_at,
    )
    book, refused = Book(), 0
    for query in asked:
        for earlier in asked:
            if earlier.id in book.holds and earlier.finished_at <= query.created_at:
                book.settle(earlier.id, earlier.cost_nanos)
        decision = decide(query.request, draft, PRICES)
        payer = Payer(query.request.user, query.request.team, decision.granted)
        day = day_of(query.created_at, TOKYO)
        hold = Held(query.id, payer, day, decision.quote.nanos, query.finished_at)
        refused += not book.reserve([hold], decision.limits, query.created_at)
    assert replayed(asked, draft).refused_after == refused


def test_base_rung_that_moves_to_refinement_is_a_move() -> None:
    draft = replace(PLAIN, rungs=PLAIN.rungs | {ROUTINE: PLAIN.rungs[HIGH]})
    (move,) = replayed([past(importance=ROUTINE)], draft).moves
    assert (move.before.solver, move.after.solver) == (Solver.BASE, Solver.MIDPOINT)
