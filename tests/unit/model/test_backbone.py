"""A backbone read from transformers and moved about; that it computes the LM: test_family_laws."""

from pathlib import Path

import pytest
import torch

from model.errors import WeightsError
from model.hf import load_backbone
from tests.tiny import PROMPT, read_prompts, tiny_backbone

IDS = torch.tensor([PROMPT, (9, 1, 77, 54, 20, 3)])


def test_caches_filled_step_by_step_and_at_once_hold_the_same() -> None:
    backbone = tiny_backbone()
    _, cache = read_prompts(backbone, IDS)
    stepped = backbone.new_cache(2, IDS.shape[1])
    for i in range(IDS.shape[1]):
        backbone.forward(IDS[:, i : i + 1], stepped, torch.full((2, 1), i), None)
    assert stepped.length == cache.length
    for ours, theirs in zip(stepped.keys + stepped.values, cache.keys + cache.values, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


def test_converted_to_bfloat16_it_is_the_one_loaded_in_bfloat16() -> None:
    converted = tiny_backbone().to(torch.bfloat16)
    loaded = tiny_backbone(dtype=torch.bfloat16)
    ours, theirs = (b.logits(read_prompts(b, IDS)[0]) for b in (converted, loaded))
    assert ours.dtype == torch.bfloat16
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("name", "tied"), [("llama, tied", True), ("llama, untied", False)])
def test_tied_head_stays_tied_in_another_precision(name: str, tied: bool) -> None:
    half = tiny_backbone(name).to(torch.bfloat16)
    assert (half.head is half.embedding) is tied
    assert half.inv_freq.dtype == torch.float32


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no base model"):
        load_backbone(tmp_path)
