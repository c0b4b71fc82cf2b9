"""`ask-all`: many questions from a file, held as one decision; an answer a line as each ends."""

import argparse
import json
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from app.bootstrap import build
from app.commands.asking import asker, fields
from app.commands.output import as_json, progress
from app.loading import load_engine
from app.ports import AnswerStatus
from app.services.ask import AskForm, Limits, Receipt, clean
from app.services.batch import Batch
from app.settings import Settings
from policies.errors import InvalidInput
from policies.types import Domain, Importance

UNFINISHED = (AnswerStatus.CANCELLED, AnswerStatus.INTERRUPTED, AnswerStatus.FAILED)
KNOWN = ("question", "id", "importance", "domain", "seed")


def ask_all(settings: Settings, args: argparse.Namespace) -> int:
    """Ctrl-C settles to the work done. With the same key again what was stopped is asked anew."""
    questions = _read(Path(args.file), Importance(args.importance), Domain(args.domain))
    pilot = build(settings, load_engine(settings))
    actor = asker(pilot, args)
    if args.quote:
        quotes = [pilot.ask.preview(actor, form).decision.quote for _, form in questions]
        worst = sum(quote.nanos for quote in quotes)
        currency = quotes[0].currency
        as_json({"questions": len(quotes), "quote_nanos": worst, "currency": currency})
        return 0
    key = args.key or uuid.uuid4().hex
    progress(f"{len(questions)} questions, key {key}")
    todo, attempt = list(questions), 1
    while todo:
        # by its name in the file, so that lines may move or be added before it is sent again
        wanted = [(form, f"{key}-{name}-{attempt}") for name, form in todo]
        again = []
        with closing(Batch(pilot.ask.admission)(actor, wanted)) as receipts:
            for place, receipt in receipts:
                if _stopped_before(receipt):
                    again.append(place)
                    continue
                progress(f"{todo[place][0]}: {receipt.row.status}")
                as_json({"id": todo[place][0], **fields(receipt)})
        todo, attempt = [todo[place] for place in sorted(again)], attempt + 1
    return 0


def _stopped_before(receipt: Receipt) -> bool:
    """An earlier call was stopped before it was done: its key is used, and it is asked anew."""
    return receipt.replayed and receipt.row.status in UNFINISHED


def _read(file: Path, importance: Importance, domain: Domain) -> list[tuple[str, AskForm]]:
    """Name and form of each line. Raises InvalidInput naming the line and the field."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInput(f"{file} cannot be read: {err}") from err
    found = [
        _form(line, number, f"{file.name}, line {number}", importance, domain)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not found:
        raise InvalidInput(f"{file.name} has no questions")
    names = [name for name, _ in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"{file.name}: the id {twice} stands there more than once")
    return found


def _form(
    line: str, number: int, where: str, importance: Importance, domain: Domain
) -> tuple[str, AskForm]:
    try:
        row = json.loads(line)
    except ValueError as err:
        raise InvalidInput(f"{where}: not JSON: {err}") from err
    if not isinstance(row, dict) or not isinstance(row.get("question"), str):
        raise InvalidInput(f"{where}: an object with a question is wanted")
    if unknown := sorted(set(row) - set(KNOWN)):
        raise InvalidInput(f"{where}: unknown field {unknown[0]}; known: {', '.join(KNOWN)}")
    seed = row.get("seed")
    if seed is not None and type(seed) is not int:
        raise InvalidInput(f"{where}: seed must be a whole number, got {seed!r}")
    try:
        question = clean(row["question"], Limits().question_characters)
    except InvalidInput as err:
        raise InvalidInput(f"{where}: {err}") from err
    return str(row.get("id", number)), AskForm(
        question,
        Importance(_one_of(row, "importance", list(Importance), importance, where)),
        Domain(_one_of(row, "domain", list(Domain), domain, where)),
        seed,
    )


def _one_of(row: dict[str, Any], field: str, legal: list[str], usual: str, where: str) -> str:
    value = row.get(field, usual)
    if value not in legal:
        raise InvalidInput(f"{where}: {field} must be one of {', '.join(legal)}, got {value!r}")
    return str(value)
