"""Which models are taken, which are refused before their numbers would be wrong, and how to add."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from model.errors import WeightsError
from model.families import FAMILIES
from model.hf import build_backbone, load_backbone, read_backbone
from tests.tiny import PROMPT, WINDOW, lm_settings, read_prompts, tiny_backbone, tiny_lm

_ROPE: dict[str, Any] = {"rope_theta": 10000.0, "factor": 2.0}
_LONGROPE = _ROPE | {
    "short_factor": [1.0] * 4, "long_factor": [2.0] * 4, "original_max_position_embeddings": 64,
}  # fmt: skip
STRANGE: dict[str, tuple[str, dict[str, Any]]] = {
    "hidden_act 'gelu'": ("llama, tied", {"hidden_act": "gelu"}),
    "rope_type 'dynamic'": ("llama, tied", {"rope_parameters": _ROPE | {"rope_type": "dynamic"}}),
    "rope_type 'longrope'": ("mistral", {"rope_parameters": _LONGROPE | {"rope_type": "longrope"}}),
    "partial_rotary_factor 0.5": (
        "qwen2, biases",
        {"rope_parameters": _ROPE | {"rope_type": "linear", "partial_rotary_factor": 0.5}},
    ),
}
"""What the message must name: a tiny LM and the settings that make it another model."""


@pytest.mark.parametrize("family", ["gemma2", "gemma3_text", "gpt2", "phi3", "olmo2", "granite"])
def test_other_family_is_refused_before_its_weights_are_read(family: str, tmp_path: Path) -> None:
    """Post-norms, capped logits, scaled residuals: their layers would be computed wrongly."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    with pytest.raises(WeightsError) as refusal:
        load_backbone(tmp_path)  # there are no weights: had it looked for them, it would say so
    for name in (repr(family), *FAMILIES):
        assert name in str(refusal.value)


@pytest.mark.parametrize("settings", [{"model_type": "not-yet-invented"}, {"hidden_size": 8}])
def test_unknown_family_is_refused_by_its_name(settings: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(WeightsError, match=rf"{settings.get('model_type')}.*smollm3"):
        load_backbone(tmp_path)


def test_model_of_another_family_is_refused() -> None:
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 32}
    lm = AutoModelForCausalLM.from_config(AutoConfig.for_model("gpt2", **sizes))
    with pytest.raises(WeightsError, match="gpt2"):
        read_backbone(lm)
    with pytest.raises(WeightsError, match="gpt2"):
        build_backbone("gpt2", sizes, {})


@pytest.mark.parametrize("named", STRANGE)
def test_known_family_with_a_setting_we_do_not_compute_is_refused(named: str) -> None:
    name, changes = STRANGE[named]
    family, settings = lm_settings(name)
    lm = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **settings | changes))
    with pytest.raises(WeightsError, match=named):
        read_backbone(lm)


def test_quantised_model_is_refused() -> None:
    family, settings = lm_settings("llama, tied")
    lm = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **settings))
    lm.config.quantization_config = {"quant_method": "gptq", "bits": 4}
    with pytest.raises(WeightsError, match=r"quantization_config.*gptq"):
        read_backbone(lm)


def test_windows_and_rotations_are_those_of_the_config() -> None:
    def layers(name: str) -> list[tuple[int | None, bool]]:
        half = tiny_backbone(name).to(torch.bfloat16)
        return [(layer.window, layer.rotary) for layer in half.layers]

    assert layers("llama, tied") == [(None, True)] * 2
    assert layers("mistral, window") == [(WINDOW, True)] * 2
    assert layers("qwen2, window in the last layer") == [(None, True), (WINDOW, True)]
    assert layers("qwen3, window in the first layer") == [(WINDOW, True), (None, True)]
    assert layers("smollm3, a layer without rotation") == [(None, True), (None, False)]


def test_new_family_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    _, settings = lm_settings("mistral, window")
    layers = {"layer_types": ["sliding_attention", "full_attention"], "head_dim": 8}
    torch.manual_seed(1)
    lm = AutoModelForCausalLM.from_config(AutoConfig.for_model("ministral", **settings | layers))
    with pytest.raises(WeightsError, match="ministral"):
        read_backbone(lm)
    monkeypatch.setitem(FAMILIES, "ministral", FAMILIES["qwen2"])
    backbone, ids = read_backbone(lm.eval().requires_grad_(False)), torch.tensor([PROMPT])
    ours = backbone.logits(read_prompts(backbone, ids)[0])
    torch.testing.assert_close(ours, lm(ids).logits, atol=2e-5, rtol=1e-5)


def test_weights_that_are_missing_are_refused_by_name() -> None:
    weights = dict(tiny_lm("llama, untied").state_dict())
    del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(WeightsError, match=r"layers\.1\.mlp\.up_proj"):
        build_backbone(*lm_settings("llama, untied"), weights)


def test_missing_head_is_refused_unless_it_is_tied() -> None:
    for name, tied in (("llama, tied", True), ("llama, untied", False)):
        weights = {k: v for k, v in tiny_lm(name).state_dict().items() if k != "lm_head.weight"}
        if tied:
            built = build_backbone(*lm_settings(name), weights)
            assert torch.equal(built.head, tiny_backbone(name).head)
        else:
            with pytest.raises(WeightsError, match="lm_head"):
                build_backbone(*lm_settings(name), weights)
