"""The committed question suites are what the generator writes, and the training never saw them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from evaluation.scoring import CHECKS, is_correct
from tasks.hard import HARD
from tasks.make_suite import SUITES, main, suite
from tasks.mix import KINDS, stream

FOLDER = Path(__file__).parents[3] / "evaluation" / "suites"
ROWS = {
    name: [json.loads(x) for x in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]
    for name in SUITES
}
FIRST_408 = "a1b0c4df00289d04"
"""Of the questions that the first adapters were measured on."""
names = pytest.mark.parametrize("name", SUITES)


def test_the_committed_suites_are_what_the_generator_writes(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    for name in SUITES:
        written = (tmp_path / f"{name}.jsonl").read_bytes()
        assert written == (FOLDER / f"{name}.jsonl").read_bytes()


def test_the_generator_asks_for_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "FOLDER" in capsys.readouterr().err


@names
def test_a_suite_holds_every_kind_of_every_domain_equally_often(name: str) -> None:
    rows, kinds = ROWS[name], SUITES[name].kinds
    domains = Counter(row["domain"] for row in rows)
    assert set(domains) == set(KINDS)
    assert len(set(domains.values())) == 1
    for domain in kinds:
        counts = Counter(row["kind"] for row in rows if row["domain"] == domain)
        assert set(counts) == {kind.name for kind in kinds[domain]}
        assert max(counts.values()) - min(counts.values()) <= 1


@names
def test_rows_are_complete_and_ids_and_questions_unique(name: str) -> None:
    rows = ROWS[name]
    for row in rows:
        assert set(row) == {"id", "question", "answer", "domain", "kind", "check"}
        assert row["question"]
        assert row["answer"]
        assert row["check"] in CHECKS
        assert is_correct(f"Answer: {row['answer']}", row["answer"], row["check"])
    assert len({row["id"] for row in rows}) == len({row["question"] for row in rows}) == len(rows)


def test_the_first_408_questions_of_pilot_stay_what_older_figures_were_measured_on() -> None:
    text = (FOLDER / "pilot.jsonl").read_bytes().split(b"\n")[:408]
    assert hashlib.sha256(b"\n".join(text)).hexdigest().startswith(FIRST_408)


@names
def test_no_question_or_template_occurs_in_the_first_20000_training_tasks(name: str) -> None:
    training = list(islice(stream(0, "train"), 20_000))
    assert not {row["question"] for row in ROWS[name]} & {task.question for task in training}
    assert not {task.template for task in suite(name)} & {task.template for task in training}


def test_hard_questions_are_larger_or_longer_than_those_of_the_same_kind() -> None:
    """Due dates are as long, but each lies beyond the end of its month."""

    def mean(name: str, kind: str, counted: str) -> float:
        texts = [row["question"] + row["answer"] for row in ROWS[name] if row["kind"] == kind]
        found = [c for text in texts for c in text if counted == "any" or c in counted]
        return len(found) / len(texts)

    hard = {kind.name for kinds in HARD.values() for kind in kinds}
    assert len(hard) == 30
    for kind in hard - {"due_date"}:
        counted = "any" if kind in ("ticket", "route") else "0123456789,;"
        assert mean("pilot-hard", kind, counted) > mean("pilot", kind, counted), kind
    for row in (row for row in ROWS["pilot-hard"] if row["kind"] == "due_date"):
        assert row["answer"][:7] not in row["question"]
