"""Checkpoints of the reference code: its numbers are ours, and its tensors come over bit for bit.

The folders under reference/ were computed by it: `benchmarks/make_goldens.py`.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.cli import main
from model import checkpoint
from model.errors import CheckpointError, ModelError
from parity import golden, reference

FOLDERS = sorted((Path(__file__).parent / "reference").iterdir())
FULL = next(folder for folder in FOLDERS if folder.name == "llama_full")
LORA = next(folder for folder in FOLDERS if folder.name == "llama_lora")
DTYPES = (torch.float32, torch.bfloat16)


def described(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / golden.CASES).read_text())["config"]
    return config


def source(tmp_path: Path, of: Path, dtype: torch.dtype = torch.float32, lm: bool = True) -> Path:
    """A checkpoint as the reference writes one: the LM's config.json and pytorch_model.bin."""
    weights = {
        name: weight.to(dtype)
        for name, weight in load_file(of / golden.WEIGHTS).items()
        if lm or "flow_" in name or "modulation" in name or "embedder" in name
    }
    if "llama_lora" in of.name:  # its .bin repeats the frozen matrix inside the pair
        weights["model.layers.0.self_attn.flow_q_proj.wrapped_layer.weight"] = torch.zeros(2, 2)
    folder = tmp_path / "theirs"
    folder.mkdir()
    torch.save(weights, folder / "pytorch_model.bin")
    config = described(of) | {"model_type": described(of)["family"]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def path_tensors(folder: Path) -> dict[str, Tensor]:
    return reference.path_weights(load_file(folder / golden.WEIGHTS))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_numbers_of_the_reference_are_reproduced(folder: Path) -> None:
    differences, skipped = golden.check(folder)
    assert skipped == []
    assert [d for d in differences if not d.ok] == []
    assert len(differences) == 2 + 4 * len(json.loads((folder / golden.CASES).read_text())["cases"])


def test_reference_goldens_are_small() -> None:
    assert sum(f.stat().st_size for folder in FOLDERS for f in folder.iterdir()) < 600_000


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_imported_tensors_are_the_reference_s_bit_for_bit(
    folder: Path, dtype: torch.dtype, tmp_path: Path
) -> None:
    reference.take_over(source(tmp_path, folder, dtype), tmp_path / "ours", {})
    ours = load_file(tmp_path / "ours" / checkpoint.WEIGHTS)
    theirs = {name: weight.to(dtype) for name, weight in path_tensors(folder).items()}
    assert ours.keys() == theirs.keys()
    for name, weight in theirs.items():
        assert ours[name].dtype == dtype
        assert torch.equal(ours[name], weight), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_imported_adapter_loads_on_its_base_and_keeps_the_numbers(
    folder: Path, tmp_path: Path
) -> None:
    reference.take_over(source(tmp_path, folder), tmp_path / "ours", {})
    backbone, path = reference.load(described(folder), load_file(folder / golden.WEIGHTS))
    adapter = checkpoint.load(tmp_path / "ours", backbone)
    assert adapter.path.config == path.config
    for name, weight in path.state_dict().items():
        assert torch.equal(adapter.path.state_dict()[name], weight), name


def test_mixed_precision_and_the_wrapper_of_a_training_state_come_over(tmp_path: Path) -> None:
    """The reference keeps its time embedder in float32 beside bfloat16, and may nest tensors."""
    folder = source(tmp_path, LORA, torch.bfloat16)
    weights = torch.load(folder / "pytorch_model.bin")
    name = "model.timestep_embedder.mlp.0.weight"
    weights[name] = load_file(LORA / golden.WEIGHTS)[name]
    torch.save({"model_state_dict": weights}, folder / "pytorch_model.bin")
    reference.take_over(folder, tmp_path / "ours", {})
    ours = load_file(tmp_path / "ours" / checkpoint.WEIGHTS)
    assert torch.equal(ours["condition.mlp.0.weight"], weights[name])
    assert ours["lora.0.q.B"].dtype == torch.bfloat16


def test_path_alone_records_no_fingerprint_and_loads_on_any_weights(tmp_path: Path) -> None:
    reference.take_over(source(tmp_path, LORA, lm=False), tmp_path / "ours", {})
    base = json.loads((tmp_path / "ours" / checkpoint.CONFIG).read_text())["base"]
    assert checkpoint.FINGERPRINT not in base
    weights = load_file(LORA / golden.WEIGHTS)
    weights["model.embed_tokens.weight"] += 1
    checkpoint.load(tmp_path / "ours", reference.load(described(LORA), weights)[0])


def test_whole_checkpoint_records_its_lm_and_is_refused_on_another(tmp_path: Path) -> None:
    reference.take_over(source(tmp_path, LORA), tmp_path / "ours", {})
    weights = load_file(LORA / golden.WEIGHTS)
    weights["model.layers.0.mlp.down_proj.weight"] *= 1.5
    other, _ = reference.load(described(LORA), weights)
    with pytest.raises(CheckpointError, match="fingerprint"):
        checkpoint.load(tmp_path / "ours", other)


def test_what_the_config_does_not_say_is_taken_as_published_and_said(tmp_path: Path) -> None:
    """The reference's own config.json is that of the LM alone."""
    folder = source(tmp_path, LORA)
    config = json.loads((folder / "config.json").read_text())
    kept = {key: value for key, value in config.items() if "flow" not in key and "noise" not in key}
    (folder / "config.json").write_text(json.dumps(kept))
    taken = reference.take_over(folder, tmp_path / "ours", {"noise_rescaling": 32.0})
    assert (taken.noise_scale, taken.lora_alpha, taken.lora_rank) == (32.0, 32.0, 3)
    assert checkpoint.card_of(tmp_path / "ours")["assumed"] == {"flow_lora_alpha": 32.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flow_representation_space", "embedding"),
        ("freeze_modulation_at_flow_start", True),
        ("hidden_size", 32),
        ("num_hidden_layers", 3),
        ("model_type", "gpt2"),
    ],
)
def test_checkpoint_of_another_kind_is_refused_by_name(
    name: str, value: object, tmp_path: Path
) -> None:
    folder = source(tmp_path, LORA, lm=False)
    config = json.loads((folder / "config.json").read_text()) | {name: value}
    config.pop("family")  # the reference's own has model_type alone
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError):
        reference.take_over(folder, tmp_path / "ours", {})
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize("damage", ["no config", "no weights", "torn weights", "a tensor lacking"])
def test_damaged_checkpoint_is_refused(damage: str, tmp_path: Path) -> None:
    folder = source(tmp_path, LORA)
    weights = folder / "pytorch_model.bin"
    if damage == "no config":
        (folder / "config.json").unlink()
    elif damage == "no weights":
        weights.unlink()
    elif damage == "torn weights":
        weights.write_bytes(weights.read_bytes()[:900])
    else:
        tensors = torch.load(weights)
        del tensors["model.layers.1.mlp.flow_up_proj.B"]
        torch.save(tensors, weights)
    with pytest.raises(CheckpointError):
        reference.take_over(folder, tmp_path / "ours", {})
    assert not (tmp_path / "ours").exists()


def test_command_imports_a_folder_and_never_writes_over_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = source(tmp_path, FULL), tmp_path / "ours"
    assert main(["model", "import-reference", str(folder), "--out", str(out)]) == 0
    assert "full path, 2 classes" in capsys.readouterr().out
    assert main(["model", "import-reference", str(folder), "--out", str(out)]) == 1
    assert "exists" in capsys.readouterr().err


def test_golden_folder_itself_can_be_imported(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(LORA, tmp_path / "golden"))
    taken = reference.take_over(copy, tmp_path / "ours", {})
    assert taken.classes == ("0", "1", "2")


def test_extra_tensor_of_the_path_is_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(LORA, tmp_path / "golden"))
    weights = load_file(copy / golden.WEIGHTS)
    weights["model.flow_to_lm_encoder.embedder.layers_module.4.weight"] = torch.zeros(2, 2)
    save_file(weights, copy / golden.WEIGHTS)
    with pytest.raises(CheckpointError, match=r"entry\.4\.weight"):
        reference.take_over(copy, tmp_path / "ours", {})
