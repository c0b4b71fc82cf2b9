"""Which ceilings a request counts against. How much is spent under each is the ledger's to know."""

from dataclasses import dataclass

from policies.types import Decision, Importance, Limit, Window


@dataclass(frozen=True, slots=True)
class CeilingRule:
    """A line of the policy: the most a scope may spend in a window."""

    scope: str
    """`pilot`, `team`, `user`, `importance` or `request`."""
    name: str | None
    """Which team, user or importance; None is each of them that has no line of its own."""
    window: Window
    limit_nanos: int
    currency: str


def limits_of(
    rules: tuple[CeilingRule, ...], team: str, user: str, importance: Importance
) -> tuple[Limit, ...]:
    """Every ceiling for a request, widest scope first; a line with a name goes before one without.

    The scopes are as the ledger names them: `pilot`, `team:sales`, `user:ann`, `importance:high`,
    `request`.
    """
    names = {"pilot": "", "team": team, "user": user, "importance": importance.value, "request": ""}
    found: list[Limit] = []
    for scope, name in names.items():
        for window in Window:
            rule = _most_exact(rules, scope, name, window)
            if rule is not None:
                full = f"{scope}:{name}" if name else scope
                found.append(Limit(full, window, rule.limit_nanos, rule.currency))
    return tuple(found)


def over_request_limit(decision: Decision) -> Limit | None:
    """The lowest ceiling of a single request that the quote does not fit under, if any."""
    over = [
        limit
        for limit in decision.limits
        if limit.window is Window.REQUEST and decision.quote.nanos > limit.limit_nanos
    ]
    return min(over, key=lambda limit: limit.limit_nanos, default=None)


def _most_exact(
    rules: tuple[CeilingRule, ...], scope: str, name: str, window: Window
) -> CeilingRule | None:
    mine = [r for r in rules if r.scope == scope and r.window is window and r.name in (None, name)]
    return min(mine, key=lambda rule: rule.name is None, default=None)
