"""Rules that raise a request's importance. None lowers it, and each leaves its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from policies.types import Domain, Importance, Reason, Request
from policies.wording import Language, evened, language, phrase


@dataclass(frozen=True, slots=True)
class When:
    """What a request must be like; an empty field asks nothing."""

    domain: tuple[Domain, ...] = ()
    team: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    language: tuple[Language, ...] = ()
    wording: tuple[str, ...] = ()
    longer_than: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A request that is like `when` matters at least as much as `raise_to`."""

    name: str
    when: When
    raise_to: Importance
    because: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What a rule asks of one request, and what in it made the rule apply."""

    importance: Importance
    rule: str
    because: str
    matched: str


def demands(request: Request, rules: tuple[Rule, ...]) -> list[Demand]:
    """Of every rule that applies, in their order."""
    asked = _Asked(request)
    return [
        Demand(rule.raise_to, rule.name, rule.because, matched)
        for rule in rules
        if (matched := _matched(asked, rule.when))
    ]


def reason(demand: Demand, asked: Importance) -> Reason:
    """Said apart: a rule that raised the request, and one that asked for no more than it had."""
    values = {
        "importance": demand.importance.value,
        "rule": demand.rule,
        "because": demand.because,
        "matched": demand.matched,
    }
    if demand.importance.rank > asked.rank:
        return Reason("reason.rule", values)
    return Reason("reason.rule_met", values)


class _Asked:
    """A request, with what takes time to see in its question seen once for all rules."""

    def __init__(self, request: Request) -> None:
        self.request = request

    @cached_property
    def text(self) -> str:
        return evened(self.request.question)

    @cached_property
    def language(self) -> Language:
        return language(self.request.question)


def _domain(asked: _Asked, when: When) -> str | None:
    domain = asked.request.domain
    return domain.value if domain in when.domain else None


def _team(asked: _Asked, when: When) -> str | None:
    return asked.request.team if asked.request.team in when.team else None


def _role(asked: _Asked, when: When) -> str | None:
    return asked.request.role if asked.request.role in when.role else None


def _language(asked: _Asked, when: When) -> str | None:
    return asked.language.value if asked.language in when.language else None


def _wording(asked: _Asked, when: When) -> str | None:
    return next((p for p in when.wording if phrase(p).found_in(asked.text)), None)


def _longer_than(asked: _Asked, when: When) -> str | None:
    length = len(asked.request.question)
    return str(length) if when.longer_than is not None and length > when.longer_than else None


_CONDITIONS: dict[str, Callable[[_Asked, When], str | None]] = {
    "domain": _domain,
    "team": _team,
    "role": _role,
    "longer_than": _longer_than,
    "language": _language,
    "wording": _wording,
}
"""By the field of When: what in the request meets it, or None. Those that cost most come last."""


def _matched(asked: _Asked, when: When) -> str | None:
    """All that was found, as `domain=math, wording=refund*`; None where anything is not met."""
    found = []
    for name, condition in _CONDITIONS.items():
        if getattr(when, name) in ((), None):
            continue
        if (value := condition(asked, when)) is None:
            return None
        found.append(f"{name}={value}")
    return ", ".join(found) or None
