"""Small goldens computed by the reference code, for tests/golden. Run in its environment:

python benchmarks/make_goldens.py CHECKOUT tests/golden/reference
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from reference_side import Place, build, state_dict
from safetensors.torch import save_file

LM: dict[str, Any] = {
    "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 80, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "max_position_embeddings": 128, "tie_word_embeddings": False, "bos_token_id": 1,
    "eos_token_id": 2, "pad_token_id": 0, "initializer_range": 0.25,
}  # fmt: skip
PATH: dict[str, Any] = {
    "flow_representation_dim": 12, "flow_to_lm_hidden_size": 16,
    "timestep_modulation_freq_embedding_size": 16, "timestep_modulation_hidden_size": 16,
    "flow_lora_rank": 3, "flow_lora_alpha": 6.0, "noise_rescaling": 64.0,
    "guidance_modulation_num_classes": None, "guidance_modulation_training_dropout": 0.2,
}  # fmt: skip
LONG_ROPE: dict[str, Any] = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
PLAIN: list[dict[str, Any]] = [
    {"method": "euler", "ode_steps": 2},
    {"method": "midpoint", "ode_steps": 8},
    {"method": "euler", "ode_steps": 6, "x1_estimation": "average", "temperature": 1.0},
]
GUIDED: list[dict[str, Any]] = [{"method": "midpoint", "ode_steps": 5, "guidance": 1.5}]
ENDING: list[dict[str, Any]] = [{"method": m, "ode_steps": 5} for m in ("heun2", "heun3", "rk4")]
"""Methods with a stage at t=1, which the reference's Llama takes as zero."""
GOLDENS: dict[str, dict[str, Any]] = {
    "llama_lora": {
        "family": "llama", "weights": "lora", "seed": 31, "labels": [2, 0], "length": 20,
        "lm": LM | {"tie_word_embeddings": True, "rope_scaling": LONG_ROPE},
        "path": PATH | {"guidance_modulation_num_classes": 3}, "cases": PLAIN + GUIDED + ENDING,
    },
    "qwen2_lora": {
        "family": "qwen2", "weights": "lora", "seed": 32, "labels": None, "length": 7,
        "lm": LM | {"num_key_value_heads": 1}, "path": PATH, "cases": PLAIN,
    },
    "llama_full": {
        "family": "llama", "weights": "full", "seed": 33, "labels": [0, 1], "length": 7,
        "lm": LM | {"attention_bias": True, "mlp_bias": True},
        "path": PATH | {"guidance_modulation_num_classes": 2}, "cases": PLAIN + GUIDED,
    },
    "qwen2_full": {
        "family": "qwen2", "weights": "full", "seed": 34, "labels": None, "length": 7,
        "lm": LM | {"tie_word_embeddings": True}, "path": PATH, "cases": PLAIN,
    },
}  # fmt: skip


@torch.no_grad()
def make(golden: dict[str, Any], folder: Path) -> None:
    """Write one golden folder, from its seed alone."""
    model, labels = build(golden), golden["labels"]
    d, vocab = golden["path"]["flow_representation_dim"], golden["lm"]["vocab_size"]
    ids, t = torch.randint(3, vocab, (2, golden["length"])), torch.rand(2, golden["length"])
    x_t = 8 * torch.randn(*t.shape, d)
    x_0 = golden["path"]["noise_rescaling"] * torch.randn(2, 1, d)
    whole = model(
        input_ids=ids,
        timesteps=t,
        flow_representation_embeds=x_t,
        class_labels=None if labels is None else torch.tensor(labels),
        disable_recursive_nstep_call=True,
        return_dict=True,
    )
    table = model.get_flow_representation_for_tokens(torch.arange(vocab))
    tensors = {"input_ids": ids, "forward_t": t, "forward_xt": x_t, "x0": x_0}
    tensors |= {"forward_logits": whole.logits, "token_table": table}
    for i, case in enumerate(golden["cases"]):
        place = Place(model, ids)
        x, logits, times = place.refine(case, x_0, labels)
        tensors |= {f"case{i}.x_final": x.float(), f"case{i}.logits": logits}
        tensors |= {f"case{i}.evaluated": torch.tensor(times)}
        tensors |= {f"case{i}.base_logits": place.base_logits}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(state_dict(model), folder / "reference_state_dict.safetensors")
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "tensors.safetensors")
    config = golden["lm"] | golden["path"] | {"family": golden["family"], "seed": golden["seed"]}
    text = {"config": config, "class_labels": labels, "cases": golden["cases"]}
    (folder / "cases.json").write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    for name, golden in GOLDENS.items():
        make(golden, Path(sys.argv[2]) / name)
