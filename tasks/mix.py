"""An endless, repeatable stream of tasks, mixed by a table of weights."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tasks.business import BUSINESS
from tasks.data import DATA
from tasks.math import MATH
from tasks.types import SPLITS, Kind, Task

# In the order of the guidance classes 0, 1, 2.
DOMAINS = ("math", "data", "business")
KINDS: dict[str, tuple[Kind, ...]] = {"math": MATH, "data": DATA, "business": BUSINESS}

# How often a kind is drawn within its domain, against 1.0 for those not named:
# kinds that take long to learn more often, kinds that are copying less often.
WEIGHTS: dict[str, float] = {
    "order_returns": 1.5,
    "multiply": 1.5,
    "running_total": 1.5,
    "sort_up": 1.5,
    "sort_down": 1.5,
    "count_over": 1.5,
    "count_under": 1.5,
    "ticket": 1.5,
    "lines_quantity": 1.5,
    "swap_name": 0.4,
    "mail_domain": 0.4,
    "join_codes": 0.6,
    "get_field": 0.8,
}


def stream(seed: int, split: str, domains: tuple[str, ...] = DOMAINS) -> Iterator[Task]:
    """Tasks of the split, for ever: same seed, same tasks; the domains equally often."""
    unknown = [name for name in domains if name not in KINDS]
    if unknown or not domains:
        raise ValueError(f"unknown domains {unknown}; known: {', '.join(DOMAINS)}")
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return _draw(Random(f"{seed}/{split}"), split, domains)


def _draw(rng: Random, split: str, domains: tuple[str, ...]) -> Iterator[Task]:
    weights = {name: [WEIGHTS.get(kind.name, 1.0) for kind in KINDS[name]] for name in domains}
    while True:
        domain = rng.choice(domains)
        kind = rng.choices(KINDS[domain], weights[domain])[0]
        yield kind(rng, split)
