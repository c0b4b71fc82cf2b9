"""Adapters on disk: what is saved is what is loaded, and nothing else passes for an adapter."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from model import checkpoint
from model.backbone import Backbone, Linear
from model.config import L2DConfig
from model.errors import CheckpointError
from model.hf import load_backbone
from model.l2d import FlowPath
from model.prepared import PreparedPath
from tests.tiny import (
    FAMILIES,
    PATH,
    PROMPT,
    last_place,
    random_state,
    stirred_path,
    tiny_backbone,
    tiny_lm,
)

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


def changed(backbone: Backbone, **changes: Any) -> Backbone:
    """The same base with one tensor of its first layer half as large again."""
    first = dataclasses.replace(backbone.layers[0], **changes)
    return dataclasses.replace(backbone, layers=(first, *backbone.layers[1:]))


def test_adapter_on_other_weights_of_the_same_sizes_is_refused_with_both_hashes(
    folder: Path,
) -> None:
    backbone = tiny_backbone()
    other = changed(backbone, norm2=backbone.layers[0].norm2 * 1.5)
    with pytest.raises(CheckpointError) as refused:
        checkpoint.load(folder, other)
    for base in (backbone, other):
        assert checkpoint.fingerprint(base) in str(refused.value)


def test_adapter_without_a_fingerprint_loads_on_any_weights_of_its_sizes(folder: Path) -> None:
    edit(folder / checkpoint.CONFIG, lambda d: d["base"].pop(checkpoint.FINGERPRINT))
    backbone = tiny_backbone()
    checkpoint.load(folder, changed(backbone, norm2=backbone.layers[0].norm2 * 1.5))


@pytest.mark.parametrize("name", FAMILIES)
def test_fingerprint_is_that_of_the_weights_not_of_their_precision(name: str) -> None:
    """A checkpoint in bfloat16 is one base, whether it runs in bfloat16 or in float32."""
    stored = tiny_backbone(name).to(torch.bfloat16)
    assert checkpoint.fingerprint(stored) == checkpoint.fingerprint(stored.to(torch.float32))


def test_fingerprint_does_not_depend_on_the_files(tmp_path: Path) -> None:
    lm = tiny_lm()
    lm.save_pretrained(tmp_path / "one")
    lm.save_pretrained(tmp_path / "many", max_shard_size="10KB")
    assert len(list((tmp_path / "many").glob("*.safetensors"))) > 1
    one, many = (checkpoint.fingerprint(load_backbone(tmp_path / f)) for f in ("one", "many"))
    assert one == many == checkpoint.fingerprint(tiny_backbone())


@pytest.mark.parametrize("name", ["norm1", "norm2", "qkv", "o", "gate_up", "down"])
def test_every_matrix_and_norm_of_a_layer_is_in_the_fingerprint(name: str) -> None:
    backbone = tiny_backbone()
    old = getattr(backbone.layers[0], name)
    new = old * 1.5 if isinstance(old, torch.Tensor) else Linear(old.weight * 1.5, old.bias)
    other = changed(backbone, **{name: new})
    assert checkpoint.fingerprint(other) != checkpoint.fingerprint(backbone)


def test_pretrained_names_give_back_the_same_files(folder: Path, tmp_path: Path) -> None:
    adapter = checkpoint.Adapter.from_pretrained(folder, tiny_backbone())
    adapter.save_pretrained(str(tmp_path / "again"))
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes(), file.name


def test_adapter_in_float32_is_saved_again_without_loss(tmp_path: Path) -> None:
    backbone, path = tiny_backbone(), stirred_path(tiny_backbone())
    base = checkpoint.base_of(backbone)
    checkpoint.write(tmp_path / "exact", path.state_dict(), path.config, base, {})
    checkpoint.Adapter.from_pretrained(tmp_path / "exact", backbone).save_pretrained(tmp_path / "b")
    again = checkpoint.load(tmp_path / "b", backbone).path.state_dict()
    assert all(torch.equal(again[name], weight) for name, weight in path.state_dict().items())


def test_readme_has_the_front_matter_that_hubs_read(tmp_path: Path) -> None:
    backbone = tiny_backbone()
    card: dict[str, Any] = {
        "name": "pilot",
        "summary": "Refines: sums, 'quotes' and all.",
        "licence": "Apache-2.0",
        "base": {"model": "HuggingFaceTB/SmolLM2-135M-Instruct"},
        "datasets": ["a/b"],
    }
    base = checkpoint.base_of(backbone)
    checkpoint.save(tmp_path / "a", stirred_path(backbone), base, card)
    _, front, body = (tmp_path / "a" / checkpoint.README).read_text().split("---\n", 2)
    read = yaml.safe_load(front)
    assert read["license"] == "apache-2.0"
    assert read["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert read["datasets"] == ["a/b"]
    assert "l2d" in read["tags"]
    assert card["summary"] in body


def test_shipped_adapter_says_which_weights_it_belongs_to() -> None:
    shipped = Path(checkpoint.__file__).parent / "adapters" / "pilot"
    described = json.loads((shipped / checkpoint.CONFIG).read_text())
    L2DConfig.from_dict(described["adapter"])
    assert len(bytes.fromhex(described["base"][checkpoint.FINGERPRINT])) == 32
