"""Baselines: fair in parameters, data and cost, and gone on with where they stopped."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from app import recorded
from app.ports import Job
from benchmarks.baseline_fewshot import PLAIN, Shown, shots
from benchmarks.baseline_shared import Recording
from benchmarks.baseline_vote import samples
from policies.types import Domain
from tests.fakes import FakeEngine
from tests.tiny import Letters
from training.data import Example, Spelling

SUITE = [
    {"question": f"{i}?", "answer": a, "domain": d}
    for i, (a, d) in enumerate([("forty two pens are left", "math"), ("none", "data")] * 3)
]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "suite.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in SUITE))
    return file


def recording(suite: Path, **changes: Any) -> Recording:
    values = {"suite": str(suite), "limit": None, "seed": 5, "record": str(suite.parent / "r.json")}
    return Recording(Namespace(**values | changes), "base")


def test_as_many_samples_as_cost_the_same_by_the_list() -> None:
    assert samples(15) == 16  # a written token and an evaluation have one price
    assert samples(0) == 1


def test_worked_examples_are_earlier_turns_as_in_training() -> None:
    tasks = shots(Domain.DATA, 3)
    assert len({task.kind for task in tasks}) == 3
    assert {task.domain for task in tasks} == {"data"}
    assert shots(Domain.GENERAL, 3) == []
    letters = Plain()
    earlier = tuple((task.question, task.response) for task in tasks)
    row = Spelling(letters).row(Example("next", "", earlier=earlier))
    assert Shown(letters, tasks).prompt("next") == row.ids[:-1]  # type: ignore[arg-type]
    assert Shown(letters, []).prompt("next") == letters.prompt("next")  # type: ignore[arg-type]


class Plain(Letters):
    """Takes any character."""

    def spelled(self, text: str) -> list[int]:
        return [3 + ord(letter) for letter in text]


class Dies(FakeEngine):
    """Ends with its fourth job, as a killed process does."""

    def run(self, job: Job, cancelled: Any) -> Any:
        if len(self.jobs) == 3:
            raise KeyboardInterrupt
        return super().run(job, cancelled)


def test_answers_of_a_killed_baseline_are_not_asked_again(suite: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        recording(suite).ask(Dies(), PLAIN)  # type: ignore[arg-type]
    (rows,) = suite.parent.glob("r.base-5.rows.jsonl")
    rows.write_text(rows.read_text() + '{"id": "q4", "corr')
    again, engine = recording(suite), FakeEngine()
    again.ask(engine, PLAIN)  # type: ignore[arg-type]
    assert [(job.question, job.seed) for job in engine.jobs] == [("3?", 8), ("4?", 9), ("5?", 10)]
    again.write()
    assert not rows.exists()
    (whole, its), *domains = recorded.read(suite.parent / "r.json")
    assert [row.correct for row in its] == [True, False] * 3
    assert (whole.accuracy, whole.n, whole.adapter_sha256) == (0.5, 6, "base")
    assert {m.domain: m.accuracy for m, _ in domains} == {Domain.MATH: 1.0, Domain.DATA: 0.0}


def test_one_domain_can_be_asked_alone(suite: Path) -> None:
    record, engine = recording(suite), FakeEngine()
    record.ask(engine, PLAIN, Domain.DATA)  # type: ignore[arg-type]
    assert {job.plan.domain for job in engine.jobs} == {Domain.DATA}
    assert [q.domain for _, q in record.left()] == [Domain.MATH] * 3
