"""Question suites: JSON lines with question, answer and optional domain, check, kind and id."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.scoring import CHECKS
from policies.errors import InvalidInput
from policies.types import Domain

SUITES = Path(__file__).parent / "suites"


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the answer that counts as right, and how that is checked."""

    id: str
    question: str
    answer: str
    domain: Domain
    check: str


def load(name: str, limit: int | None = None) -> list[Question]:
    """A suite of this folder by name, or a file. Raises InvalidInput with file, line and field."""
    file = SUITES / f"{name}.jsonl"
    if not file.exists():
        file = Path(name)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        known = ", ".join(sorted(p.stem for p in SUITES.glob("*.jsonl")))
        raise InvalidInput(
            f"suite {name!r} is neither a file that can be read nor one of {known}"
        ) from err
    questions = list(_questions(text, file.name))
    if not questions:
        raise InvalidInput(f"suite {file.name} has no questions")
    return questions[:limit]


def _questions(text: str, source: str) -> Iterator[Question]:
    for number, line in enumerate(text.splitlines(), start=1):
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
    domain, answer = row.get("domain", Domain.GENERAL.value), row["answer"]
    if domain not in set(Domain):
        raise InvalidInput(f"{where}: domain must be one of {', '.join(Domain)}, got {domain!r}")
    check = row.get("check") or (
        "number" if answer.replace(",", "").replace(".", "", 1).isdigit() else "text"
    )
    if check not in CHECKS:
        raise InvalidInput(f"{where}: check must be one of {', '.join(CHECKS)}, got {check!r}")
    return Question(str(row.get("id", default_id)), row["question"], answer, Domain(domain), check)
