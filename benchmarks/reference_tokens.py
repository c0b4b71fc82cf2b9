"""Tokens of ours and of the reference code, from the same weights, prompt, noise and solver.

Ours runs here; the reference in the environment of --python (transformers 4.46). See README.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from model.config import SamplerConfig
from model.prepared import PreparedPath
from model.sampler import Row, Sampler, Token
from model.solvers import Grid
from parity import reference

SIDE = Path(__file__).parent / "reference_side.py"
SMALL: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 320, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "max_position_embeddings": 512, "tie_word_embeddings": True, "initializer_range": 0.2,
    "bos_token_id": None, "eos_token_id": None, "pad_token_id": 0,
}  # fmt: skip
SMOLLM: dict[str, Any] = {
    "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "rms_norm_eps": 1e-5,
    "rope_theta": 100000.0, "max_position_embeddings": 8192, "tie_word_embeddings": True,
    "bos_token_id": 1, "eos_token_id": None, "pad_token_id": 0,
}  # fmt: skip
PATH: dict[str, Any] = {
    "flow_representation_dim": 24, "flow_to_lm_hidden_size": 32,
    "timestep_modulation_freq_embedding_size": 32, "timestep_modulation_hidden_size": 32,
    "flow_lora_rank": 4, "flow_lora_alpha": 8.0, "noise_rescaling": 64.0,
    "guidance_modulation_num_classes": 3, "guidance_modulation_training_dropout": 0.2,
}  # fmt: skip
PUBLISHED = PATH | {
    "flow_representation_dim": 256, "flow_to_lm_hidden_size": 256,
    "timestep_modulation_freq_embedding_size": 256, "timestep_modulation_hidden_size": 256,
    "flow_lora_rank": 32, "flow_lora_alpha": 32.0,
}  # fmt: skip
CASES: list[dict[str, Any]] = [
    {"method": "euler", "ode_steps": 9},
    {"method": "midpoint", "ode_steps": 8},
    {"method": "midpoint", "ode_steps": 8, "guidance": 1.5, "label": 1},
    {"method": "euler", "ode_steps": 9, "x1_estimation": "average", "temperature": 1.0},
]
FEW: list[dict[str, Any]] = [
    {"method": "euler", "ode_steps": 3},
    {"method": "midpoint", "ode_steps": 2, "guidance": 1.5, "label": 1},
]
"""For the real base LM: the reference builds R from 49 thousand rows at every evaluation."""


def jobs(base: str | None) -> dict[str, dict[str, Any]]:
    prompt = [5, 17, 42, 8, 63, 30, 121, 250]
    small = {"lm": SMALL, "path": PATH, "prompt": prompt, "cases": CASES, "weights": "lora"}
    out = {
        "llama, LoRA": small | {"family": "llama", "seed": 1},
        "llama, whole matrices": small | {"family": "llama", "seed": 2, "weights": "full"},
        "qwen2, LoRA": small | {"family": "qwen2", "seed": 3},
    }
    if base:
        real = small | {"lm": SMOLLM, "path": PUBLISHED, "cases": FEW, "base": base}
        out["SmolLM2-135M-Instruct, random path"] = real | {"family": "llama", "seed": 4}
    return out


class Recording(PreparedPath):
    """Keeps the x_0 that every token started from, to be handed to the reference."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.noises: list[Tensor] = []

    def noise(self, generator: torch.Generator) -> Tensor:
        drawn = super().noise(generator)
        self.noises.append(drawn[0].float())
        return drawn


def ours(
    job: dict[str, Any], prepared: Recording, case: dict[str, Any], tokens: int
) -> list[Token]:
    """Our sampler's tokens for one case; the noise is that of its own generator."""
    guidance, points = case.get("guidance", 1.0), case["ode_steps"]
    config = SamplerConfig(
        method=case["method"],
        points=points,
        max_nfe=Grid(case["method"], points, 1 if guidance == 1.0 else 2).nfe,
        guidance=guidance,
        estimate=case.get("x1_estimation", "argmax"),
        temperature=case.get("temperature", 1.0),
        max_new_tokens=tokens,
    )
    label = str(case["label"]) if "label" in case else None
    row = Row(tuple(job["prompt"]), seed=job["seed"], label=label)
    return list(Sampler(prepared).generate([row], config))


def compare(job: dict[str, Any], checkout: str, python: str, tokens: int) -> list[str]:
    """A line for each case of a job."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job))
        side = [python, str(SIDE), checkout, str(folder)]
        subprocess.run([*side, "make"], check=True, capture_output=True)
        settings = job["lm"] | job["path"] | {"family": job["family"]}
        weights = load_file(folder / "weights.safetensors")
        backbone, path = reference.load(settings, weights)
        # the reference's loop does not end at an end mark: 64 tokens are 64 tokens
        prepared = Recording(replace(backbone, eos_ids=frozenset()), path)
        mine, noise = list[list[Token]](), dict[str, Tensor]()
        for i, case in enumerate(job["cases"]):
            prepared.noises = []
            mine.append(ours(job, prepared, case, tokens))
            noise[str(i)] = torch.stack(prepared.noises)
        save_file(noise, folder / "noise.safetensors")
        subprocess.run([*side, "run"], check=True, capture_output=True)
        theirs = json.loads((folder / "reference.json").read_text())
    return [_line(*rows) for rows in zip(job["cases"], mine, theirs, strict=True)]


def _line(case: dict[str, Any], mine: list[Token], theirs: list[int]) -> str:
    equal = sum(token.id == id_ for token, id_ in zip(mine, theirs, strict=True))
    changed = sum(token.id != token.base_id for token in mine)
    return f"{equal} of {len(theirs)} equal, {changed} not the base LM's   {json.dumps(case)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="a checkout of SakanaAI/L2D")
    parser.add_argument("--python", required=True, help="the python of its environment")
    parser.add_argument("--base", help="folder of SmolLM2-135M-Instruct, to run on it too")
    parser.add_argument("--tokens", type=int, default=64)
    args = parser.parse_args()
    for name, job in jobs(args.base).items():
        sys.stdout.write(f"{name}\n")
        for line in compare(job, args.reference, args.python, args.tokens):
            sys.stdout.write(f"  {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
