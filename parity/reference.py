"""Takes over checkpoints written by the paper's reference code: its names and layout, no more."""

import json
import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from model import checkpoint
from model.backbone import Backbone
from model.config import L2DConfig
from model.errors import CheckpointError
from model.hf import build_backbone
from model.l2d import FlowPath

_LM_SETTINGS = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "vocab_size", "rms_norm_eps", "rope_theta", "rope_scaling", "head_dim",
    "rope_parameters",
    "max_position_embeddings", "hidden_act", "attention_bias", "mlp_bias", "use_sliding_window",
    "sliding_window", "max_window_layers",
    "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
)  # fmt: skip

_RENAMES = (
    (r"^model\.flow_token_embedder\.embedder\.layers_module\.0\.", "table."),
    (r"^model\.flow_to_lm_encoder\.embedder\.layers_module\.", "entry."),
    (r"^model\.timestep_embedder\.mlp\.", "condition.mlp."),
    (r"^model\.data_label_embedder\.", "condition.class_table."),
    (r"^model\.modulation_head\.mlp\.", "exit."),
    (r"^model\.layers\.(\d+)\.modulation_head\.mlp\.", r"modulation.nets.\1."),
    (r"^model\.layers\.(\d+)\.(?:self_attn|mlp)\.flow_(\w+)_proj\.(?=[AB]$)", r"lora.\1.\2."),
    (r"^model\.layers\.(\d+)\.(?:self_attn|mlp)\.flow_(\w+)_proj\.(?=weight|bias)", r"full.\1.\2."),
)
_METHOD = {
    "flow_representation_space": "mapping", "flow_representation_normalize": True,
    "flow_representation_rescaling": "mult", "flow_to_lm_timestep_rescaling": 1.0,
    "preserve_behavior_at_flow_start": True, "freeze_modulation_at_flow_start": False,
    "modulate_hidden_states": False, "full_dit_modulation": True, "separate_flow_params": True,
    "velocity_schedule": "constant",
}  # fmt: skip
"""Choices of the published configurations; the code's others are another method, not ours."""
PUBLISHED = {"noise_rescaling": 64.0, "flow_lora_alpha": 32.0}
"""What no tensor shows. The reference's config.json is the LM's own and does not say them."""


def config_of(settings: dict[str, Any], weights: dict[str, Tensor]) -> L2DConfig:
    """Our configuration for one of the reference's and path weights under our names.

    Sizes are those of the tensors; classes are named by their number.
    """
    for name, value in _METHOD.items():
        if settings.get(name, value) != value:
            raise CheckpointError(f"{name} is {settings[name]}; only {value} can be taken over")
    try:
        pair = weights.get("lora.0.q.A")
        rank = 32 if pair is None else pair.shape[1]  # without pairs it is not used
        alpha = settings["flow_lora_alpha"]
        classes = weights.get("condition.class_table.weight", torch.empty(1)).shape[0] - 1
        return L2DConfig(
            flow_dim=weights["table.weight"].shape[0],
            encoder_dim=weights["entry.0.weight"].shape[0],
            time_frequencies=weights["condition.mlp.0.weight"].shape[1],
            time_dim=weights["condition.mlp.0.weight"].shape[0],
            weights="full" if pair is None else "lora",
            lora_rank=rank,
            lora_alpha=2.0 * rank if alpha in (None, -1) else alpha,
            noise_scale=settings["noise_rescaling"],
            classes=tuple(str(i) for i in range(classes)),
            modulation="per_layer",
        )
    except KeyError as err:
        raise CheckpointError(f"the reference checkpoint lacks {err}") from err


def path_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The path's own tensors under our names; the LM's are left out."""
    out = {}
    for name, tensor in weights.items():
        for pattern, replacement in _RENAMES:
            renamed, found = re.subn(pattern, replacement, name)
            if found:
                out[renamed] = tensor
    return out


def load(settings: dict[str, Any], weights: dict[str, Tensor]) -> tuple[Backbone, FlowPath]:
    """LM and path of one reference checkpoint. Raises CheckpointError naming what does not fit."""
    backbone, renamed = _lm(settings, weights), path_weights(weights)
    path = FlowPath(config_of(settings, renamed), backbone)
    try:
        path.load_state_dict(renamed)
    except RuntimeError as err:
        raise CheckpointError(f"the reference checkpoint does not fit its settings: {err}") from err
    return backbone, path


def take_over(source: Path, out: Path, known: dict[str, Any]) -> L2DConfig:
    """Write the adapter of a reference checkpoint: its tensors bit for bit, in their precision.

    `source` has config.json (or cases.json of a golden) and .safetensors or .bin files, of LM and
    path or of the path alone. `known` is what config.json does not say; else PUBLISHED is assumed.
    The LM's fingerprint is recorded where it is in the file. Raises ModelError.
    """
    settings, weights = _read(source)
    assumed = {k: v for k, v in PUBLISHED.items() if k not in settings | known}
    renamed = path_weights(weights)
    config = config_of(assumed | settings | known, renamed)
    backbone = _lm(settings, weights if "model.embed_tokens.weight" in weights else None)
    with torch.device("meta"):  # shapes are all that is wanted of it
        born = {k: v.shape for k, v in FlowPath(config, backbone).state_dict().items()}
    for name in sorted(born.keys() | renamed.keys()):
        ours = born.get(name, "none of this name")
        theirs = renamed[name].shape if name in renamed else "none of this name"
        if theirs != ours:
            raise CheckpointError(f"{source} has {name} {theirs}, its settings ask for {ours}")
    base = checkpoint.base_of(backbone)
    card = {
        "name": source.name,
        "imported": "a checkpoint of the reference code",
        "assumed": assumed,
    }
    checkpoint.write(out, renamed, config, base, card)
    return config


def _lm(settings: dict[str, Any], weights: dict[str, Tensor] | None) -> Backbone:
    """The LM in the checkpoint's precision; without weights its sizes alone, on no device."""
    lm = {name: settings[name] for name in _LM_SETTINGS if settings.get(name) is not None}
    family = settings.get("family") or settings.get("model_type") or "unknown"
    if weights is None:
        with torch.device("meta"):
            return build_backbone(family, lm, None)
    return build_backbone(family, lm, weights)


def _read(source: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    config, cases = source / "config.json", source / "cases.json"
    try:
        file = config if config.exists() or not cases.exists() else cases
        settings = json.loads(file.read_text())
        settings = settings if file is config else settings["config"]
        weights: dict[str, Tensor] = {}
        for tensors in sorted(source.glob("*.safetensors")):
            weights |= load_file(tensors)
        for tensors in sorted(source.glob("*.bin")):
            read = torch.load(tensors, map_location="cpu", weights_only=True)
            weights |= read.get("model_state_dict", read)
        return dict(settings), {name: w for name, w in weights.items() if isinstance(w, Tensor)}
    except (
        OSError, ValueError, RuntimeError, EOFError, LookupError, AttributeError, TypeError,
        SafetensorError, UnpicklingError,
    ) as err:  # fmt: skip
        raise CheckpointError(f"{source} holds no reference checkpoint: {err!r}") from err
