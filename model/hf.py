"""The only file that knows transformers: reads its models into a Backbone, its tokenizers too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import logging as hf_logging
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from model.backbone import Backbone, Layer, Linear, Shape
from model.errors import WeightsError

FAMILIES = ("llama", "qwen2", "qwen3", "mistral")
"""Decoder families whose layer is the one in backbone.py; biases and head norms are data."""


def load_backbone(source: str | Path, dtype: torch.dtype = torch.float32) -> Backbone:
    """Backbone of a local folder or a Hugging Face id. Raises WeightsError if it cannot be read."""
    hf_logging.disable_progress_bar()  # a second of loading needs no bar among our own lines
    try:
        lm = AutoModelForCausalLM.from_pretrained(str(source), dtype=dtype)
    except (OSError, ValueError) as err:
        raise WeightsError(f"no base model could be read from {source}: {err}") from err
    return read_backbone(lm)


def dequantise(gguf: Path, folder: Path) -> None:
    """Turn a GGUF file into a bfloat16 checkpoint and tokenizer that load in a second."""
    where, name = str(gguf.parent), gguf.name
    try:
        lm: Any = AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
    except (OSError, ValueError) as err:
        raise WeightsError(f"{gguf} could not be read: {err}") from err
    if hasattr(lm.config, "quantization_config"):
        # transformers refuses to save while it thinks it quantised
        del lm.config.quantization_config
    lm.hf_quantizer, lm.is_quantized = None, False
    lm.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def build_backbone(family: str, settings: dict[str, Any], weights: dict[str, Tensor]) -> Backbone:
    """Backbone from a config and LM weights by transformers' own names; others are ignored."""
    try:
        lm = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **settings))
    except (ValueError, KeyError, TypeError) as err:
        raise WeightsError(f"no {family!r} model can be built from these settings: {err}") from err
    missing, _ = lm.load_state_dict(weights, strict=False)
    tied = lm.config.tie_word_embeddings
    if missing := [name for name in missing if not (tied and name == "lm_head.weight")]:
        raise WeightsError(
            f"{len(missing)} weights of the {family} model are missing, first {missing[0]}"
        )
    return read_backbone(lm)


def read_backbone(lm: PreTrainedModel) -> Backbone:
    """The tensors of a transformers causal LM, shared and not copied (but for fused matrices)."""
    config = lm.config
    if config.model_type not in FAMILIES:
        raise WeightsError(
            f"model family {config.model_type!r} is not one of {', '.join(FAMILIES)}"
        )
    inner: Any = lm.model
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    shape = Shape(
        vocab=config.vocab_size,
        hidden=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=head_dim,
        mlp=config.intermediate_size,
        norm_eps=config.rms_norm_eps,
    )
    embedding = inner.embed_tokens.weight.detach()
    tied = lm.lm_head.weight is inner.embed_tokens.weight
    inv_freq, rope_scale = _rope(config)
    return Backbone(
        shape=shape,
        embedding=embedding,
        layers=tuple(_layer(layer) for layer in inner.layers),
        norm=inner.norm.weight.detach(),
        head=embedding if tied else lm.lm_head.weight.detach(),
        inv_freq=inv_freq,
        rope_scale=rope_scale,
        eos_ids=_eos_ids(lm),
    )


def _layer(layer: Any) -> Layer:
    attn, mlp = layer.self_attn, layer.mlp
    return Layer(
        norm1=layer.input_layernorm.weight.detach(),
        norm2=layer.post_attention_layernorm.weight.detach(),
        qkv=_fuse(attn.q_proj, attn.k_proj, attn.v_proj),
        o=_fuse(attn.o_proj),
        gate_up=_fuse(mlp.gate_proj, mlp.up_proj),
        down=_fuse(mlp.down_proj),
        q_norm=_weight(getattr(attn, "q_norm", None)),
        k_norm=_weight(getattr(attn, "k_norm", None)),
    )


def _weight(module: Any) -> Tensor | None:
    return None if module is None else module.weight.detach()


def _fuse(*linears: torch.nn.Linear) -> Linear:
    weight = torch.cat([x.weight.detach() for x in linears])
    biases = [x.bias for x in linears]
    if all(b is None for b in biases):
        return Linear(weight)
    filled = [
        torch.zeros(x.out_features, dtype=weight.dtype) if b is None else b.detach()
        for x, b in zip(linears, biases, strict=True)
    ]
    return Linear(weight, torch.cat(filled))


def _rope(config: Any) -> tuple[Tensor, float]:
    """Rotary frequencies in float32 (never through the model's precision) and attention scale."""
    kind = config.rope_parameters.get("rope_type", "default")
    if kind == "default":
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        theta = float(config.rope_parameters["rope_theta"])
        return theta ** -(torch.arange(0, dim, 2, dtype=torch.float32) / dim), 1.0
    inv_freq, scale = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"))
    return inv_freq.float(), float(scale)


def _eos_ids(lm: PreTrainedModel) -> frozenset[int]:
    ids = getattr(lm.generation_config, "eos_token_id", None) or lm.config.eos_token_id
    if ids is None:
        return frozenset()
    return frozenset(ids if isinstance(ids, list) else [ids])


@dataclass(frozen=True)
class Prompter:
    """Text to token ids and back, in the chat form the LM was trained on."""

    tokenizer: Any
    system: str = "Answer the question."

    @classmethod
    def load(cls, source: str | Path) -> "Prompter":
        try:
            return cls(AutoTokenizer.from_pretrained(str(source)))
        except (OSError, ValueError) as err:
            raise WeightsError(f"no tokenizer could be read from {source}: {err}") from err

    def prompt(self, question: str) -> list[int]:
        """Ids up to where the assistant's answer begins. Chat marks in the question stay text."""
        messages = [{"role": "system", "content": self.system}, {"role": "user", "content": "\0"}]
        frame = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        before, after = frame.split("\0")
        return [*self._marks(before), *self.plain(question), *self._marks(after)]

    def answer(self, text: str) -> list[int]:
        """Ids of an answer and its end mark: what training asks the model to write."""
        return [*self.plain(text), self.tokenizer.eos_token_id]

    def plain(self, text: str) -> list[int]:
        """Ids of text that may not contain control tokens, whatever it says."""
        return self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids

    def _marks(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def text(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)
