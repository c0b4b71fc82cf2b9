"""People with roles, for tests that need no accounts and no pages."""

from policies.roles import Actor, Role


def person(user: str, *roles: Role, team: str = "sales") -> Actor:
    return Actor(user, team, frozenset(roles))


def requester(user: str, team: str = "sales") -> Actor:
    return person(user, Role.REQUESTER, team=team)


ANN = requester("ann")
FINN = person("finn", Role.POLICY_OWNER, team="desk")
SPONSOR = person("gus", Role.VIEWER, team="board")
ADMIN = person("ada", Role.ADMIN, team="desk")
LOCAL = person("local", *Role, team="pilot")
