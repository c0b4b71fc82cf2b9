"""Measures again what docs/results.md shows of `evaluate` and was measured with another adapter.

A curve at a time, each kept as soon as it is there: stopped, the same command goes on. Baselines
have commands of their own and are left alone. Takes hours for all of the page on two cores.
Usage: python -m scripts.record_results [--list]
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from app import recorded
from app.services.spent import at, command
from app.settings import read
from model.checkpoint import WEIGHTS, sha256_of
from scripts.generate_results import PAGE, ROOT, entries

EVALUATE = "python app.py evaluate "
AT = re.compile(r"--(budgets|importance) \S+")


@dataclass(frozen=True, slots=True)
class Stale:
    """A suite of a recorded file, and what measures all of its budgets."""

    file: Path
    suite: str
    command: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="only say what is to be measured")
    args = parser.parse_args()
    left = list(stale(PAGE, ROOT, sha256_of(Path(read().adapter) / WEIGHTS)))
    for number, one in enumerate(left, start=1):
        where = one.file.relative_to(ROOT)
        sys.stdout.write(f"{number} of {len(left)}: {one.command} -> {where}\n")
        sys.stdout.flush()
        if not args.list:
            measure(one, run)
    return 0


def stale(page: Path, root: Path, adapter: str) -> Iterator[Stale]:
    """What was measured with another adapter than this one, by its hash, in the page's order."""
    seen = set[tuple[Path, str]]()
    for entry in entries(yaml.safe_load(page.read_text(encoding="utf-8"))):
        file = root / entry.file
        found = recorded.read(file)
        suite = entry.suite or found[0][0].suite
        mine = [m for m, _ in found if m.suite == suite and m.domain is None]
        typed = AT.sub(at(mine), entry.command or command(mine))
        old = any(m.adapter_sha256 != adapter for m in mine)
        if old and typed.startswith(EVALUATE) and (file, suite) not in seen:
            seen.add((file, suite))
            yield Stale(file, suite, typed)


def measure(one: Stale, run: Callable[[str, Path], None]) -> None:
    """Measure it, then put it where the old one stands in its file."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "new.json"
        run(one.command, new)
        found = recorded.read(new)
    file, old = one.file, recorded.read(one.file)
    if any(m.suite != one.suite for m, _ in found):
        raise SystemExit(f"{one.command} measures {found[0][0].suite}, {file} has {one.suite}")
    first = next(i for i, (m, _) in enumerate(old) if m.suite == one.suite)
    kept = [each for each in old[first:] if each[0].suite != one.suite]
    part = file.with_suffix(".part")
    recorded.write(part, [*old[:first], *found, *kept])
    part.replace(file)


def run(command: str, record: Path) -> None:
    """The command as it was typed, by this Python."""
    words = [sys.executable, *command.split()[1:], "--record", str(record)]
    subprocess.run(words, check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
