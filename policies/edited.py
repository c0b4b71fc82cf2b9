"""A policy's text changed by a form: values as people type them in, YAML out. Comments are lost.

What the form does not show (ceilings, alerts) stays as it is. Nothing here judges a value: what is
no number stays the word that was typed, and whoever checks the text says what is wrong with it.
"""

import copy
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from policies.errors import InvalidInput
from policies.readable import WIDTH
from policies.types import Importance
from policies.written import Fault, read

COMMON = (
    "solver", "max_nfe_per_token", "max_new_tokens", "review.approvals", "review.due_hours",
    "review.reviewers", "at_ceiling",
)  # fmt: skip
FINE = (
    "steady", "checked", "gate", "guidance", "candidates", "temperature", "points", "tolerance",
)  # fmt: skip
"""What few policies change."""
RUNG = COMMON + FINE
"""Fields of a rung that the form has, in its order."""
RULE = (
    "name", "raise_to", "because", "when.wording", "when.domain", "when.language", "when.team",
    "when.role", "when.longer_than",
)  # fmt: skip
TOP = ("name", "reviewing.audit_share", "reviewing.guidelines")
WHOLE = (
    "max_nfe_per_token", "max_new_tokens", "approvals", "due_hours", "steady", "points",
    "candidates", "longer_than",
)  # fmt: skip
SHARES = ("gate", "guidance", "tolerance", "temperature", "audit_share")
"""Numbers with decimals."""
FLAGS = ("checked",)
LISTS = ("reviewers", "wording", "domain", "language", "team", "role")
"""One on each line."""
PATHS = re.compile(
    "|".join(
        [re.escape(each) for each in TOP]
        + [rf"rungs\.({'|'.join(Importance)})\.({'|'.join(map(re.escape, RUNG))})"]
        + [rf"rules\.\d{{1,3}}\.({'|'.join(map(re.escape, RULE))})"]
    )
)
NEW_RULE = {"name": "", "when": {"wording": []}, "raise_to": "high", "because": ""}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stay so."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def opened(text: str) -> dict[str, Any] | None:
    """What a text says, for a form to show; None where it is no document with rungs."""
    found = read(text, "")
    if isinstance(found, Fault) or not isinstance(found.value, dict):
        return None
    rungs, rules = found.value.get("rungs"), found.value.get("rules", [])
    if not isinstance(rungs, dict) or not isinstance(rules, list):
        return None
    whole = all(isinstance(each, dict) for each in [*rungs.values(), *rules])
    return found.value if whole else None


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """Of a dotted path; None where nothing stands there."""
    at: Any = document
    for part in path.split("."):
        if isinstance(at, list):
            at = at[int(part)] if int(part) < len(at) else None
        else:
            at = at.get(part) if isinstance(at, Mapping) else None
    return at


def changed(text: str, fields: Iterable[tuple[str, str]]) -> str:
    """The text with these fields, empty ones left out; the same text where they say the same.

    Raises InvalidInput for a text that no form can show, and for a field that no form has.
    """
    before = _opened(text)
    after = copy.deepcopy(before)
    for path, typed in fields:
        if not PATHS.fullmatch(path):
            raise InvalidInput(f"a form has no field {path!r}")
        _put(after, path.split("."), _value(path.rpartition(".")[2], typed))
    return text if after == before else _written(after)


def with_rule(text: str) -> str:
    """One more rule, to be filled in."""
    document = _opened(text)
    document["rules"] = [*document.get("rules", []), copy.deepcopy(NEW_RULE)]
    return _written(document)


def without_rule(text: str, index: int) -> str:
    """The others; the same where there is none at this place."""
    document = _opened(text)
    rules = document.get("rules", [])
    if not 0 <= index < len(rules):
        return text
    document["rules"] = rules[:index] + rules[index + 1 :]
    if not document["rules"]:
        del document["rules"]
    return _written(document)


def _opened(text: str) -> dict[str, Any]:
    document = opened(text)
    if document is None:
        raise InvalidInput("the text is no policy that a form can show", "policy_form")
    return document


def _written(document: dict[str, Any]) -> str:
    return yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=WIDTH,
    )


def _value(field: str, typed: str) -> Any:
    """What YAML would make of it; None for nothing."""
    if field in LISTS:
        return [line.strip() for line in typed.split("\n") if line.strip()] or None
    if field == "guidelines":
        return typed or None
    plain = typed.strip()
    if field in FLAGS and plain in ("true", "false"):
        return plain == "true" or None
    if field in (*WHOLE, *SHARES):
        plain = unicodedata.normalize("NFKC", plain)
        if re.fullmatch(r"-?\d{1,9}", plain, re.ASCII):
            return int(plain) if field in WHOLE else float(plain)
        if re.fullmatch(r"-?\d{1,9}\.\d{1,9}", plain, re.ASCII):
            return float(plain)
    return plain or None


def _put(document: dict[str, Any], path: list[str], value: Any) -> None:
    """Also drops a review, or all of `reviewing`, in which nothing is left."""
    at: dict[str, Any] = document
    if path[0] == "rules":
        rules, number = document.get("rules", []), int(path[1])
        if number >= len(rules):
            return  # a rule that is no longer there
        at, path = rules[number], path[2:]
    above = [(document, "")]
    for part in path[:-1]:
        if not isinstance(at.get(part), dict):
            if value is None:
                return
            at[part] = {}
        above.append((at, part))
        at = at[part]
    if value is not None:
        at[path[-1]] = value
        return
    at.pop(path[-1], None)
    parent, name = above[-1]
    if not at and name in ("review", "reviewing"):
        del parent[name]
