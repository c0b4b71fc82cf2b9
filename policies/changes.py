"""What one policy says differently from another, field by field."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.document import Policy


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. None stands for a field that is not there, so at its default."""

    field: str
    before: Any
    after: Any


def changes(before: Policy, after: Policy) -> list[Change]:
    """In the order of the fields' names; rules are known by name, ceilings by what they cap."""
    old, new = _flat(before), _flat(after)
    return [
        Change(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _flat(policy: Policy) -> dict[str, Any]:
    said = json.loads(policy.text)
    said["rules"] = {rule["name"]: rule for rule in said.get("rules", [])}
    said["ceilings"] = {_cap(ceiling): ceiling["limit"] for ceiling in said.get("ceilings", [])}
    return dict(_leaves(said, ""))


def _cap(ceiling: dict[str, Any]) -> str:
    return "/".join(str(ceiling[part]) for part in ("scope", "name", "window") if part in ceiling)


def _leaves(said: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(said, dict):
        yield path, said
        return
    for name, value in said.items():
        yield from _leaves(value, f"{path}.{name}" if path else name)
