"""The LoRA baseline: as many parameters, the same examples, and gone on with where it stopped."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

from app.settings import Settings, read
from benchmarks import baseline_lora as lora
from benchmarks.baseline_lora_loss import loss_of
from tests.unit.model.test_model_folder import saved
from training.data import Row
from training.schedule import TrainConfig

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


def tiny_lm() -> Any:
    torch.manual_seed(1)
    config = AutoConfig.for_model(
        "llama", vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    return AutoModelForCausalLM.from_config(config)


def test_rank_gives_the_number_of_trained_parameters_nearest_to_the_adapters() -> None:
    lm = tiny_lm()
    one = 2 * ((32 + 32) * 2 + (32 + 16) * 2 + (32 + 48) * 3)
    for rank in (1, 4, 9):
        assert lora.rank_for(lm, rank * one + one // 3) == rank
    with torch.no_grad():
        wrapped = get_peft_model(lm, LoraConfig(r=4, target_modules=lora.TARGETS))
    assert sum(p.numel() for p in wrapped.parameters() if p.requires_grad) == 4 * one


@pytest.mark.parametrize("width", [0, 6, 100])
@pytest.mark.parametrize("alike", [[], [11, 4]])
def test_loss_and_gradient_are_those_of_the_response_tokens_however_packed(
    width: int, alike: list[int]
) -> None:
    """Each row alone, by transformers and autograd, is the standard."""
    first = len(alike)
    rows = [
        Row([*alike, *ids], [first + i for i in at], 0)
        for ids, at in [([5, 9, 3, 7, 2], [2, 3]), ([8, 1, 4], [0, 1]), ([8, 2, 6, 6], [1, 2])]
    ]
    lm = get_peft_model(tiny_lm(), LoraConfig(r=2, target_modules=lora.TARGETS))
    trained = [p for p in lm.parameters() if p.requires_grad]
    for p in trained:
        torch.nn.init.normal_(p, std=0.1)
    terms = list[torch.Tensor]()
    for row in rows:
        logits = lm(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
        terms += [-logits[i, row.ids[i + 1]] for i in row.at]
    wanted = torch.stack(terms).mean()
    slopes = torch.autograd.grad(wanted, trained)
    loss = loss_of(lm, rows, width)
    torch.testing.assert_close(loss, wanted, rtol=1e-5, atol=0)
    for got, slope in zip(torch.autograd.grad(loss, trained), slopes, strict=True):
        torch.testing.assert_close(got, slope, rtol=1e-4, atol=1e-6)


def test_every_part_of_training_has_its_own_schedule() -> None:
    part = lora.Part(100, TrainConfig(warmup_steps=4, decay_from=0.5))
    rates = [part.rate(step, 1e-3) for step in range(100)]
    assert rates[:5] == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3])
    assert rates[49] == pytest.approx(1e-3)
    assert rates[75] == pytest.approx(0.5e-3)
    assert 0 < rates[99] < 3e-5


class Killed(lora.Run):
    """Goes down in front of a step, as a machine does."""

    at = -1

    def _one_step(self, rows: list[Row], rate: float, clip_norm: float) -> float:
        if self.step == self.at:
            raise KeyboardInterrupt
        return super()._one_step(rows, rate, clip_norm)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    base = tmp_path / "data" / "base" / "tiny"
    saved(base, "llama, tied")
    save_file({"w": torch.zeros(4000)}, tmp_path / "adapter.safetensors")
    rows = [{"question": f"What is {i} + 1?", "response": f"{i + 1}"} for i in range(60)]
    for name in ("first", "second"):
        data = tmp_path / f"{name}.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = f"data: [{{source: {data}}}]\nbatch_size: 3\nwarmup_steps: 1\n"
        (tmp_path / f"{name}.yaml").write_text(config)
    return read({"L2D_MODEL": str(base), "L2D_PRECISION": "float32"}, Path("no such file"))


def arguments(folder: Path, out: str) -> Namespace:
    parts = [[str(folder / "first.yaml"), "3"], [str(folder / "second.yaml"), "2"]]
    return Namespace(
        part=parts, out=str(folder / out), adapter=folder, rank=2, lr=1e-2, minutes=5.0
    )


def weights(run: lora.Run) -> dict[str, Any]:
    return {k: v.clone() for k, v in get_peft_model_state_dict(run.lm).items()}


@pytest.mark.parametrize("at", [1, 3, 4])
def test_a_run_that_was_killed_goes_on_to_the_same_weights(
    at: int, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a part and between two of them."""
    whole = lora.Run(arguments(tmp_path, "whole"), settings)
    assert whole.train()
    monkeypatch.setattr(lora, "CHECKPOINT_SECONDS", -1.0)
    killed = Killed(arguments(tmp_path, "killed"), settings)
    killed.at = at
    with pytest.raises(KeyboardInterrupt):
        killed.train()
    resumed = lora.Run(arguments(tmp_path, "killed"), settings)
    assert resumed.step == at
    assert resumed.train()
    assert resumed.step == whole.step == 5
    torch.testing.assert_close(weights(resumed), weights(whole), rtol=0, atol=0)


def test_a_folder_of_another_plan_is_refused(settings: Settings, tmp_path: Path) -> None:
    args = arguments(tmp_path, "run")
    args.minutes = 0.0
    assert not lora.Run(args, settings).train()
    args.part = args.part[:1]
    with pytest.raises(SystemExit, match="name another --out"):
        lora.Run(args, settings)


def test_its_training_too_leaves_the_smallest_numbers_as_they_were(
    settings: Settings, tmp_path: Path
) -> None:
    killed = Killed(arguments(tmp_path, "run"), settings)
    killed.at = 1
    with pytest.raises(KeyboardInterrupt):
        killed.train()
    assert 5e-324 * 1.0 > 0
