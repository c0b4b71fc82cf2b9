"""An adapter on disk: adapter.safetensors, config.json, card.json. Written whole or not at all.

The hash of the weights names the adapter everywhere: answers, measurements and reports carry it.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.backbone import Backbone
from model.config import L2DConfig
from model.errors import CheckpointError, ConfigError
from model.l2d import FlowPath

STATE_KEYS = {"path", "optimizer", "generator", "step", "draws", "adapter", "batch_size", "seed"}
WEIGHTS, CONFIG, CARD = "adapter.safetensors", "config.json", "card.json"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A path read from a folder, its card, and the SHA-256 of its weights file."""

    path: FlowPath
    card: dict[str, Any]
    sha256: str


def save(folder: Path, path: FlowPath, base: dict[str, Any], card: dict[str, Any]) -> None:
    """Write an adapter in bfloat16. `base` says what it was trained on; load() checks it."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f".{WEIGHTS}.new"
    tensors = {k: v.detach().cpu().bfloat16().contiguous() for k, v in path.state_dict().items()}
    save_file(tensors, weights)
    write_json(folder / CONFIG, {"adapter": path.config.to_dict(), "base": base})
    write_json(folder / CARD, card)
    os.replace(weights, folder / WEIGHTS)


def load(folder: Path, backbone: Backbone) -> Adapter:
    """Raises CheckpointError where the folder is no adapter, or one for a base of another shape."""
    try:
        described = json.loads((folder / CONFIG).read_text())
        card = card_of(folder)
        tensors = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as err:
        raise CheckpointError(f"{folder} is not an adapter: {err}") from err
    ours = base_of(backbone)
    try:
        config = L2DConfig.from_dict(described["adapter"])
        theirs = {key: described["base"][key] for key in ours}
    except (ConfigError, KeyError, TypeError, AttributeError) as err:
        raise CheckpointError(f"{folder / CONFIG} describes no adapter: {err!r}") from err
    if theirs != ours:
        raise CheckpointError(
            f"the adapter in {folder} was trained on {theirs}, the base model is {ours}"
        )
    path = FlowPath(config, backbone)
    try:
        path.load_state_dict({k: v.float() for k, v in tensors.items()})
    except RuntimeError as err:
        raise CheckpointError(f"the weights in {folder} do not fit its config: {err}") from err
    path.requires_grad_(False)
    return Adapter(path.to(backbone.device), card, sha256_of(folder / WEIGHTS))


def card_of(folder: Path) -> dict[str, Any]:
    """What the adapter was trained on and how, without its weights. Raises CheckpointError."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text())
    except (OSError, ValueError) as err:
        raise CheckpointError(f"{folder} is not an adapter: {err}") from err
    return card


def base_of(backbone: Backbone) -> dict[str, int]:
    """The sizes an adapter depends on."""
    s = backbone.shape
    return {
        "vocab": s.vocab,
        "hidden": s.hidden,
        "layers": s.layers,
        "heads": s.heads,
        "mlp": s.mlp,
    }


def sha256_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_json(file: Path, value: Any) -> None:
    """Whole or not at all, so that a crash never leaves half a file."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    os.replace(new, file)


def save_state(file: Path, state: dict[str, Any]) -> None:
    """A training state (path, optimiser, counters), whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    torch.save(state, new)
    os.replace(new, file)


def load_state(file: Path) -> dict[str, Any]:
    """A training state. Raises CheckpointError where the file is damaged or something else."""
    try:
        state = torch.load(file, weights_only=True)
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, UnpicklingError) as err:
        raise CheckpointError(f"{file} is no training state, or a damaged one: {err!r}") from err
    lacking = STATE_KEYS - set(state if isinstance(state, dict) else ())
    if lacking:
        raise CheckpointError(f"{file} is no training state: it lacks {', '.join(sorted(lacking))}")
    return cast(dict[str, Any], state)
