"""Who may read, claim and decide; what verdicts come to. Laws first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.document import preset
from policies.errors import InvalidInput
from policies.review import (
    Bar,
    ItemState,
    Lease,
    OutcomeKind,
    Verdict,
    VerdictKind,
    bar_to_claim,
    more_compute,
    queue_key,
    readable,
    sampled,
    seen_by,
    settle,
    withheld,
)
from policies.roles import Actor, Role
from policies.types import Importance, Review, Solver

NOW = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)
PEOPLE = ("ann", "bob", "eve")
STATUSES = (
    "running", "released", "cancelled", "failed", "interrupted", "pending_review", "rejected",
    "evidence",
)  # fmt: skip

roles = st.frozensets(st.sampled_from(list(Role)))
actors = st.builds(Actor, st.sampled_from(PEOPLE), st.just("sales"), roles)
reviews = st.builds(
    Review,
    st.integers(0, 2),
    st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True).map(tuple),
)
verdict_kinds = st.sampled_from(list(VerdictKind))


@dataclass(frozen=True)
class Row:
    """What `readable` looks at."""

    user: str
    status: str
    review: Review


rows = st.builds(Row, st.sampled_from(PEOPLE), st.sampled_from(STATUSES), reviews)


@st.composite
def verdicts(draw: st.DrawFn, most: int = 3) -> list[Verdict]:
    """Of different people, each with one of two corrections where they correct."""
    kinds = draw(st.lists(verdict_kinds, max_size=most))
    return [
        Verdict(
            f"person {place}",
            kind,
            NOW,
            draw(st.sampled_from(("one", "two"))) if kind is VerdictKind.CORRECT else "",
            "no" if kind is VerdictKind.REJECT else "",
        )
        for place, kind in enumerate(kinds)
    ]


@given(actors, rows)
def test_withheld_answer_is_readable_to_reviewers_other_than_its_asker_only(
    actor: Actor, row: Row
) -> None:
    if not withheld(row) or not readable(actor, row):
        return
    assert Role.REVIEWER in actor.roles
    assert actor.user != row.user
    assert not row.review.reviewers or actor.user in row.review.reviewers


@given(actors, rows)
def test_released_answer_is_never_readable_to_strangers(actor: Actor, row: Row) -> None:
    if not withheld(row) and readable(actor, row) and actor.user != row.user:
        assert Role.REVIEWER in actor.roles


@given(rows)
def test_only_release_opens_an_answer_that_needs_approvals(row: Row) -> None:
    open_ = row.status == "released" or (not row.review.approvals and row.status != "evidence")
    assert withheld(row) is not open_


@pytest.mark.parametrize("status", [s for s in STATUSES if s != "released"])
def test_asker_with_every_role_cannot_read_their_own_withheld_answer(status: str) -> None:
    everyone = Actor("ann", "sales", frozenset(Role))
    assert not readable(everyone, Row("ann", status, Review(1)))
    assert readable(everyone, Row("ann", "released", Review(1)))


def test_admin_viewer_and_owners_cannot_read_what_is_withheld() -> None:
    row = Row("ann", "pending_review", Review(1))
    for role in set(Role) - {Role.REVIEWER}:
        assert not readable(Actor("bob", "sales", frozenset({role})), row)


@given(
    actors,
    st.sampled_from(PEOPLE),
    reviews,
    st.sampled_from(list(ItemState)),
    st.sets(st.sampled_from(PEOPLE)),
    st.none() | st.builds(Lease, st.sampled_from(PEOPLE), st.sampled_from((NOW, NOW.max))),
)
def test_who_may_claim_asked_not_decided_not_and_nobody_else_holds_it(
    actor: Actor,
    requester: str,
    review: Review,
    state: ItemState,
    decided_by: set[str],
    lease: Lease | None,
) -> None:
    lease = lease and Lease(lease.holder, lease.until.replace(tzinfo=UTC))
    bar = bar_to_claim(actor, requester, review, state, decided_by, lease, NOW)
    held = lease is not None and lease.until > NOW and lease.holder != actor.user
    may = (
        Role.REVIEWER in actor.roles
        and (not review.reviewers or actor.user in review.reviewers)
        and actor.user not in {requester, *decided_by}
        and state is ItemState.WAITING
        and not held
    )
    assert (bar is None) is may
    assert (bar is Bar.OWN) <= (actor.user == requester)


@given(st.integers(1, 2), verdicts())
def test_words_go_out_only_with_as_many_people_behind_the_same_words(
    approvals: int, given_: list[Verdict]
) -> None:
    settled = settle(approvals, given_)
    if settled is None or settled.outcome is OutcomeKind.REJECTED:
        return
    behind = [
        v for v in given_ if v.kind is not VerdictKind.REJECT and v.correction == settled.correction
    ]
    assert len(behind) >= approvals
    assert (settled.outcome is OutcomeKind.CORRECTED) is bool(settled.correction)


@given(verdicts())
def test_outcome_does_not_depend_on_the_order_of_verdicts(given_: list[Verdict]) -> None:
    assert len({settle(2, order) for order in permutations(given_)}) == 1


@given(st.integers(1, 2), verdicts())
def test_review_ends_with_one_person_more_than_needed_at_the_latest(
    approvals: int, given_: list[Verdict]
) -> None:
    settled = settle(approvals, given_)
    assert (settled is None) <= (len(given_) <= approvals)
    assert (settled is not None) <= (len(given_) >= approvals)


A, R = VerdictKind.APPROVE, VerdictKind.REJECT


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        ([A], None),
        ([A, A], OutcomeKind.APPROVED),
        ([R, R], OutcomeKind.REJECTED),
        ([A, R], None),
        ([A, R, A], OutcomeKind.APPROVED),
        ([A, R, R], OutcomeKind.REJECTED),
    ],
)
def test_two_who_disagree_are_followed_by_a_third(
    kinds: list[VerdictKind], outcome: OutcomeKind | None
) -> None:
    given_ = [Verdict(str(place), kind, NOW) for place, kind in enumerate(kinds)]
    settled = settle(2, given_)
    assert (settled and settled.outcome) == outcome


def test_third_decides_between_two_corrections_by_taking_one_over() -> None:
    first = [Verdict(name, VerdictKind.CORRECT, NOW, name) for name in ("one", "two")]
    assert settle(2, first) is None
    third = settle(2, [*first, Verdict("eve", VerdictKind.CORRECT, NOW, " two ")])
    assert third is not None
    assert (third.outcome, third.correction) == (OutcomeKind.CORRECTED, "two")
    other = settle(2, [*first, Verdict("eve", VerdictKind.CORRECT, NOW, "three")])
    assert other is not None
    assert other.outcome is OutcomeKind.REJECTED


@given(st.integers(1, 2), verdicts(), st.sampled_from(["person 0", "person 1", "stranger"]))
def test_first_verdicts_are_blind_until_all_are_in(
    approvals: int, given_: list[Verdict], user: str
) -> None:
    seen = seen_by(user, approvals, False, given_)
    if len(given_) < approvals:
        assert all(v.reviewer == user for v in seen)
    else:
        assert list(seen) == given_
    assert list(seen_by(user, approvals, True, given_)) == given_


def test_queue_is_by_importance_then_due_then_age() -> None:
    hour = timedelta(hours=1)
    expected = [
        queue_key(Importance.CRITICAL, NOW + 9 * hour, NOW, "z"),
        queue_key(Importance.HIGH, NOW, NOW, "y"),
        queue_key(Importance.HIGH, NOW + hour, NOW - hour, "x"),
        queue_key(Importance.HIGH, NOW + hour, NOW, "a"),
        queue_key(Importance.HIGH, NOW + hour, NOW, "b"),
    ]
    assert sorted([expected[n] for n in (3, 1, 4, 0, 2)]) == expected


def test_audit_draws_its_share_whoever_asks_and_the_same_each_time() -> None:
    drawn = [sampled(f"answer-{n}", 0.05) for n in range(20_000)]
    assert drawn == [sampled(f"answer-{n}", 0.05) for n in range(20_000)]
    assert 900 < sum(drawn) < 1100  # 1000 expected, standard deviation 31
    assert not any(sampled(f"answer-{n}", 0.0) for n in range(100))
    assert all(sampled(f"answer-{n}", 1.0) for n in range(100))


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_larger_share_draws_all_that_a_smaller_one_does(
    answer_id: str, one: float, two: float
) -> None:
    small, large = sorted((one, two))
    assert sampled(answer_id.encode(errors="replace").decode(), small) <= sampled(
        answer_id.encode(errors="replace").decode(), large
    )


def test_more_compute_doubles_the_evaluations_and_begins_where_there_are_any() -> None:
    rungs = preset("full").rungs
    assert more_compute(rungs, Importance.CRITICAL, 1).max_nfe_per_token == 31
    assert more_compute(rungs, Importance.CRITICAL, 2).max_nfe_per_token == 63
    first = more_compute(rungs, Importance.ROUTINE, 1)
    assert (first.solver, first.max_nfe_per_token) == (Solver.MIDPOINT, 3)
    assert more_compute(rungs, Importance.ROUTINE, 2).max_nfe_per_token == 7
    with pytest.raises(InvalidInput, match="more than the 1000"):
        more_compute(rungs, Importance.CRITICAL, 7)
