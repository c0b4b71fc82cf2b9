"""Baselines: fair in parameters, data and cost, and gone on with where they stopped."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from app import recorded
from app.ports import Job
from benchmarks.baseline_fewshot import PLAIN, Shown, shots
from benchmarks.baseline_shared import Recording
from benchmarks.baseline_vote import samples
from policies.types import Domain
from tests.fakes import FakeEngine
from tests.tiny import Letters
from training.data import Example, Row, Spelling, collate

SUITE = [
    {"question": f"{i}?", "answer": a, "domain": d}
    for i, (a, d) in enumerate([("forty two pens are left", "math"), ("none", "data")] * 3)
]


peft_warns = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


def tiny_lm(hidden: int = 32) -> Any:
    torch.manual_seed(1)
    config = AutoConfig.for_model(
        "llama", vocab_size=96, hidden_size=hidden, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    return AutoModelForCausalLM.from_config(config)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "suite.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in SUITE))
    return file


def recording(suite: Path, **changes: Any) -> Recording:
    values = {"suite": str(suite), "limit": None, "seed": 5, "record": str(suite.parent / "r.json")}
    return Recording(Namespace(**values | changes), "base")


@peft_warns
def test_rank_gives_the_number_of_trained_parameters_nearest_to_the_adapters() -> None:
    lora = pytest.importorskip("benchmarks.baseline_lora")
    lm = tiny_lm()
    one = 2 * ((32 + 32) * 2 + (32 + 16) * 2 + (32 + 48) * 3)
    for rank in (1, 4, 9):
        assert lora.rank_for(lm, rank * one + one // 3) == rank
    with torch.no_grad():
        wrapped = lora.get_peft_model(lm, lora.LoraConfig(r=4, target_modules=lora.TARGETS))
    assert sum(p.numel() for p in wrapped.parameters() if p.requires_grad) == 4 * one


@peft_warns
def test_loss_is_that_of_the_response_tokens_whatever_the_padding() -> None:
    lora = pytest.importorskip("benchmarks.baseline_lora")
    lm = tiny_lm()
    rows = [Row([5, 9, 3, 7, 2], [2, 3], 0), Row([8, 1, 4], [0, 1], 0)]
    wanted = list[float]()
    for row in rows:
        with torch.no_grad():
            logits = lm(torch.tensor([row.ids])).logits[0].log_softmax(-1)
        wanted += [-float(logits[i, row.ids[i + 1]]) for i in row.at]
    wrapped = lora.get_peft_model(lm, lora.LoraConfig(r=2, target_modules=lora.TARGETS))
    loss = lora.loss_of(wrapped, collate(rows))
    assert float(loss.detach()) == pytest.approx(sum(wanted) / 4, rel=1e-5)


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
