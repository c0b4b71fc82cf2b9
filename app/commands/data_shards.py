"""Training data on disk: a folder of numbered shards of JSON lines beside a manifest.

A line is one example with its text, its class and its token ids: written and spelled once, read by
`train` as often as it likes. A shard is whole or not there, so a build that was killed goes on.
"""

import json
import os
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from policies.errors import InvalidInput
from training.data import Tokens

MANIFEST = "manifest.json"
EVERY = "train"
"""What a source calls all parts together."""
PROBE = "Sort 7, 12 and 345: how much is 10 % of £60?\nÄ \u30ed"
"""Spelled the same by the same tokenizer; by another hardly."""


@dataclass(frozen=True, slots=True)
class Record:
    """One example as it is written; no label is no guidance class."""

    question: str
    response: str
    label: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Shards:
    """What a folder holds: its examples, and how their texts are spelled."""

    rows: Sequence[dict[str, Any]]
    prompts: dict[str, "array[int]"]
    answers: dict[str, "array[int]"]
    probe: list[int]
    """Ids of PROBE when the folder was built."""


class Spelled:
    """A tokenizer that looks up what was spelled before and spells the rest."""

    def __init__(self, tokens: Tokens, shards: Iterable[Shards]) -> None:
        self.tokens = tokens
        self.prompts, self.answers = dict[str, "array[int]"](), dict[str, "array[int]"]()
        for each in shards:
            if each.probe == tokens.prompt(PROBE):  # by another base's tokenizer: of no use
                self.prompts |= each.prompts
                self.answers |= each.answers

    def prompt(self, question: str, system: str | None = None) -> list[int]:
        known = self.prompts.get(question) if system is None else None
        return self.tokens.prompt(question, system) if known is None else known.tolist()

    def follow(self, question: str) -> list[int]:
        return self.tokens.follow(question)

    def answer(self, text: str) -> list[int]:
        known = self.answers.get(text)
        return self.tokens.answer(text) if known is None else known.tolist()


def write_shard(file: Path, records: Iterable[Record], tokens: Tokens) -> None:
    """All of it or nothing."""
    with (part := file.with_suffix(".part")).open("w", encoding="utf-8") as out:
        for record in records:
            ids = {
                "prompt": tokens.prompt(record.question),
                "answer": tokens.answer(record.response),
            }
            out.write(json.dumps(asdict(record) | ids, ensure_ascii=False) + "\n")
    os.replace(part, file)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises InvalidInput where there is none that can be read."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise InvalidInput(f"{folder} holds no training data: {err}") from err
    return manifest


def part_of(shard: str) -> str:
    """ "tasks" of "tasks-0003.jsonl"."""
    return shard.rpartition("-")[0]


def read_shard(file: Path) -> list[dict[str, Any]]:
    """Raises InvalidInput naming file and line."""
    rows = list[dict[str, Any]]()
    try:
        with file.open(encoding="utf-8") as lines:
            rows.extend(map(json.loads, lines))
    except (OSError, ValueError) as err:
        raise InvalidInput(f"{file}, line {len(rows) + 1}, cannot be read: {err}") from err
    return rows


def read_shards(folder: Path, part: str = EVERY) -> Shards:
    """The examples of one part of a finished build, or of all. Raises InvalidInput."""
    manifest = read_manifest(folder)
    if not manifest["complete"]:
        raise InvalidInput(f"{folder} is not finished; run the same `data build` again to go on")
    names = [name for name in manifest["shards"] if part in (EVERY, part_of(name))]
    if not names:
        parts = ", ".join(dict.fromkeys(map(part_of, manifest["shards"])))
        raise InvalidInput(f"{folder} has no part {part!r}; it has {EVERY} (all), {parts}")
    shards = Shards(list[dict[str, Any]](), {}, {}, manifest["probe"])
    for row in (row for name in names for row in read_shard(folder / name)):
        shards.prompts[row["question"]] = array("I", row.pop("prompt"))
        shards.answers.setdefault(row["response"], array("I", row.pop("answer")))
        shards.rows.append(row)  # type: ignore[attr-defined]
    return shards
