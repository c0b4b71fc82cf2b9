"""The backbone is the LM that transformers computes: cached or not, padded or not, any family."""

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from model.backbone import Backbone, causal_mask
from model.errors import WeightsError
from model.hf import build_backbone, load_backbone, read_backbone
from tests.tiny import FAMILIES, PROMPT, lm_settings, read_prompts, tiny_backbone, tiny_lm

IDS = torch.tensor([PROMPT, (9, 1, 77, 54, 20, 3)])


@pytest.mark.parametrize("name", FAMILIES)
def test_logits_are_those_of_transformers(name: str) -> None:
    backbone = tiny_backbone(name)
    hidden, _ = read_prompts(backbone, IDS)
    theirs = tiny_lm(name)(IDS).logits
    torch.testing.assert_close(backbone.logits(hidden), theirs, atol=2e-5, rtol=1e-5)
    assert theirs.std() > 0.1  # a model that says nothing would pass anything


@pytest.mark.parametrize("name", FAMILIES)
def test_cached_token_by_token_equals_all_at_once(name: str) -> None:
    backbone = tiny_backbone(name)
    whole, cache = read_prompts(backbone, IDS)
    stepped = backbone.new_cache(2, IDS.shape[1])
    for i in range(IDS.shape[1]):
        at = torch.full((2, 1), i)
        hidden = backbone.forward(IDS[:, i : i + 1], stepped, at, None)
        torch.testing.assert_close(hidden, whole[:, i : i + 1], atol=2e-5, rtol=1e-4)
    assert stepped.length == cache.length
    for ours, theirs in zip(stepped.keys + stepped.values, cache.keys + cache.values, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


def test_left_padding_does_not_change_a_prompt() -> None:
    backbone, pad = tiny_backbone(), 3
    alone, _ = read_prompts(backbone, IDS[:1])
    padded = torch.cat((torch.full((1, pad), 11), IDS[:1]), dim=1)
    valid = torch.ones_like(padded, dtype=torch.bool)
    valid[:, :pad] = False
    positions = (valid.cumsum(-1) - 1).clamp(min=0)
    cache = backbone.new_cache(1, padded.shape[1])
    hidden = backbone.forward(padded, cache, positions, causal_mask(valid))
    torch.testing.assert_close(hidden[:, pad:], alone, atol=1e-5, rtol=1e-5)
    assert hidden.isfinite().all()  # padding too: no softmax over nothing


def test_bfloat16_stays_close_to_float32() -> None:
    backbone = tiny_backbone()
    exact = backbone.logits(read_prompts(backbone, IDS)[0])
    half = backbone.to(torch.bfloat16)
    rough = half.logits(read_prompts(half, IDS)[0])
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(("name", "tied"), [("llama, tied", True), ("llama, untied", False)])
def test_tied_head_stays_tied_in_another_precision(name: str, tied: bool) -> None:
    half = tiny_backbone(name).to(torch.bfloat16)
    assert (half.head is half.embedding) is tied
    assert half.inv_freq.dtype == torch.float32


def test_family_with_another_layer_is_refused() -> None:
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 32}
    lm = AutoModelForCausalLM.from_config(AutoConfig.for_model("gpt2", **sizes))
    with pytest.raises(WeightsError, match="gpt2"):
        read_backbone(lm)


def test_missing_weights_are_refused_by_name() -> None:
    weights = dict(tiny_lm("llama, untied").state_dict())
    del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(WeightsError, match=r"layers\.1\.mlp\.up_proj"):
        build_backbone(*lm_settings("llama, untied"), weights)


def test_missing_head_is_refused_unless_it_is_tied() -> None:
    def without_head(name: str) -> Backbone:
        weights = tiny_lm(name).state_dict()
        kept = {k: v for k, v in weights.items() if k != "lm_head.weight"}
        return build_backbone(*lm_settings(name), kept)

    assert torch.equal(without_head("llama, tied").head, tiny_backbone("llama, tied").head)
    with pytest.raises(WeightsError, match="lm_head"):
        without_head("llama, untied")


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no base model"):
        load_backbone(tmp_path)
