"""Who may do what: one table from roles to actions. Pure; services ask before they act.

That nobody decides over their own is apart from this: it holds whatever the roles, in the services
and as constraints of the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policies.errors import Forbidden


class Role(StrEnum):
    VIEWER = "viewer"
    REQUESTER = "requester"
    REVIEWER = "reviewer"
    BUDGET_OWNER = "budget_owner"
    POLICY_OWNER = "policy_owner"
    ADMIN = "admin"


class Action(StrEnum):
    """What the services guard."""

    VIEW = "view"
    """The dashboard, policies, prices and ceilings: figures and names, no question, no answer."""
    ASK = "ask"
    READ_OWN = "read_own"
    """Answers to one's own questions."""
    READ_ALL = "read_all"
    """Questions and answers of others."""
    REVIEW = "review"
    TAKE_OVER = "take_over"
    """A review that someone else has claimed."""
    ASK_RAISE = "ask_raise"
    DECIDE_RAISE = "decide_raise"
    SET_LIMIT = "set_limit"
    PROPOSE_POLICY = "propose_policy"
    APPROVE_POLICY = "approve_policy"
    ACTIVATE_POLICY = "activate_policy"
    """Roll back too."""
    SET_PRICES = "set_prices"
    BOOK = "book"
    """Refunds and corrections."""
    EXPORT = "export"
    READ_AUDIT = "read_audit"
    MANAGE_USERS = "manage_users"
    MEASURE = "measure"
    """Suites at budgets, and what units take on this machine."""


_OF_OTHERS = {Action.REVIEW, Action.READ_ALL}
"""What an admin is not given with the rest: who keeps the accounts need not read answers."""
MAY: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW}),
    Role.REQUESTER: frozenset({Action.VIEW, Action.ASK, Action.READ_OWN, Action.ASK_RAISE}),
    Role.REVIEWER: frozenset({Action.VIEW, Action.READ_ALL, Action.REVIEW}),
    Role.BUDGET_OWNER: frozenset(
        {
            Action.VIEW,
            Action.ASK_RAISE,
            Action.DECIDE_RAISE,
            Action.SET_LIMIT,
            Action.BOOK,
            Action.EXPORT,
            Action.READ_AUDIT,
        }
    ),
    Role.POLICY_OWNER: frozenset(
        {
            Action.VIEW,
            Action.PROPOSE_POLICY,
            Action.APPROVE_POLICY,
            Action.ACTIVATE_POLICY,
            Action.SET_PRICES,
            Action.MEASURE,
            Action.EXPORT,
            Action.READ_AUDIT,
        }
    ),
    Role.ADMIN: frozenset(set(Action) - _OF_OTHERS),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The person a service acts for. A view never makes one: accounts do."""

    user: str
    team: str
    roles: frozenset[Role]


def may(actor: Actor, action: Action) -> bool:
    return any(action in MAY[role] for role in actor.roles)


def require(actor: Actor, action: Action) -> None:
    """Raises Forbidden, naming the person, the action and the roles that have it."""
    if may(actor, action):
        return
    having = ", ".join(role for role in Role if action in MAY[role])
    raise Forbidden(
        f"{actor.user} may not {action.replace('_', ' ')}; it takes one of these roles: {having}",
        user=actor.user,
        action=action.value,
    )
