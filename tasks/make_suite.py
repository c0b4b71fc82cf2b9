"""Writes the held-out question suite: the same questions each time, the kinds equally often.

Usage: python -m tasks.make_suite evaluation/suites/pilot.jsonl
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

from tasks.mix import DOMAINS, KINDS
from tasks.types import Kind, Task

SUITE_SEED = 20240305
QUESTIONS_PER_DOMAIN = 136
FIELDS = ("question", "answer", "domain", "kind", "check")


def suite() -> list[Task]:
    """Held-out tasks, domain by domain in turn, so that any head of the list is balanced."""
    columns = [_domain_tasks(domain) for domain in DOMAINS]
    return [task for row in zip(*columns, strict=True) for task in row]


def suite_text() -> str:
    """The suite as JSON lines."""
    lines = []
    for number, task in enumerate(suite(), start=1):
        row = {"id": f"pilot-{number:03d}"} | {name: getattr(task, name) for name in FIELDS}
        lines.append(json.dumps(row, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the suite to the one path given."""
    if len(arguments) != 1:
        print("usage: python -m tasks.make_suite FILE.jsonl", file=sys.stderr)
        return 2
    Path(arguments[0]).write_text(suite_text(), encoding="utf-8", newline="\n")
    return 0


def _domain_tasks(domain: str) -> list[Task]:
    rng = Random(f"{SUITE_SEED}/{domain}")
    tasks: list[Task] = []
    seen: set[str] = set()
    for number in range(QUESTIONS_PER_DOMAIN):
        task = _unseen(rng, KINDS[domain][number % len(KINDS[domain])], seen)
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
