"""Who may do what: the table, and what follows from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Forbidden
from policies.roles import MAY, Action, Actor, Role, may, require

ROLES = st.frozensets(st.sampled_from(Role))


def actor(*roles: Role) -> Actor:
    return Actor("ann", "sales", frozenset(roles))


def test_every_role_is_in_the_table_and_every_action_has_someone() -> None:
    assert set(MAY) == set(Role)
    assert frozenset().union(*MAY.values()) == set(Action)


def test_who_has_no_role_may_do_nothing() -> None:
    assert not any(may(actor(), action) for action in Action)


@given(ROLES, ROLES)
def test_roles_add_up_and_take_nothing_away(one: frozenset[Role], other: frozenset[Role]) -> None:
    for action in Action:
        both = may(actor(*one, *other), action)
        assert both == (may(actor(*one), action) or may(actor(*other), action))


@given(ROLES)
def test_require_refuses_exactly_what_may_denies(roles: frozenset[Role]) -> None:
    for action in Action:
        if may(actor(*roles), action):
            require(actor(*roles), action)
            continue
        with pytest.raises(Forbidden, match="ann may not") as refused:
            require(actor(*roles), action)
        assert refused.value.values == {"user": "ann", "action": action.value}


def test_a_viewer_only_looks() -> None:
    assert MAY[Role.VIEWER] == {Action.VIEW}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.REVIEWER])
def test_nobody_but_a_reviewer_reads_or_judges_what_others_asked(role: Role) -> None:
    assert not may(actor(role), Action.READ_ALL)
    assert not may(actor(role), Action.REVIEW)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_an_admin_keeps_accounts_and_takes_reviews_over(role: Role) -> None:
    assert not may(actor(role), Action.MANAGE_USERS)
    assert not may(actor(role), Action.TAKE_OVER)


def test_money_and_policy_are_different_hands() -> None:
    assert not may(actor(Role.BUDGET_OWNER), Action.APPROVE_POLICY)
    assert not may(actor(Role.POLICY_OWNER), Action.DECIDE_RAISE)
    assert not may(actor(Role.REQUESTER), Action.DECIDE_RAISE)
