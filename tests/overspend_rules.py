"""What an overspend race is: how many race, under which ceilings, what they count."""

import json
import random
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.ports import Activation, OpenUnitOfWork, PolicyVersion
from policies.document import Policy, parse
from policies.errors import OverCeiling
from policies.types import Window
from tests.databases import POLICY, PRICES, START, set_limit

SHARES = {
    ("pilot", Window.WHOLE): (18, 17),
    ("pilot", Window.MONTH): (15, 16),
    ("pilot", Window.DAY): (9, 10),
    ("team", Window.WHOLE): (9, 10),
    ("team", Window.MONTH): (8, 7),
    ("team", Window.DAY): (6, 5),
    ("user", Window.WHOLE): (7, 6),
    ("user", Window.MONTH): (5, 6),
    ("user", Window.DAY): (3, 4),
    ("importance", Window.WHOLE): (0, 12),
}
"""Per cent of all that is asked for, under two policies in turn; 0 names no ceiling. Each is less
than its parts may come to together, so that every scope and window refuses some."""
QUOTE = 2410
"""Nanos of a standard answer; a routine one is quoted 970."""
RULES = [(scope, window.value) for scope, window in SHARES]


@dataclass(frozen=True)
class Race:
    """How many, how often, from which seed; so many of the processes die once in the middle."""

    seed: int
    processes: int
    threads: int
    submits: int
    kills: int

    @property
    def tries(self) -> int:
        return self.processes * self.threads * self.submits

    def policies(self) -> tuple[Policy, Policy]:
        return _policy(self.tries, 0), _policy(self.tries, 1)

    def death(self, process: int) -> tuple[int, int] | None:
        """The thread in which a process dies, and from which of its submits on it may."""
        chance = random.Random(f"death {self.seed} {process}")
        place = chance.randrange(self.threads), chance.randrange(self.submits)
        return place if process < self.kills else None


@cache
def _policy(tries: int, which: int) -> Policy:
    said = json.loads(POLICY.text) | {"name": f"race-{which}"}
    said["ceilings"] = [
        {"scope": scope, "window": window.value, "limit": _amount(tries * QUOTE * share // 100)}
        for (scope, window), shares in SHARES.items()
        if (share := shares[which])
    ]
    return parse(json.dumps(said))


def _amount(nanos: int) -> str:
    return f"{nanos // 10**9}.{nanos % 10**9:09d} {PRICES.currency}"


def prepare(race: Race, uow: OpenUnitOfWork) -> None:
    """Both policies approved, the first in force; what was set by hand never binds."""
    set_limit(uow, 10**15)
    with uow() as unit:
        for policy in race.policies():
            unit.policies.propose(
                PolicyVersion(
                    policy.version, policy.name, policy.text, policy.text, "", "ann", START
                )
            )
            unit.policies.approve(policy.version, "owner", START)
        unit.policies.activate(Activation(race.policies()[0].version, "owner", START, ""))
        unit.commit()


@dataclass(frozen=True)
class Tally:
    """What the racers count, in memory that they share. Each slot has one writer: no lock that the
    dead could hold."""

    done: Any
    """Submits of each thread."""
    refused: Any
    """Of each thread under each kind of ceiling."""

    def add_refusal(self, slot: int, refusal: OverCeiling) -> None:
        rule = str(refusal.values["scope"]).partition(":")[0], str(refusal.values["window"])
        self.refused[slot * len(SHARES) + RULES.index(rule)] += 1

    def refusals(self) -> dict[str, int]:
        return {
            " ".join(rule): sum(self.refused[place :: len(SHARES)])
            for place, rule in enumerate(RULES)
        }
