"""Makes the regression golden: our own numbers of today, in the format of the reference's goldens.

It proves nothing about the method; it says when our numbers change. Run it only when they should:
`python -m tests.golden.make_golden`, and read what changed in `cases.json`.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from model.config import L2DConfig
from model.hf import read_backbone
from model.l2d import FlowPath
from parity import golden, reference

SEED: Final = 250115781
"""The paper's number on arXiv."""
FOLDER: Final = Path(__file__).parent / "regression"
LM: Final[dict[str, Any]] = {
    "hidden_size": 24,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
PATH: Final[dict[str, Any]] = {
    "flow_representation_dim": 12,
    "flow_to_lm_hidden_size": 16,
    "timestep_modulation_freq_embedding_size": 16,
    "timestep_modulation_hidden_size": 16,
    "flow_lora_rank": 2,
    "flow_lora_alpha": 4.0,
    "noise_rescaling": 32.0,
    "guidance_modulation_num_classes": 2,
}
SHAPE: Final = L2DConfig(
    flow_dim=PATH["flow_representation_dim"],
    encoder_dim=PATH["flow_to_lm_hidden_size"],
    time_frequencies=PATH["timestep_modulation_freq_embedding_size"],
    time_dim=PATH["timestep_modulation_hidden_size"],
    lora_rank=PATH["flow_lora_rank"],
    classes=("0", "1"),
    modulation="per_layer",
)
SETTINGS: Final = {"family": "llama"} | LM | PATH
ADAPTIVE: Final[dict[str, Any]] = {
    "ode_steps": 2, "atol": 0.1, "rtol": 0.1, "x1_estimation": "average", "temperature": 1.0,
}  # fmt: skip
CASES: Final[list[dict[str, Any]]] = [
    {"method": "euler", "ode_steps": 2},
    {"method": "euler", "ode_steps": 6, "guidance": 2.0},
    {"method": "midpoint", "ode_steps": 8},
    {"method": "midpoint", "ode_steps": 5, "guidance": 1.0},
    {"method": "midpoint", "ode_steps": 4, "x1_estimation": "average", "temperature": 0.7},
    {"method": "bosh3", **ADAPTIVE, "atol": 0.05, "rtol": 0.05},
    {"method": "adaptive_heun", **ADAPTIVE},
]
LABELS: Final = [0, 1]
_PATH_NAMES: Final = {
    "table": "model.flow_token_embedder.embedder.layers_module.0",
    "entry": "model.flow_to_lm_encoder.embedder.layers_module",
    "condition.mlp": "model.timestep_embedder.mlp",
    "condition.class_table": "model.data_label_embedder",
    "exit": "model.modulation_head.mlp",
}


def make(folder: Path) -> None:
    """Write the folder whole, from SEED alone."""
    torch.manual_seed(SEED)
    weights = _random_weights()
    backbone, path = reference.load(SETTINGS, weights)
    inputs = _inputs()
    with torch.no_grad():
        replay = golden.Replay(backbone, path, inputs, LABELS)
        tensors, described = inputs | replay.whole(), []
        for i, case in enumerate(CASES):
            ours = replay.case(case)
            tensors |= {f"case{i}.{key}": value.float() for key, value in ours.items()}
            described.append(case | _readable(ours))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_file(weights, folder / golden.WEIGHTS)
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / golden.TENSORS)
    text = {"config": SETTINGS, "seed": SEED, "class_labels": LABELS, "cases": described}
    (folder / golden.CASES).write_text(json.dumps(text, indent=1) + "\n")


def _random_weights() -> dict[str, Tensor]:
    """LM and path under the reference's names, all random."""
    lm = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **LM))
    path = FlowPath(SHAPE, read_backbone(lm))
    weights = {k: 0.25 * torch.randn_like(w) for k, w in lm.state_dict().items()}
    for name in weights:
        if "norm" in name:
            weights[name] += 1
    return weights | {_name(k): 0.5 * torch.randn_like(w) for k, w in path.state_dict().items()}


def _name(key: str) -> str:
    """The reference's name of one of our path's tensors."""
    for ours, theirs in _PATH_NAMES.items():
        if key.startswith(f"{ours}."):
            return theirs + key[len(ours) :]
    kind, layer, rest = key.replace("modulation.nets", "nets").split(".", 2)
    if kind == "nets":
        return f"model.layers.{layer}.modulation_head.mlp.{rest}"
    matrix, side = rest.split(".")
    part = "self_attn" if matrix in ("q", "o") else "mlp"
    return f"model.layers.{layer}.{part}.flow_{matrix}_proj.{side}"


def _inputs() -> dict[str, Tensor]:
    d = SETTINGS["flow_representation_dim"]
    return {
        "input_ids": torch.randint(3, SETTINGS["vocab_size"], (2, 7)),
        "forward_t": torch.rand(2, 7),
        "forward_xt": torch.randn(2, 7, d) * 8,
        "x0": torch.randn(2, 1, d) * SETTINGS["noise_rescaling"],
    }


def _readable(ours: dict[str, Tensor]) -> dict[str, Any]:
    """What a person reviewing a change can read."""
    return {
        "evaluations": len(ours["evaluated"]),
        "argmax": ours["logits"][:, 0].argmax(-1).tolist(),
        "base_argmax": ours["base_logits"][:, 0].argmax(-1).tolist(),
    }


if __name__ == "__main__":
    make(FOLDER)
