"""Builds a training mixture: distinct examples, none of which gives a held-out question away.

A shard is drawn from a seed of its own, so that a build that goes on writes what one that was never
stopped would have written.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from app.commands.data_shards import (
    MANIFEST,
    PROBE,
    Record,
    read_manifest,
    read_shard,
    write_manifest,
    write_shard,
)
from evaluation import gsm8k
from evaluation.overlap import Asked, HeldOut, plain
from policies.errors import InvalidInput
from tasks.mix import stream
from tasks.office import office_stream
from tasks.reasoning import ADAPTERS, reasoning_stream
from tasks.types import Task
from training.data import Tokens

SHARD = 10_000
"""Examples."""
_PATIENCE = 100
"""Draws for each example wanted, before a part is said to have no more distinct ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """A source of examples: how many are wanted, and what a shard is drawn from by its number."""

    name: str
    number: int
    draw: Callable[[int], Iterator[Record]]
    endless: bool = True


@dataclass
class Building:
    """One build under way in a folder."""

    folder: Path
    tokens: Tokens
    held_out: HeldOut
    plan: dict[str, Any]
    """What sets this mixture apart from others: seed, numbers, hashes of files."""
    tell: Callable[[str], None]
    _seen: set[str] = field(default_factory=set)

    def run(self, parts: Sequence[Part]) -> dict[str, Any]:
        """Writes what is missing; returns the manifest. Raises InvalidInput."""
        manifest = self._begun()
        for part in parts:
            for number in range(-(-part.number // SHARD)):
                name = f"{part.name}-{number:04d}.jsonl"
                if name not in manifest["shards"]:
                    manifest["shards"][name] = self._shard(part, number, self.folder / name)
                    write_manifest(self.folder, manifest)
                    self.tell(f"{name}: {manifest['shards'][name]}")
        manifest |= {"complete": True, "examples": _totals(manifest["shards"])}
        write_manifest(self.folder, manifest)
        return manifest

    def _begun(self) -> dict[str, Any]:
        probe = self.tokens.prompt(PROBE)
        fresh = {"plan": self.plan, "probe": probe, "complete": False, "shards": {}}
        if not (self.folder / MANIFEST).exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            return fresh
        manifest = read_manifest(self.folder)
        if manifest["plan"] != self.plan or manifest["probe"] != probe:
            raise InvalidInput(
                f"{self.folder} holds data of another plan, {json.dumps(manifest['plan'])}, not "
                f"{json.dumps(self.plan)}; name another folder"
            )
        for name in manifest["shards"]:
            self._seen.update(plain(row["question"]) for row in read_shard(self.folder / name))
        return manifest

    def _shard(self, part: Part, number: int, file: Path) -> dict[str, Any]:
        wanted = min(SHARD, part.number - number * SHARD)
        left_out, drawn = Counter[str](), part.draw(number)
        if part.endless:
            drawn = islice(drawn, _PATIENCE * wanted)
        kept = list(islice(self._distinct(drawn, left_out), wanted))
        if part.endless and len(kept) < wanted:
            raise InvalidInput(
                f"{part.name} has no {part.number} distinct examples: shard {number} came to "
                f"{len(kept)} of {wanted} in {_PATIENCE * wanted} draws; ask for fewer"
            )
        write_shard(file, kept, self.tokens)
        labels = Counter(record.label or "general" for record in kept)
        return {"examples": len(kept), "labels": dict(labels), "left_out": dict(left_out)}

    def _distinct(self, drawn: Iterable[Record], left_out: Counter[str]) -> Iterator[Record]:
        for record in drawn:
            asked = plain(record.question)
            if asked in self._seen:
                left_out["repeated"] += 1
            elif match := self.held_out.match(
                asked_of(record.question, record.response, record.kind)
            ):
                left_out[match.how] += 1
            else:
                self._seen.add(asked)
                yield record


def asked_of(question: str, response: str, kind: str) -> Asked:
    """What is compared with the held-out questions: of the response, its answer line."""
    return Asked(question, response.rpartition("Answer: ")[2], kind)


def generated(name: str, number: int, seed: int) -> Part:
    """Examples of our own generators, or of reasoning-gym's."""
    draw = {"tasks": _tasks, "office": _office, "reasoning": _reasoning}[name]
    return Part(name, number, lambda shard: map(_of_task, draw(seed * 1_000_003 + shard)))


def finite(name: str, records: Sequence[Record]) -> Part:
    def draw(shard: int) -> Iterator[Record]:
        return iter(records[shard * SHARD : (shard + 1) * SHARD])

    return Part(name, len(records), draw, endless=False)


def of_gsm8k(rows: Iterable[Any], source: str) -> list[Record]:
    """Its problems with their working. Raises InvalidInput naming the line."""
    records = []
    for number, row in enumerate(rows, start=1):
        question, answer = (row.get(key) for key in ("question", "answer"))
        response = gsm8k.response(answer) if isinstance(answer, str) else None
        if response is None or not isinstance(question, str):
            raise InvalidInput(f'{source}, example {number}: GSM8K\'s "#### 72" form is needed')
        records.append(Record(question, response, "math", "gsm8k"))
    return records


def of_answers(rows: Iterable[dict[str, Any]], source: str) -> list[Record]:
    """What the base model said, where it came to an end by itself. Raises InvalidInput."""
    records = []
    for number, row in enumerate(rows, start=1):
        question, response, finish = (row.get(key) for key in ("question", "response", "finish"))
        if not (isinstance(question, str) and isinstance(response, str) and finish):
            raise InvalidInput(f"{source}, line {number}: no answer that `data answers` wrote")
        if finish == "stop" and response.strip():
            records.append(Record(question, response, None, "general"))
    return records


def digest(held_out: Iterable[Asked] | Iterable[Record]) -> str:
    """Of what a plan depends on besides its numbers."""
    text = "\n".join(map(repr, held_out))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tasks(seed: int) -> Iterator[Task]:
    return stream(seed, "train")


def _office(seed: int) -> Iterator[Task]:
    return office_stream(seed, "train")


def _reasoning(seed: int) -> Iterator[Task]:
    streams = [reasoning_stream(seed, "train", kind) for kind in ADAPTERS]
    while True:
        yield from map(next, streams)


def _of_task(task: Task) -> Record:
    return Record(task.question, task.response, task.domain, task.kind)


def _totals(shards: dict[str, Any]) -> dict[str, int]:
    total = Counter[str]()
    for shard in shards.values():
        total.update(shard["labels"])
    return {"all": total.total(), **dict(sorted(total.items()))}
