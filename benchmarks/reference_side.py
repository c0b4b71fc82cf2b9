"""The reference code at work, in its own environment: models, a case, a generation. Not ours.

Imports the checkout of SakanaAI/L2D whose path stands first in sys.argv; needs transformers 4.46.
As a program it answers a job of reference_tokens.py: CHECKOUT FOLDER make|run.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

import torch
from flow_llms.llama import FlowLlamaForCausalLM
from flow_llms.qwen2 import FlowQwen2ForCausalLM
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    DynamicCache,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

CLASSES = {
    "llama": (LlamaConfig, LlamaForCausalLM, FlowLlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, FlowQwen2ForCausalLM),
}
PUBLISHED: dict[str, Any] = {
    "base_params_to_freeze": "all",
    "flow_representation_space": "mapping",
    "flow_representation_num_layers": 1,
    "flow_representation_normalize": True,
    "flow_representation_rescaling": "mult",
    "flow_to_lm_translation_depth": 2,
    "flow_to_lm_timestep_rescaling": 1.0,
    "flow_to_lm_rescale_in_float32": True,
    "preserve_behavior_at_flow_start": True,
    "modulate_hidden_states": False,
    "full_dit_modulation": True,
    "timestep_modulation_num_layers": 2,
    "freeze_modulation_at_flow_start": False,
    "separate_flow_params": True,
    "nstep_x1_estimation": "sample",
    "nstep_temperature_schedule": 0.0,
}
"""What all its published configurations have in common."""
STIRRED = {  # the part of a tensor's name, and how far its random weights spread
    "timestep_embedder": 0.3,
    "data_label_embedder": 0.3,
    "modulation_head.mlp.2": 0.15,
    "_proj.B": 0.3,
}


def build(job: dict[str, Any]) -> Any:
    """A model of the job's settings in float32: random from its seed, or the base LM it names."""
    config, lm_class, flow_class = CLASSES[job["family"]]
    torch.manual_seed(job["seed"])
    lm = lm_class(config(**job["lm"], attn_implementation="sdpa"))
    if job.get("base"):
        lm.load_state_dict(load_file(Path(job["base"]) / "model.safetensors"), strict=False)
        lm.tie_weights()
    else:
        with torch.no_grad():
            for weight in lm.parameters():
                if weight.dim() == 1:  # norms and biases, so that none can be forgotten
                    weight.add_(0.2 * torch.randn_like(weight))
    lora = job["weights"] == "lora"
    model = flow_class(lm, separate_flow_params_with_lora=lora, **PUBLISHED, **job["path"])
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = [s for part, s in STIRRED.items() if part in name]
            if spread:
                weight.copy_(spread[0] * torch.randn_like(weight))
            elif not lora and "flow_" in name and "_proj" in name:
                weight.add_(0.1 * torch.randn_like(weight))
    return model.eval()


def state_dict(model: Any) -> dict[str, Tensor]:
    """Its tensors, each once."""
    tied = model.config.tie_word_embeddings
    return {
        name: weight.contiguous()
        for name, weight in model.state_dict().items()
        if "wrapped_layer" not in name and not (tied and name == "lm_head.weight")
    }


class Place:
    """What the LM leaves for the token after `ids` (B, S), going on from an earlier place."""

    def __init__(self, model: Any, ids: Tensor, before: "Place | None" = None) -> None:
        self.model, self.last = model, ids[:, -1:]
        self.cache = before.cache if before else DynamicCache()
        out = model(
            input_ids=ids,
            use_cache=True,
            past_key_values=self.cache,
            output_cached_final_hidden_states=True,
            disable_recursive_nstep_call=True,
            return_dict=True,
        )
        self.hidden = out.cached_final_hidden_states[:, -1:]
        self.base_logits = out.logits[:, -1:]

    def refine(
        self, case: dict[str, Any], x_0: Tensor, labels: list[int] | None
    ) -> tuple[Tensor, Tensor, list[float]]:
        """x at t=1, the read-out's logits, the times at which its velocity was evaluated."""
        guided = "guidance" in case
        classes = torch.tensor(labels) if guided else None
        ode = {"method": case["method"], "atol": case.get("atol"), "rtol": case.get("rtol")}
        if case.get("rtol"):
            ode["options"] = {"first_step": 0.05}
        out = self._watched(guided).nstep_inference(
            input_ids=self.last,
            past_key_values=self.cache,
            cached_final_hidden_states=self.hidden,
            class_labels=classes,
            initial_flow_representation_embeds=x_0,
            ode_kwargs=ode,
            ode_steps=case["ode_steps"],
            only_last_token_prediction=True,
            x1_estimation=case.get("x1_estimation", "sample"),
            temperature_schedule=float(case.get("temperature", 0.0)),
            guidance_parameter=case.get("guidance"),
        )
        x = out.flow_trajectory[-1]
        read = self.model(
            input_ids=self.last,
            timesteps=out.timestep_trajectory[-1],
            class_labels=classes,
            flow_representation_embeds=x.to(self.model.dtype),
            past_key_values=self.cache,
            cached_final_hidden_states=self.hidden,
            disable_recursive_nstep_call=True,
            return_dict=True,
        )
        return x, read.logits, self.times

    def _watched(self, guided: bool) -> Any:
        """The model, noting times; of a guided evaluation the conditional half's."""
        self.times: list[float] = []
        plain = type(self.model).compute_velocity

        def noting(**arguments: Any) -> Tensor:
            if not guided or arguments["class_labels"] is not None:
                self.times.append(float(arguments["timesteps"]))
            return plain(self.model, **arguments)

        self.model.compute_velocity = noting
        return self.model


@torch.no_grad()
def generate(model: Any, job: dict[str, Any], case: dict[str, Any], noise: Tensor) -> list[int]:
    """Token ids, one for every x_0 of `noise` (tokens, 1, d)."""
    ids = torch.tensor([job["prompt"]])
    place, out = None, []
    for x_0 in noise:
        place = Place(model, ids, place)
        ids = place.refine(case, x_0[None], [case.get("label", 0)])[1].argmax(-1)
        out.append(int(ids))
    return out


def main(folder: Path, what: str) -> None:
    job = json.loads((folder / "job.json").read_text())
    model = build(job)
    if what == "make":
        save_file(state_dict(model), folder / "weights.safetensors")
        return
    noise = load_file(folder / "noise.safetensors")
    tokens = [generate(model, job, c, noise[str(i)]) for i, c in enumerate(job["cases"])]
    (folder / "reference.json").write_text(json.dumps(tokens))


if __name__ == "__main__":
    main(Path(sys.argv[2]), sys.argv[3])
