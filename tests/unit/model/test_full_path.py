"""A path with whole matrices of its own: born as the LM's, as good as LoRA at birth, trainable."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model import checkpoint
from model.config import L2DConfig
from model.errors import ConfigError
from model.l2d import Context, FlowPath, refine
from model.lora import LoRA
from model.prepared import PreparedPath
from tests.tiny import (
    CLASSES,
    FAMILIES,
    PATH,
    PROMPT,
    last_place,
    random_state,
    stirred_path,
    tiny_backbone,
    tiny_prepared,
)

FULL = dataclasses.replace(PATH, weights="full")
NO_CLASS = torch.tensor([[len(CLASSES)]])


def without_pairs(path: FlowPath) -> dict[str, Tensor]:
    """Everything but what the path has of its own in the layers."""
    return {k: w for k, w in path.state_dict().items() if not k.startswith(("lora.", "full."))}


def state_after(path: FlowPath, place: Context, t: float = 0.6) -> Tensor:
    backbone = tiny_backbone()
    mods = path.modulations(backbone, torch.tensor(t), NO_CLASS[0, 0])
    return refine(backbone, path.layers(backbone), path, random_state(), mods, place)


@pytest.mark.parametrize("name", FAMILIES)
def test_at_birth_whole_matrices_do_what_fresh_pairs_do(name: str) -> None:
    """Everything else stirred, so that the matrices are gone through and not multiplied by 0."""
    backbone = tiny_backbone(name)
    pairs, full = stirred_path(backbone), FlowPath(FULL, backbone)
    full.load_state_dict(without_pairs(pairs), strict=False)
    for pair in pairs.modules():
        if isinstance(pair, LoRA):
            pair.B.zero_()
    place = last_place(backbone, PROMPT)
    one, other = (
        PreparedPath(backbone, path).evaluate(random_state(), 0.6, NO_CLASS, place)
        for path in (pairs, full)
    )
    assert torch.equal(one, other)
    assert (one - backbone.logits(place.hidden)).abs().max() > 0.1


@pytest.mark.parametrize("name", FAMILIES)
def test_at_time_zero_whole_matrices_leave_the_lm_alone(name: str) -> None:
    prepared = tiny_prepared(name, FULL)
    place = last_place(prepared.backbone, PROMPT)
    logits = prepared.evaluate(random_state(), 0.0, NO_CLASS, place)
    assert torch.equal(logits, prepared.backbone.logits(place.hidden))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_inference_uses_the_matrices_as_training_does(dtype: torch.dtype) -> None:
    backbone = tiny_backbone("qwen2, biases").to(dtype)
    path, place = stirred_path(backbone, FULL), last_place(backbone, PROMPT)
    mods = path.modulations(backbone, torch.tensor(0.6), NO_CLASS[0, 0])
    hidden = refine(backbone, path.layers(backbone), path, random_state(), mods, place)
    prepared = PreparedPath(backbone, path).evaluate(random_state(), 0.6, NO_CLASS, place)
    assert prepared.dtype == dtype
    torch.testing.assert_close(backbone.logits(hidden), prepared)


def test_one_training_step_changes_every_matrix_and_never_the_lm() -> None:
    backbone = tiny_backbone()
    path = stirred_path(backbone, FULL).requires_grad_(True)
    place, before = (
        last_place(backbone, PROMPT),
        [layer.o.weight.clone() for layer in backbone.layers],
    )
    optimizer = torch.optim.SGD(path.parameters(), lr=0.1)
    old = {name: weight.clone() for name, weight in path.state_dict().items()}
    first = state_after(path, place)
    first.square().mean().backward()
    optimizer.step()
    for name, weight in path.state_dict().items():
        if name.startswith("full."):
            assert not torch.equal(weight, old[name]), name
    assert not torch.equal(state_after(path, place), first)
    for layer, weight in zip(backbone.layers, before, strict=True):
        assert torch.equal(layer.o.weight, weight)


def test_full_path_comes_back_from_disk(tmp_path: Path) -> None:
    backbone = tiny_backbone("qwen2, biases")
    path = stirred_path(backbone, FULL)
    checkpoint.save(tmp_path / "a", path, checkpoint.base_of(backbone), {})
    again = checkpoint.load(tmp_path / "a", backbone).path
    assert again.config.weights == "full"
    for name, weight in path.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight.bfloat16().float())


def test_unknown_kind_of_weights_is_refused() -> None:
    with pytest.raises(ConfigError, match="lora, full"):
        L2DConfig.from_dict({"weights": "half"})
