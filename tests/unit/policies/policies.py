"""Policies and requests that tests start from."""

from datetime import UTC, datetime
from typing import Any

import yaml

from policies.document import Policy, parse
from policies.types import Domain, Importance, PriceList, Request

PRICES = PriceList("list-1", "USD", "model", 2, 10, 5, datetime(2025, 1, 1, tzinfo=UTC))
RUNGS: dict[str, dict[str, Any]] = {
    "routine": {"solver": "base", "max_nfe_per_token": 0, "max_new_tokens": 10},
    "standard": {"solver": "midpoint", "max_nfe_per_token": 3, "max_new_tokens": 10},
    "high": {"solver": "midpoint", "max_nfe_per_token": 7, "max_new_tokens": 10},
    "critical": {"solver": "midpoint", "max_nfe_per_token": 15, "max_new_tokens": 10},
}
QUOTES = {"routine": 110, "standard": 260, "high": 460, "critical": 860}
"""Of each rung at PRICES for a prompt of five tokens."""


def document(name: str = "test", **fields: Any) -> dict[str, Any]:
    """Of a plain policy; `high={...}` adds to a rung, other names are fields of the document."""
    rungs = {i: rung | fields.pop(i, {}) for i, rung in RUNGS.items()}
    return {"name": name, "rungs": rungs} | fields


def written(name: str = "test", **fields: Any) -> str:
    """As a person writes it: what is said twice stands there twice."""
    return yaml.dump(document(name, **fields), Dumper=_Plain, sort_keys=False, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def policy(name: str = "test", **fields: Any) -> Policy:
    return parse(written(name, **fields))


def request(
    importance: Importance = Importance.STANDARD, question: str = "How many?", **changes: Any
) -> Request:
    values: dict[str, Any] = {
        "domain": Domain.MATH, "user": "ann", "team": "sales", "prompt_tokens": 5,
    }  # fmt: skip
    return Request(question, importance, **(values | changes))


def rule(raise_to: str = "high", name: str = "a-rule", **when: Any) -> dict[str, Any]:
    return {"name": name, "when": when, "raise_to": raise_to, "because": "it matters"}


def ceiling(scope: str, window: str, limit: str | float, name: str | None = None) -> dict[str, Any]:
    named = {} if name is None else {"name": name}
    return {"scope": scope, "window": window, "limit": limit} | named
