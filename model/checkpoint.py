"""An adapter on disk: adapter.safetensors, config.json, card.json. Written whole or not at all.

The hash of the weights names the adapter everywhere: answers, measurements and reports carry it.
README.md is the card as model hubs show it, so the folder can be uploaded as it is.
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
from torch import Tensor

from model.backbone import Backbone
from model.config import L2DConfig
from model.errors import CheckpointError, ConfigError
from model.l2d import FlowPath

STATE_KEYS = {"path", "optimizer", "step", "draws", "adapter", "batch_size", "seed"}
WEIGHTS, CONFIG, CARD = "adapter.safetensors", "config.json", "card.json"
README, FINGERPRINT = "README.md", "fingerprint"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A path read from a folder, its base, its card, and the SHA-256 of its weights file."""

    path: FlowPath
    base: dict[str, Any]
    card: dict[str, Any]
    sha256: str

    @classmethod
    def from_pretrained(cls, folder: str | Path, backbone: Backbone) -> "Adapter":
        """As load()."""
        return load(Path(folder), backbone)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write it again, bit for bit."""
        tensors = {name: _narrowest(w) for name, w in self.path.state_dict().items()}
        write(Path(folder), tensors, self.path.config, self.base, self.card)


def save(folder: Path, path: FlowPath, base: dict[str, Any], card: dict[str, Any]) -> None:
    """Write an adapter in bfloat16. `base` says what it was trained on; load() checks it."""
    tensors = {name: w.bfloat16() for name, w in path.state_dict().items()}
    write(folder, tensors, path.config, base, card)


def write(
    folder: Path,
    tensors: dict[str, Tensor],
    config: L2DConfig,
    base: dict[str, Any],
    card: dict[str, Any],
) -> None:
    """Write an adapter's tensors in the precision they have."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f".{WEIGHTS}.new"
    save_file({name: w.detach().cpu().contiguous() for name, w in tensors.items()}, weights)
    write_json(folder / CONFIG, {"adapter": config.to_dict(), "base": base})
    write_json(folder / CARD, card)
    _replace(folder / README, _readme(card))
    os.replace(weights, folder / WEIGHTS)


def load(folder: Path, backbone: Backbone) -> Adapter:
    """Raises CheckpointError where the folder is no adapter, or one for another base.

    A base of other sizes is refused, and one of other weights where the adapter says its own.
    """
    try:
        described = json.loads((folder / CONFIG).read_text())
        card = card_of(folder)
        tensors = load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as err:
        raise CheckpointError(f"{folder} is not an adapter: {err}") from err
    ours = base_of(backbone)
    try:
        config, base = L2DConfig.from_dict(described["adapter"]), described["base"]
        theirs = {FINGERPRINT: None} | base
        wrong = [key for key in ours if theirs[key] not in (None, ours[key])]
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as err:
        raise CheckpointError(f"{folder / CONFIG} describes no adapter: {err!r}") from err
    if wrong:
        raise CheckpointError(
            f"the adapter in {folder} was trained on another base model: "
            + ", ".join(f"{key} {theirs[key]}, here {ours[key]}" for key in wrong)
        )
    path = FlowPath(config, backbone)
    try:
        path.load_state_dict({k: v.float() for k, v in tensors.items()})
    except RuntimeError as err:
        raise CheckpointError(f"the weights in {folder} do not fit its config: {err}") from err
    path.requires_grad_(False)
    return Adapter(path.to(backbone.device), base, card, sha256_of(folder / WEIGHTS))


def card_of(folder: Path) -> dict[str, Any]:
    """What the adapter was trained on and how, without its weights. Raises CheckpointError."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text())
    except (OSError, ValueError) as err:
        raise CheckpointError(f"{folder} is not an adapter: {err}") from err
    return card


def base_of(backbone: Backbone) -> dict[str, Any]:
    """What an adapter depends on: sizes, and the weights' fingerprint where they are at hand."""
    s = backbone.shape
    sizes = {"vocab": s.vocab, "hidden": s.hidden, "layers": s.layers, "heads": s.heads}
    sizes["mlp"] = s.mlp
    return sizes if backbone.device.type == "meta" else sizes | {FINGERPRINT: fingerprint(backbone)}


def fingerprint(backbone: Backbone) -> str:
    """SHA-256 over 256 or more evenly spaced entries of every matrix and norm, as bfloat16.

    The same for any file layout and for float32 or bfloat16, and read in milliseconds; another one
    for a model trained further. It tells base models apart, it does not prove that none was forged.
    """
    digest = hashlib.sha256()
    tensors = [backbone.embedding, backbone.norm, backbone.head]
    for layer in backbone.layers:
        tensors += [layer.norm1, layer.qkv.weight, layer.o.weight]
        tensors += [layer.norm2, layer.gate_up.weight, layer.down.weight]
    for tensor in tensors:
        few = tensor.detach().flatten()[:: max(1, tensor.numel() // 256)].bfloat16()
        digest.update(bytes(few.cpu().contiguous().view(torch.uint8).tolist()))
    return digest.hexdigest()


def sha256_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_json(file: Path, value: Any) -> None:
    """Whole or not at all, so that a crash never leaves half a file."""
    _replace(file, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    os.replace(new, file)


def _narrowest(weight: Tensor) -> Tensor:
    """In bfloat16 where that holds it bit for bit."""
    half = weight.bfloat16()
    return half if torch.equal(half.float(), weight) else weight


def _readme(card: dict[str, Any]) -> str:
    """The card with the front matter that hubs read. JSON values are YAML values."""
    base = card.get("base", {})
    front = {
        "license": str(card.get("licence", "")).lower(),
        "base_model": base.get("model"),
        "datasets": card.get("datasets"),
        "library_name": "l2d-pilot",
        "pipeline_tag": "text-generation",
        "tags": ["l2d", "diffusion", "adapter"],
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in front.items() if value]
    told = {"summary": "", "trained_on": "Trained on: ", "not_for": "Not for: "}
    text = "\n\n".join(f"{lead}{card[key]}" for key, lead in told.items() if key in card)
    whole = json.dumps(card, indent=1, ensure_ascii=False)
    return (
        "---\n" + "\n".join(lines) + f"\n---\n# {card.get('name', 'L2D adapter')}\n\n{text}\n\n"
        "An L2D diffusion path (arXiv 2501.15781) for the frozen base model named above. Read it\n"
        f"with `Adapter.from_pretrained(folder, backbone)`.\n\n```json\n{whole}\n```\n"
    )


def save_state(file: Path, state: dict[str, Any]) -> None:
    """A training state (path, optimiser, counters), whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    torch.save(state, new)
    os.replace(new, file)


def load_state(file: Path) -> dict[str, Any]:
    """A training state. Raises CheckpointError where the file is damaged or something else."""
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, UnpicklingError) as err:
        raise CheckpointError(f"{file} is no training state, or a damaged one: {err!r}") from err
    lacking = STATE_KEYS - set(state if isinstance(state, dict) else ())
    if lacking:
        raise CheckpointError(f"{file} is no training state: it lacks {', '.join(sorted(lacking))}")
    return cast(dict[str, Any], state)
