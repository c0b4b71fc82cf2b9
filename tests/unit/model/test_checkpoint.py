"""Adapters on disk: what is saved is what is loaded, and nothing else passes for an adapter."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from model import checkpoint
from model.errors import CheckpointError
from model.l2d import FlowPath
from model.prepared import PreparedPath
from tests.tiny import PATH, PROMPT, last_place, random_state, stirred_path, tiny_backbone

CARD = {"draws": 12, "name": "petit modèle 小"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    backbone = tiny_backbone()
    base = checkpoint.base_of(backbone)
    checkpoint.save(tmp_path / "adapter", stirred_path(backbone), base, CARD)
    return tmp_path / "adapter"


def edit(file: Path, change: Callable[[Any], object]) -> None:
    described = json.loads(file.read_text())
    change(described)
    file.write_text(json.dumps(described))


def test_saved_adapter_comes_back(folder: Path) -> None:
    backbone = tiny_backbone()
    adapter = checkpoint.load(folder, backbone)
    saved = stirred_path(backbone)
    assert adapter.card == CARD
    assert adapter.path.config == PATH
    assert not any(weight.requires_grad for weight in adapter.path.parameters())
    for name, weight in saved.state_dict().items():
        assert torch.equal(adapter.path.state_dict()[name], weight.bfloat16().float())
    place, label = last_place(backbone, PROMPT), torch.tensor([[0]])
    before, after = (
        PreparedPath(backbone, path).evaluate(random_state(), 0.6, label, place)
        for path in (saved, adapter.path)
    )
    assert (after - before).abs().max() < 0.05 * before.abs().max()


def test_saving_what_was_loaded_changes_nothing(folder: Path, tmp_path: Path) -> None:
    backbone = tiny_backbone()
    adapter = checkpoint.load(folder, backbone)
    checkpoint.save(tmp_path / "again", adapter.path, checkpoint.base_of(backbone), adapter.card)
    again = checkpoint.load(tmp_path / "again", backbone)
    assert again.sha256 == adapter.sha256
    assert sorted(os.listdir(tmp_path / "again")) == sorted(os.listdir(folder))


def test_hash_is_that_of_the_weights(folder: Path) -> None:
    first = checkpoint.load(folder, tiny_backbone()).sha256
    weights = load_file(folder / checkpoint.WEIGHTS)
    weights["table.bias"][0] += 1
    save_file(weights, folder / checkpoint.WEIGHTS)
    assert checkpoint.load(folder, tiny_backbone()).sha256 != first


def _truncate(folder: Path) -> None:
    file = folder / checkpoint.WEIGHTS
    file.write_bytes(file.read_bytes()[:1000])


def _other_shape(folder: Path) -> None:
    weights = load_file(folder / checkpoint.WEIGHTS)
    weights["table.bias"] = torch.zeros(3)
    save_file(weights, folder / checkpoint.WEIGHTS)


def _lacking(folder: Path) -> None:
    weights = load_file(folder / checkpoint.WEIGHTS)
    del weights["table.bias"]
    save_file(weights, folder / checkpoint.WEIGHTS)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no weights": lambda f: (f / checkpoint.WEIGHTS).unlink(),
    "no config": lambda f: (f / checkpoint.CONFIG).unlink(),
    "no card": lambda f: (f / checkpoint.CARD).unlink(),
    "empty weights": lambda f: (f / checkpoint.WEIGHTS).write_bytes(b""),
    "truncated weights": _truncate,
    "weights of another kind": lambda f: (f / checkpoint.WEIGHTS).write_bytes(b"PK\x03\x04" * 99),
    "weights of another shape": _other_shape,
    "a weight lacking": _lacking,
    "config not JSON": lambda f: (f / checkpoint.CONFIG).write_text("adapter: yes"),
    "config not text": lambda f: (f / checkpoint.CONFIG).write_bytes(b"\xff\xfe\x00"),
    "config a list": lambda f: (f / checkpoint.CONFIG).write_text("[1, 2]"),
    "config of another library": lambda f: (f / checkpoint.CONFIG).write_text('{"peft_type": 1}'),
    "adapter a word": lambda f: edit(f / checkpoint.CONFIG, lambda d: d.update(adapter="lora")),
    "unknown setting": lambda f: edit(f / checkpoint.CONFIG, lambda d: d["adapter"].update(x=1)),
    "setting out of range": lambda f: edit(
        f / checkpoint.CONFIG, lambda d: d["adapter"].update(lora_rank=0)
    ),
    "setting of another type": lambda f: edit(
        f / checkpoint.CONFIG, lambda d: d["adapter"].update(flow_dim="wide")
    ),
    "base lacking": lambda f: edit(f / checkpoint.CONFIG, lambda d: d.pop("base")),
    "base size lacking": lambda f: edit(f / checkpoint.CONFIG, lambda d: d["base"].pop("vocab")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_or_foreign_folder_is_refused(folder: Path, damage: str) -> None:
    DAMAGES[damage](folder)
    with pytest.raises(CheckpointError, match=folder.name):
        checkpoint.load(folder, tiny_backbone())


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere"):
        checkpoint.load(tmp_path / "nowhere", tiny_backbone())


def test_adapter_of_another_base_is_refused_with_both_sizes(folder: Path) -> None:
    edit(folder / checkpoint.CONFIG, lambda d: d["base"].update(hidden=576))
    with pytest.raises(CheckpointError, match=r"576.*32"):
        checkpoint.load(folder, tiny_backbone())


def test_saving_again_replaces_the_whole_adapter(folder: Path) -> None:
    backbone = tiny_backbone()
    fresh = FlowPath(PATH, backbone)
    checkpoint.save(folder, fresh, checkpoint.base_of(backbone), {"draws": 0})
    adapter = checkpoint.load(folder, backbone)
    assert adapter.card == {"draws": 0}
    assert not adapter.path.state_dict()["exit.2.weight"].any()
    assert not [name for name in os.listdir(folder) if name.startswith(".")]  # no half files
