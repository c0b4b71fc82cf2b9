"""The committed question suite is what the generator writes, and the training never saw it."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from evaluation.scoring import CHECKS
from tasks.make_suite import main, suite, suite_text
from tasks.mix import KINDS, stream

SUITE_FILE = Path(__file__).parents[3] / "evaluation" / "suites" / "pilot.jsonl"
ROWS = [json.loads(line) for line in SUITE_FILE.read_text(encoding="utf-8").splitlines()]


def test_the_committed_suite_is_what_the_generator_writes(tmp_path: Path) -> None:
    written = tmp_path / "suite.jsonl"
    assert main([str(written)]) == 0
    assert written.read_bytes() == SUITE_FILE.read_bytes()
    assert suite_text() == suite_text()


def test_the_generator_asks_for_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "FILE.jsonl" in capsys.readouterr().err


def test_the_suite_holds_every_kind_of_every_domain_equally_often() -> None:
    domains = Counter(row["domain"] for row in ROWS)
    assert set(domains) == set(KINDS)
    assert len(set(domains.values())) == 1
    assert len(ROWS) >= 360
    for domain, kinds in KINDS.items():
        counts = Counter(row["kind"] for row in ROWS if row["domain"] == domain)
        assert set(counts) == {kind.name for kind in kinds}
        assert max(counts.values()) - min(counts.values()) <= 1


def test_rows_are_complete_and_ids_and_questions_unique() -> None:
    for row in ROWS:
        assert set(row) == {"id", "question", "answer", "domain", "kind", "check"}
        assert row["question"]
        assert row["answer"]
        assert row["check"] in CHECKS
    assert len({row["id"] for row in ROWS}) == len({row["question"] for row in ROWS}) == len(ROWS)


def test_no_suite_question_or_template_occurs_in_the_first_20000_training_tasks() -> None:
    training = list(islice(stream(0, "train"), 20_000))
    assert not {row["question"] for row in ROWS} & {task.question for task in training}
    assert not {task.template for task in suite()} & {task.template for task in training}
