"""Votes on comparisons: kept by pairs of rungs, once, by whoever asked; and never as ratings."""

from dataclasses import replace
from itertools import combinations

import pytest

from app.ports import PairCount
from app.ports.slice import Slice
from app.services.dashboard import Dashboard
from app.services.side_by_side import SideBySide, Vote
from policies.errors import InvalidInput, NotFound
from policies.types import Domain, Importance
from tests.actors import ANN, SPONSOR, requester
from tests.unit.policies.policies import policy
from tests.world import World

ROUTINE, STANDARD, HIGH = Importance.ROUTINE, Importance.STANDARD, Importance.HIGH
EVERYTHING = Slice()
UNREVIEWED = policy()


def asked(
    world: World, *importances: Importance, key: str = "k", domain: Domain = Domain.DATA
) -> list[str]:
    """Ids of one question's answers, in the order given; nobody reviews them."""
    world.under(UNREVIEWED)
    return [world.receipt(f"{key} {i}", importance=i, domain=domain).row.id for i in importances]


def vote(world: World, shown: list[str], vote: Vote, best: int = 0, blind: bool = True) -> None:
    SideBySide(world.ask()).vote(ANN, shown, vote, best, blind)


def pairs(world: World, chosen: Slice = EVERYTHING, window: int = 100) -> list[PairCount]:
    with world.uow() as uow:
        return uow.board.votes.pairs(chosen, window)


def counts(
    found: list[PairCount],
) -> dict[tuple[Importance, Importance], tuple[int, int, int, int]]:
    return {(p.less, p.more): (p.less_better, p.more_better, p.ties, p.bad) for p in found}


def test_the_best_beats_each_of_the_others_and_says_nothing_about_those(world: World) -> None:
    vote(world, asked(world, HIGH, ROUTINE, STANDARD), Vote.BEST, 2)
    assert counts(pairs(world)) == {
        (ROUTINE, STANDARD): (0, 1, 0, 0),
        (STANDARD, HIGH): (1, 0, 0, 0),
    }


@pytest.mark.parametrize(("kind", "count"), [(Vote.TIE, (0, 0, 1, 0)), (Vote.BAD, (0, 0, 0, 1))])
def test_a_tie_and_all_of_no_use_are_said_of_every_pair(
    world: World, kind: Vote, count: tuple[int, int, int, int]
) -> None:
    vote(world, asked(world, STANDARD, HIGH, ROUTINE), kind)
    every = set(combinations((ROUTINE, STANDARD, HIGH), 2))
    assert counts(pairs(world)) == dict.fromkeys(every, count)


def test_the_order_they_were_shown_in_makes_no_difference(world: World) -> None:
    vote(world, asked(world, ROUTINE, STANDARD, key="a"), Vote.BEST, 1)
    vote(world, asked(world, STANDARD, ROUTINE, key="b"), Vote.BEST, 0)
    (pair,) = pairs(world)
    assert (pair.more_better, pair.n) == (2, 2)
    assert (pair.less_cap, pair.more_cap) == (0, world.policy.rungs[STANDARD].max_nfe_per_token)


def test_the_first_vote_stands(world: World) -> None:
    shown = asked(world, ROUTINE, STANDARD)
    vote(world, shown, Vote.TIE)
    vote(world, shown, Vote.BEST, 1)
    assert counts(pairs(world)) == {(ROUTINE, STANDARD): (0, 0, 1, 0)}


def test_a_vote_is_no_rating(world: World) -> None:
    vote(world, asked(world, ROUTINE, STANDARD), Vote.BAD)
    assert [row.rating for row in world.rows()] == [None, None]


def test_only_who_asked_votes(world: World) -> None:
    shown = asked(world, ROUTINE, STANDARD)
    with pytest.raises(NotFound):
        SideBySide(world.ask()).vote(requester("bob"), shown, Vote.TIE)
    assert pairs(world) == []


@pytest.mark.parametrize("best", [-1, 2])
def test_the_best_is_one_of_those_shown(world: World, best: int) -> None:
    with pytest.raises(InvalidInput):
        vote(world, asked(world, ROUTINE, STANDARD), Vote.BEST, best)
    assert pairs(world) == []


def test_one_answer_or_the_same_twice_is_no_pair(world: World) -> None:
    (one,) = asked(world, ROUTINE)
    for shown in ([one], [one, one]):
        with pytest.raises(InvalidInput):
            vote(world, shown, Vote.TIE)


def test_votes_of_those_who_saw_which_is_which_are_counted_apart(world: World) -> None:
    vote(world, asked(world, ROUTINE, STANDARD, key="a"), Vote.BEST, 1, blind=False)
    vote(world, asked(world, ROUTINE, STANDARD, key="b"), Vote.BEST, 0)
    (pair,) = pairs(world)
    assert (pair.less_better, pair.more_better, pair.n, pair.seen) == (1, 0, 1, 1)


def test_a_slice_narrows_votes_and_a_window_bounds_them(world: World) -> None:
    vote(world, asked(world, ROUTINE, STANDARD, key="a"), Vote.TIE)
    vote(world, asked(world, STANDARD, HIGH, key="b", domain=Domain.MATH), Vote.TIE)
    assert set(counts(pairs(world, Slice(domain=Domain.MATH)))) == {(STANDARD, HIGH)}
    assert set(counts(pairs(world, Slice(importance=ROUTINE)))) == {(ROUTINE, STANDARD)}
    assert len(pairs(world, Slice(importance=STANDARD, user="ann", team=ANN.team))) == 2
    today = world.clock().date().isoformat()
    assert len(pairs(world, Slice(first_day=today, last_day=today))) == 2
    for nothing in (Slice(user="bob"), Slice(team="x"), Slice(last_day="2000-01-01")):
        assert pairs(world, nothing) == []
    assert set(counts(pairs(world, window=1))) == {(STANDARD, HIGH)}


def test_the_dashboard_has_them_and_notices_new_ones(world: World) -> None:
    board = Dashboard(world.engine, world.uow, world.clock)
    shown = asked(world, ROUTINE, STANDARD)
    before = board.pulse(SPONSOR)
    vote(world, shown, Vote.BEST, 1)
    assert board.pulse(SPONSOR) != before
    assert board.overview(SPONSOR).votes == pairs(world)
    assert board.overview(SPONSOR, replace(EVERYTHING, user="bob")).votes == []
