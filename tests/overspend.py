"""The overspend race at its full size, over many seeds, on both databases.

    python -m tests.overspend --record benchmarks/overspend.jsonl

It may be stopped: run again, it leaves out what the record has for the same race on the same
database by the same code. The race itself is tests/overspend_race.py.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.databases import DIALECTS, database
from tests.overspend_race import afterwards, run
from tests.overspend_rules import Race

ROOT = Path(__file__).resolve().parent.parent
CODE = {
    "storage": (
        "counters", "dialect", "engine", "entries", "invariants", "ledger", "ledger_tables",
        "openings", "policies", "raises", "refusals", "repositories", "schema", "seal_check",
        "seals", "terms", "types", "unit_of_work",
    ),
    "policies": ("budget", "ceilings", "decide", "pricing"),
    "tests": ("overspend_race", "overspend_rules", "recount"),
}  # fmt: skip
"""What a race is a test of, and what it is: after a change of these it says nothing any more."""


def version() -> str:
    """Of that code: the first twelve digits of a SHA-256 over the files."""
    files = [ROOT / folder / f"{name}.py" for folder, names in CODE.items() for name in names]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def main(words: Sequence[str] | None = None) -> int:
    """1 where any race asked for found a fault, now or as its record says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--submits", type=int, default=500)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--dialects", nargs="+", choices=DIALECTS, default=DIALECTS)
    parser.add_argument(
        "--record", type=Path, help="a line of JSON a race; those that are there are not run again"
    )
    args = parser.parse_args(words)
    record: Path | None = args.record
    code, wrong = version(), 0
    for race, dialect in _races(args):
        if record is not None and (earlier := _recorded(record, race, dialect, code)):
            wrong += len(earlier["faults"])
            continue
        began = time.monotonic()
        with database(dialect) as url:
            refused = run(race, url, _Progress(f"{dialect}: seed {race.seed}", race.tries))
            count = afterwards(race, url)
        line = {
            "database": dialect,
            "code": code,
            **asdict(race),
            "seconds": round(time.monotonic() - began),
            **asdict(count),
            "refused_under": refused,
        }
        wrong += len(count.faults)
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if record is not None:
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    return 1 if wrong else 0


def _races(args: argparse.Namespace) -> Iterator[tuple[Race, str]]:
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for dialect in args.dialects:
            yield Race(seed, args.processes, args.threads, args.submits, args.kills), dialect


def _recorded(record: Path, race: Race, dialect: str, code: str) -> dict[str, Any] | None:
    wanted = {"database": dialect, "code": code, **asdict(race)}
    if not record.exists():
        return None
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return next((line for line in lines if wanted.items() <= line.items()), None)


class _Progress:
    """To the log every half a minute: how far, how fast, how long yet."""

    def __init__(self, what: str, all_: int) -> None:
        self._what, self._all, self._began, self._said = what, all_, time.monotonic(), 0.0

    def __call__(self, done: int) -> None:
        took = time.monotonic() - self._began
        if took - self._said < 30:
            return
        self._said, pace = took, done / took
        left = f", {(self._all - done) / pace / 60:.0f} minutes left" if pace else ""
        sys.stderr.write(f"{self._what}: {done} of {self._all}, {pace:.1f} a second{left}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
