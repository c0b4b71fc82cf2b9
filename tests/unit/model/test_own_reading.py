"""A path that reads for itself: keys and values have its changes; without it, the LM's words."""

import dataclasses
from pathlib import Path

import pytest
import torch

from model import checkpoint
from model.config import L2DConfig, SamplerConfig, Weights
from model.errors import CheckpointError, ConfigError
from model.l2d import FlowPath
from model.prepared import PreparedPath
from model.sampler import Sampler
from model.writing import Recipe
from tests.tiny import (
    CLASSES,
    FAMILIES,
    PATH,
    PROMPT,
    by_row,
    last_place,
    random_state,
    read_prompts,
    row,
    stirred_path,
    tiny_backbone,
    tiny_prepared,
)

BASE = dataclasses.replace(PATH, start="token", carry=True)
OWN = dataclasses.replace(BASE, reading="own")
NO_CLASS = torch.tensor([[len(CLASSES)]])
KINDS: tuple[Weights, ...] = ("lora", "full")


def config_of(kind: Weights) -> L2DConfig:
    return dataclasses.replace(OWN, weights=kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_at_birth_it_reads_as_the_lm(name: str, kind: Weights) -> None:
    backbone = tiny_backbone(name)
    reader = PreparedPath(backbone, FlowPath(config_of(kind), backbone)).reader
    assert reader is not backbone
    ours, cache = read_prompts(reader, torch.tensor([PROMPT]))
    theirs, its = read_prompts(backbone, torch.tensor([PROMPT]))
    assert torch.equal(ours, theirs)
    assert all(map(torch.equal, cache.keys + cache.values, its.keys + its.values))


@pytest.mark.parametrize("kind", KINDS)
def test_its_changes_are_in_keys_and_values_from_the_first_layer_on(kind: Weights) -> None:
    prepared = tiny_prepared(config=config_of(kind))
    _, ours = read_prompts(prepared.reader, torch.tensor([PROMPT]))
    _, theirs = read_prompts(prepared.backbone, torch.tensor([PROMPT]))
    for mine, its in ((ours.keys[0], theirs.keys[0]), (ours.values[0], theirs.values[0])):
        assert (mine - its).abs().max() > 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_merged_it_reads_and_refines_as_in_training(name: str, kind: Weights) -> None:
    backbone = tiny_backbone(name)
    path = stirred_path(backbone, config_of(kind), scale=0.1)
    prepared = PreparedPath(backbone, path)
    once, _ = read_prompts(path.reader(backbone), torch.tensor([PROMPT]))
    merged, _ = read_prompts(prepared.reader, torch.tensor([PROMPT]))
    torch.testing.assert_close(merged, once, atol=1e-4, rtol=1e-4)
    x = torch.randn(1, 3, backbone.shape.hidden)
    for layer, its in zip(path.layers(backbone), prepared.layers, strict=True):
        torch.testing.assert_close(its.q(x), layer.q(x), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(its.gate_up(x), layer.gate_up(x), atol=1e-4, rtol=1e-4)


def test_at_no_evaluation_the_answer_is_the_lms_word_for_word() -> None:
    config = SamplerConfig(0, max_new_tokens=6)
    own, plain = tiny_prepared(config=OWN), tiny_prepared(config=BASE)
    assert not Recipe.of(own, config).own
    ours, theirs = (by_row(list(Sampler(p).generate([row(1)], config))) for p in (own, plain))
    assert ours == theirs


def test_with_evaluations_it_looks_at_what_it_read_itself() -> None:
    config = SamplerConfig(1, max_new_tokens=6)
    own = tiny_prepared(config=OWN)
    assert Recipe.of(own, config).own
    read, base = (last_place(reader, PROMPT) for reader in (own.reader, own.backbone))
    first, second = (own.evaluate(random_state(), 0.6, NO_CLASS, place) for place in (read, base))
    assert (first - second).abs().max() > 0.1


def test_at_time_zero_it_is_its_own_reading_bit_for_bit() -> None:
    prepared = tiny_prepared(config=OWN)
    place = last_place(prepared.reader, PROMPT)
    logits = prepared.evaluate(random_state(), 0.0, NO_CLASS, place)
    assert torch.equal(logits, prepared.backbone.logits(place.hidden))


def test_a_path_that_reads_as_the_lm_does_has_nothing_of_its_own_in_keys_and_values() -> None:
    prepared = tiny_prepared(config=BASE)
    assert prepared.reader is prepared.backbone
    assert not any(".kv." in name for name in prepared.path.state_dict())


def test_it_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    backbone = tiny_backbone()
    path = stirred_path(backbone, OWN)
    base = checkpoint.base_of(backbone)
    checkpoint.write(tmp_path, path.state_dict(), OWN, base, {"name": "own"})
    found = checkpoint.load(tmp_path, backbone).path
    assert found.config == OWN
    assert all(torch.equal(w, path.state_dict()[name]) for name, w in found.state_dict().items())


def test_an_adapter_that_lacks_its_share_of_keys_and_values_is_refused(tmp_path: Path) -> None:
    backbone = tiny_backbone()
    tensors = stirred_path(backbone, BASE).state_dict()
    checkpoint.write(tmp_path, tensors, OWN, checkpoint.base_of(backbone), {"name": "own"})
    with pytest.raises(CheckpointError, match=r"kv\.B"):
        checkpoint.load(tmp_path, backbone)


def test_another_way_to_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="reading must be one of base, own, got 'both'"):
        dataclasses.replace(PATH, reading="both")  # type: ignore[arg-type]
