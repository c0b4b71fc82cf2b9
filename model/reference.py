"""Takes over checkpoints written by the paper's reference code: its names and layout, no more."""

import re
from typing import Any

from torch import Tensor

from model.backbone import Backbone
from model.config import L2DConfig
from model.errors import CheckpointError
from model.hf import build_backbone
from model.l2d import FlowPath

_LM_SETTINGS = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "vocab_size", "rms_norm_eps", "rope_theta", "rope_scaling", "head_dim",
    "max_position_embeddings",
    "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id", "attention_bias",
)  # fmt: skip

_RENAMES = (
    (r"^model\.flow_token_embedder\.embedder\.layers_module\.0\.", "table."),
    (r"^model\.flow_to_lm_encoder\.embedder\.layers_module\.", "entry."),
    (r"^model\.timestep_embedder\.mlp\.", "condition.mlp."),
    (r"^model\.data_label_embedder\.", "condition.class_table."),
    (r"^model\.modulation_head\.mlp\.", "exit."),
    (r"^model\.layers\.(\d+)\.modulation_head\.mlp\.", r"modulation.nets.\1."),
    (r"^model\.layers\.(\d+)\.(?:self_attn|mlp)\.flow_(\w+)_proj\.", r"lora.\1.\2."),
)


def config_of(settings: dict[str, Any]) -> L2DConfig:
    """Our configuration for one of the reference's; classes are named by their number."""
    classes = settings.get("guidance_modulation_num_classes") or 0
    return L2DConfig(
        flow_dim=settings["flow_representation_dim"],
        encoder_dim=settings["flow_to_lm_hidden_size"],
        time_frequencies=settings["timestep_modulation_freq_embedding_size"],
        time_dim=settings["timestep_modulation_hidden_size"],
        lora_rank=settings["flow_lora_rank"],
        lora_alpha=settings["flow_lora_alpha"],
        noise_scale=settings["noise_rescaling"],
        classes=tuple(str(i) for i in range(classes)),
        modulation="per_layer",
    )


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
    lm = {name: settings[name] for name in _LM_SETTINGS if settings.get(name) is not None}
    backbone = build_backbone(settings["family"], lm, weights)
    path = FlowPath(config_of(settings), backbone)
    renamed = path_weights(weights)
    try:
        path.load_state_dict(renamed)
    except RuntimeError as err:
        raise CheckpointError(f"the reference checkpoint does not fit its settings: {err}") from err
    return backbone, path
