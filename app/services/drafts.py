"""A policy being written: what is wrong with it, what it would cost, what it changes."""

from dataclasses import dataclass
from datetime import timedelta

from app.ports import Clock, OpenUnitOfWork, PolicyVersion
from app.services.policy import Entry, PolicyDesk, faults, valid_now
from app.services.simulate import Simulate, Simulated
from policies.changes import Change
from policies.document import Policy, stored
from policies.errors import InvalidInput, InvalidPolicy, NotFound
from policies.pricing import quote
from policies.readable import yaml_of
from policies.roles import Action, Actor, require
from policies.types import Domain, Importance, Plan, PriceList, Quote
from policies.written import Fault

EXAMPLE_TOKENS = 100
"""Of the question that worst cases are shown for."""
MAX_DAYS = 366
TRIAL = 5000
"""Queries of a trial, the newest: a page answers within a second."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A policy with what one answer can cost at most, at each importance."""

    entry: Entry
    policy: Policy
    worst: dict[Importance, Quote]


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a text. A policy with faults cannot work at the prices in force."""

    policy: Policy | None
    faults: tuple[Fault, ...]
    changes: tuple[Change, ...]
    """Against what is in force; empty where there are faults."""
    worst: dict[Importance, Quote]


@dataclass(frozen=True)
class Drafts:
    desk: PolicyDesk
    simulate: Simulate
    reader: OpenUnitOfWork
    clock: Clock
    model: str

    def in_force(self, actor: Actor) -> Shown:
        """Raises NotFound before the first activation."""
        version = self.desk.current(actor).version
        entry = next(e for e in self.desk.history(actor) if e.version.version == version)
        policy = stored(entry.version.text)
        return Shown(entry, policy, self._worst(policy))

    def text_of(self, actor: Actor, version: str = "") -> str:
        """To start from: as its author wrote it, or written out anew; without a name, in force."""
        found = self.desk.get(actor, version) if version else self.desk.current(actor)
        return source(found)

    def check(self, actor: Actor, text: str, name: str) -> Checked:
        """Never raises for what the text says. `name` is what faults call it."""
        require(actor, Action.VIEW)
        policy, found = faults(text, name, self._prices())
        if policy is None or found:
            return Checked(policy, tuple(found), (), {})
        changed = tuple(self.desk.diff(self._current(actor, policy), policy))
        return Checked(policy, (), changed, self._worst(policy))

    def compare(self, actor: Actor, version: str) -> tuple[Entry, list[Change]]:
        """A version, and what it says differently from the one in force."""
        found = [e for e in self.desk.history(actor) if e.version.version == version]
        if not found:
            raise NotFound(f"there is no policy {version}", version=version)
        policy = stored(found[0].version.text)
        return found[0], self.desk.diff(self._current(actor, policy), policy)

    def trial(self, actor: Actor, text: str, name: str, days: int) -> Simulated:
        """The newest queries of those days decided anew. Raises InvalidPolicy, InvalidInput."""
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(f"a trial goes over 1 to {MAX_DAYS} days, got {days}")
        policy, found = faults(text, name, self._prices())
        if policy is None or found:
            raise InvalidPolicy(*found)
        until = self.clock()
        return self.simulate(actor, policy, until - timedelta(days=days), until, TRIAL)

    def _current(self, actor: Actor, otherwise: Policy) -> Policy:
        try:
            return stored(self.desk.current(actor).text)
        except NotFound:
            return otherwise

    def _prices(self) -> list[PriceList]:
        with self.reader() as work:
            return valid_now(work.prices(), self.clock())

    def _worst(self, policy: Policy) -> dict[Importance, Quote]:
        """At the prices of the model that answers; nothing where it has none."""
        lists = [prices for prices in self._prices() if prices.model == self.model]
        return {
            importance: quote(Plan(Domain.GENERAL, rung), EXAMPLE_TOKENS, prices)
            for prices in lists
            for importance, rung in policy.rungs.items()
        }


def source(version: PolicyVersion) -> str:
    written = version.source != version.text
    return version.source if written else yaml_of(version.text)
