"""Policy documents: YAML in, a validated Policy out, named by the hash of what it says.

The version is the SHA-256 of the canonical JSON without defaults: equal rules have equal names,
comments and the order of names do not count, and a field added by a later release changes no name.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policies.ceilings import CeilingRule
from policies.contradictions import contradictions
from policies.errors import InvalidPolicy
from policies.form import PolicyForm, RungForm, WhenForm, currency, nanos
from policies.rules import Rule, When
from policies.types import AtCeiling, Importance, Review, Rung
from policies.written import Fault, Written, read

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True, slots=True)
class Alerts:
    """Per cent of a limit at which someone is told, and how."""

    thresholds: tuple[int, ...] = (50, 75, 90, 100)
    to: tuple[str, ...] = ("log", "page")


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Which share of unreviewed answers is audited, from 0 to 1, and what reviewers go by."""

    audit_share: float = 0.0
    guidelines: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Four rungs, one for each importance, and the rules around them, under one version."""

    name: str
    version: str
    rungs: dict[Importance, Rung]
    text: str
    """Canonical JSON of the document, as stored with every version; parse() takes it too."""
    reviews: dict[Importance, Review]
    at_ceiling: dict[Importance, AtCeiling]
    rules: tuple[Rule, ...] = ()
    ceilings: tuple[CeilingRule, ...] = ()
    alerts: Alerts = Alerts()
    reviewing: Reviewing = Reviewing()


def parse(text: str, source: str = "policy") -> Policy:
    """A policy from YAML. Raises InvalidPolicy with every fault: line, field, value, legal set."""
    policy, found = parse_written(text, source)
    if policy is None or found:
        raise InvalidPolicy(*found)
    return policy


@lru_cache(maxsize=64)
def stored(text: str) -> Policy:
    """Of a version's canonical text, which is the same for ever."""
    policy, found = _checked(Written("stored policy", json.loads(text)))
    if policy is None:
        raise InvalidPolicy(*found)
    return policy


def parse_written(text: str, source: str) -> tuple[Policy | None, list[Fault]]:
    """A policy, or why it is none. Never raises, whatever the text is."""
    written = read(text, source)
    return (None, [written]) if isinstance(written, Fault) else _checked(written)


def load(file: Path) -> Policy:
    """A policy from a file."""
    return parse(read_file(file), file.name)


def read_file(file: Path) -> str:
    """The text of a policy file. Raises InvalidPolicy."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as err:
        raise InvalidPolicy(Fault(str(file), 0, "", f"cannot be read: {err}")) from err


def preset(name: str) -> Policy:
    return load(PRESETS / f"{name}.yaml")


def schema() -> dict[str, Any]:
    """JSON schema of the document, for editors; parse() checks more than it can say."""
    return PolicyForm.model_json_schema()


def _checked(written: Written) -> tuple[Policy | None, list[Fault]]:
    if not isinstance(written.value, dict):
        kind = type(written.value).__name__
        return None, [written.fault((), f"a policy is a mapping with name and rungs, not a {kind}")]
    try:
        form = PolicyForm.model_validate(written.value)
    except ValidationError as err:
        return None, written.faults(err, schema())
    found = [written.fault(path, problem) for path, problem in contradictions(form)]
    return (None, found) if found else (_policy(form), [])


def _policy(form: PolicyForm) -> Policy:
    said = form.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    rungs = {i: form.rungs.of(i) for i in Importance}
    return Policy(
        name=form.name,
        version=f"{form.name}-{digest[:12]}",
        rungs={i: rung.rung() for i, rung in rungs.items()},
        text=text,
        reviews={i: _review(rung) for i, rung in rungs.items()},
        at_ceiling={i: rung.at_ceiling for i, rung in rungs.items()},
        rules=tuple(
            Rule(rule.name, _when(rule.when), Importance(rule.raise_to), rule.because)
            for rule in form.rules
        ),
        ceilings=tuple(
            CeilingRule(c.scope, c.name, c.window, nanos(c.limit), currency(c.limit))
            for c in form.ceilings
        ),
        alerts=Alerts(form.alerts.thresholds, form.alerts.to),
        reviewing=Reviewing(form.reviewing.audit_share, form.reviewing.guidelines),
    )


def _review(form: RungForm) -> Review:
    if form.review is None:
        return Review()
    return Review(form.review.approvals, form.review.reviewers or (), form.review.due_hours)


def _when(form: WhenForm) -> When:
    return When(**form.model_dump(exclude_none=True))
