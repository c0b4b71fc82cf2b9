"""Question suites: JSON lines with question, answer and optional domain, check, kind and id.

`pilot`, `pilot-hard` and `office` are in this folder; `reworded` asks five of each kind of `pilot`
in other words; `pilot-408` is the first 408 questions of `pilot`, `gsm8k` comes from the hub, and
any file will do: GSM8K's own form ("#### 72") is understood.
"""

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation import gsm8k
from evaluation.scoring import CHECKS
from policies.errors import InvalidInput, Unavailable
from policies.types import Domain

SUITES = Path(__file__).parent / "suites"
GSM8K = "gsm8k"


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the answer that counts as right, and how that is checked."""

    id: str
    question: str
    answer: str
    domain: Domain
    check: str
    kind: str = ""
    """Of task; empty where the suite names none."""


def known() -> list[str]:
    """Names that `load` takes besides files; the first of them are in this folder."""
    return [*sorted(file.stem for file in SUITES.glob("*.jsonl")), GSM8K]


def load(name: str) -> list[Question]:
    """A suite by name, the first questions of one, or a file.

    Raises InvalidInput with file, line and field; Unavailable where the hub gives nothing.
    """
    file, head = SUITES / f"{name}.jsonl", _head(name)
    file = file if file.exists() else Path(name)
    if file.exists():
        return _read_file(file)
    if name == GSM8K:
        return _hub_questions()
    if head is None:
        raise InvalidInput(
            f"suite {name!r} is neither a file that can be read nor one of {', '.join(known())}"
        )
    return _first(load(head[0]), *head)


def load_first(name: str, limit: int | None = None) -> tuple[str, list[Question]]:
    """Its first questions, and the name that figures on them are kept under.

    Of a suite with a name, it is a name that `load` takes. Raises as `load` does.
    """
    questions, stem, head = load(name), Path(name).stem, _head(name)
    if limit is None or limit >= len(questions):
        return stem, questions
    return f"{head[0] if head else stem}-{limit}", _first(questions, name, limit)


def _first(questions: list[Question], name: str, number: int) -> list[Question]:
    if not 1 <= number <= len(questions):
        raise InvalidInput(f"suite {name} has {len(questions)} questions; {number} were asked for")
    return questions[:number]


def _head(name: str) -> tuple[str, int] | None:
    """Suite and number of "pilot-408"."""
    found = re.fullmatch(r"(.+)-([1-9][0-9]{0,8})", name)
    return (found[1], int(found[2])) if found and found[1] in known() else None


def _hub_questions() -> list[Question]:
    try:
        datasets = importlib.import_module("datasets")
        rows = datasets.load_dataset(*gsm8k.HUB, split="test")
    except (ImportError, OSError, ValueError) as err:
        raise Unavailable(
            f"the suite {GSM8K} could not be had from the hub ({err}); `pip install datasets`, or "
            "name a local file: --suite FILE.jsonl"
        ) from err
    lines = (json.dumps({"question": r["question"], "answer": r["answer"]}) for r in rows)
    return _read("\n".join(lines), GSM8K)


def _read_file(file: Path) -> list[Question]:
    try:
        return _read(file.read_text(encoding="utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInput(f"suite {file} cannot be read: {err}") from err


def _read(text: str, source: str) -> list[Question]:
    questions = list(_questions(text, source))
    if not questions:
        raise InvalidInput(f"suite {source} has no questions")
    return questions


def _questions(text: str, source: str) -> Iterator[Question]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _question(line, f"{source}, line {number}", f"q{number}")


def _question(line: str, where: str, default_id: str) -> Question:
    try:
        row = json.loads(line)
    except ValueError as err:
        raise InvalidInput(f"{where}: not JSON: {err}") from err
    if not isinstance(row, dict):
        raise InvalidInput(f"{where}: a question is an object with question and answer")
    for field in ("question", "answer"):
        if not isinstance(row.get(field), str) or not row[field].strip():
            raise InvalidInput(f"{where}: field {field} must be text that is not empty")
    answer, final = row["answer"], gsm8k.final(row["answer"])
    if final is not None:
        return Question(
            str(row.get("id", default_id)), row["question"], final, Domain.MATH, "number", GSM8K
        )
    domain = row.get("domain", Domain.GENERAL.value)
    if domain not in set(Domain):
        raise InvalidInput(f"{where}: domain must be one of {', '.join(Domain)}, got {domain!r}")
    check = row.get("check") or (
        "number" if answer.replace(",", "").replace(".", "", 1).isdigit() else "text"
    )
    if check not in CHECKS:
        raise InvalidInput(f"{where}: check must be one of {', '.join(CHECKS)}, got {check!r}")
    return Question(
        str(row.get("id", default_id)),
        row["question"],
        answer,
        Domain(domain),
        check,
        str(row.get("kind", "")),
    )
