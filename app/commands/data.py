"""`data ...`: a training mixture is built once, checked against the held-out suites, trained on.

`data answers` writes what the base model says to general questions, for `data build --general`.
"""

import argparse
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.commands import data_build as build_
from app.commands.data_shards import Record, read_manifest, read_shards
from app.commands.output import as_json, progress, result
from app.loading import load_engine
from app.ports import Engine, Job
from app.settings import Settings
from evaluation import gsm8k, suites
from evaluation.overlap import Asked, HeldOut, plain
from model.errors import ModelError
from model.hf import Prompter
from policies.errors import InvalidInput, Unavailable
from policies.types import Domain, Plan, Rung, Solver
from tasks.general import general_questions

ANSWERS_AT_ONCE = 64
"""Written together; what a stop loses at most."""
ANSWER_TOKENS = 96
FROM_HUB = "hub"
SHOWN = 5
"""Faults of each sort that `data check` spells out."""


def build(settings: Settings, args: argparse.Namespace) -> int:
    """Goes on where an earlier build stopped; prints the manifest's totals."""
    try:
        tokens = Prompter.load(settings.base_dir)
    except ModelError as err:
        raise Unavailable(f"{err}; run: python app.py model pull") from err
    asked = _held_out(args.held_out)
    parts, finite = _generated(args), _finite(args)
    parts += [build_.finite(name, records) for name, records in finite.items()]
    if not parts:
        raise InvalidInput("nothing to build: every part is 0 or left out")
    plan: dict[str, Any] = {"seed": args.seed, "held_out": build_.digest(asked)}
    plan |= {part.name: part.number for part in parts}
    plan |= {f"{name}_digest": build_.digest(records) for name, records in finite.items()}
    building = build_.Building(Path(args.out), tokens, HeldOut(asked), plan, progress)
    try:
        manifest = building.run(parts)
    except RuntimeError as err:  # reasoning-gym is missing
        raise Unavailable(f"{err}; or leave it out: --reasoning 0") from err
    except OSError as err:
        raise Unavailable(f"{args.out} cannot be written: {err}") from err
    result(json.dumps(manifest["examples"]))
    return 0


def check(settings: Settings, args: argparse.Namespace) -> int:
    """Exit 1 where a held-out question stands in the data, exactly or nearly, or two are one."""
    held_out, seen = HeldOut(_held_out(args.held_out)), set[str]()
    folder = Path(args.folder)
    rows = read_shards(folder).rows
    faults: dict[str, list[str]] = {"repeated": [], "exact": [], "near": [], "facts": []}
    for row in rows:
        asked = plain(row["question"])
        match = held_out.match(build_.asked_of(row["question"], row["response"], row["kind"]))
        if match:
            faults[match.how].append(f"{row['question']!r} is {match.question!r}")
        if asked in seen:
            faults["repeated"].append(repr(row["question"]))
        seen.add(asked)
    counts = {how: len(found) for how, found in faults.items()}
    totals = read_manifest(folder)["examples"]
    if args.json:
        as_json({"examples": totals, "held_out": len(held_out), "faults": counts})
    else:
        result(f"{totals} against {len(held_out)} held-out questions: {counts}")
        for how, found in faults.items():
            for fault in found[:SHOWN]:
                result(f"FAIL {how}: {fault}")
    return 1 if any(counts.values()) else 0


def answers(settings: Settings, args: argparse.Namespace) -> int:
    """The frozen base model's own words; goes on behind the lines that the file has."""
    write_answers(load_engine(settings), Path(args.out), args.number, args.seed)
    result(args.out)
    return 0


def write_answers(engine: Engine, file: Path, number: int, seed: int) -> None:
    """A line for each of the seed's first general questions. Raises InvalidInput."""
    questions = general_questions(seed)
    if not 1 <= number <= len(questions):
        raise InvalidInput(f"there are {len(questions)} general questions, got {number}")
    done = _lines(file, torn=True) if file.exists() else []
    if [row.get("question") for row in done] != questions[: len(done)]:
        raise InvalidInput(f"{file} has answers to other questions; name another file")
    _write(file, done, "w")  # without the line that a kill left half
    plan = Plan(Domain.GENERAL, Rung(Solver.BASE, 0, 1.0, ANSWER_TOKENS))
    for start in range(len(done), number, ANSWERS_AT_ONCE):
        asked = questions[start : min(start + ANSWERS_AT_ONCE, number)]
        found = engine.run_batch([Job(question, plan, 0) for question in asked], lambda: False)
        rows = [
            {"question": question, "response": outcome.text, "finish": outcome.finish.value}
            for question, outcome in zip(asked, found, strict=True)
        ]
        _write(file, rows, "a")
        progress(f"{start + len(rows)} of {number} answers")


def _generated(args: argparse.Namespace) -> list[build_.Part]:
    parts = []
    for name in ("tasks", "office", "reasoning"):
        if (number := getattr(args, name)) < 0:
            raise InvalidInput(f"--{name} must be at least 0, got {number}")
        if number:
            parts.append(build_.generated(name, number, args.seed))
    return parts


def _finite(args: argparse.Namespace) -> dict[str, list[Record]]:
    """What is in files, or on the hub."""
    found = {}
    if args.gsm8k:
        found["gsm8k"] = build_.of_gsm8k(*_problems(args.gsm8k))
    if args.general:
        found["general"] = build_.of_answers(_lines(Path(args.general)), args.general)
    return found


def _held_out(names: Sequence[str]) -> list[Asked]:
    return [Asked(q.question, q.answer, q.kind) for name in names for q in suites.load(name)]


def _problems(source: str) -> tuple[Any, str]:
    """GSM8K's training split: a file of its lines, or from the hub."""
    if source != FROM_HUB:
        return _lines(Path(source)), source
    try:
        datasets = importlib.import_module("datasets")
        return datasets.load_dataset(*gsm8k.HUB, split="train"), "gsm8k"
    except (ImportError, OSError, ValueError) as err:
        raise Unavailable(
            f"GSM8K could not be had from the hub ({err}); `pip install datasets`, or name a local "
            "file: --gsm8k FILE.jsonl"
        ) from err


def _lines(file: Path, torn: bool = False) -> list[dict[str, Any]]:
    """Its objects; where it may be `torn`, a last line that is not whole is left out."""
    rows = list[dict[str, Any]]()
    try:
        lines = [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInput(f"{file} cannot be read: {err}") from err
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as err:
            if torn and number == len(lines):
                break
            raise InvalidInput(f"{file}, line {number}, is no JSON: {err}") from err
        if not isinstance(rows[-1], dict):
            raise InvalidInput(f"{file}, line {number}: an object is needed, got {line:.80}")
    return rows


def _write(file: Path, rows: Sequence[dict[str, Any]], mode: str) -> None:
    try:
        with file.open(mode, encoding="utf-8") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    except OSError as err:
        raise Unavailable(f"{file} cannot be written: {err}") from err
