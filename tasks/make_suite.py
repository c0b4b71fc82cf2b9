"""Writes the held-out question suites: the same questions each time, the kinds equally often.

A suite only ever grows at its end: the first 408 questions of `pilot` are what it was at first,
and `pilot-408` still names them.

Usage: python -m tasks.make_suite evaluation/suites
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tasks.hard import HARD
from tasks.mix import DOMAINS, KINDS
from tasks.office import OFFICE
from tasks.types import Kind, Task

FIELDS = ("question", "answer", "domain", "kind", "check")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a suite is drawn from."""

    kinds: Mapping[str, tuple[Kind, ...]]
    seed: int
    questions_per_domain: int


SUITES = {
    "pilot": Plan(KINDS, 20240305, 340),
    "pilot-hard": Plan(HARD, 20240611, 100),
    "office": Plan(OFFICE, 20240917, 40),
}


def suite(name: str) -> list[Task]:
    """Held-out tasks, domain by domain in turn, so that any head of the list is balanced."""
    columns = [_domain_tasks(SUITES[name], domain) for domain in DOMAINS]
    return [task for row in zip(*columns, strict=True) for task in row]


def suite_text(name: str) -> str:
    """The suite as JSON lines."""
    lines = []
    for number, task in enumerate(suite(name), start=1):
        row = {"id": f"{name}-{number:03d}"} | {key: getattr(task, key) for key in FIELDS}
        lines.append(json.dumps(row, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Writes every suite into the one folder given."""
    if len(arguments) != 1:
        print("usage: python -m tasks.make_suite FOLDER", file=sys.stderr)
        return 2
    for name in SUITES:
        file = Path(arguments[0]) / f"{name}.jsonl"
        file.write_text(suite_text(name), encoding="utf-8", newline="\n")
    return 0


def _domain_tasks(plan: Plan, domain: str) -> list[Task]:
    rng, kinds = Random(f"{plan.seed}/{domain}"), plan.kinds[domain]
    tasks: list[Task] = []
    seen: set[str] = set()
    for number in range(plan.questions_per_domain):
        task = _unseen(rng, kinds[number % len(kinds)], seen)
        seen.add(task.question)
        tasks.append(task)
    return tasks


def _unseen(rng: Random, kind: Kind, seen: set[str]) -> Task:
    while True:
        task = kind(rng, "heldout")
        if task.question not in seen:
            return task


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
