"""The only file that knows transformers: reads its models into a Backbone, its tokenizers too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedConfig as Config
from transformers import logging as hf_logging

from model.backbone import Backbone, Layer, Linear, Shape
from model.errors import WeightsError
from model.families import check_settings, family_named


def load_backbone(source: str | Path, dtype: torch.dtype = torch.float32) -> Backbone:
    """Backbone of a local folder or a Hugging Face id. Raises WeightsError if it cannot be read."""
    hf_logging.disable_progress_bar()  # a second of loading needs no bar among our own lines
    try:
        settings, _ = Config.get_config_dict(str(source))
        if settings:  # before gigabytes are read in vain
            family_named(settings.get("model_type"))
        how: Any = {"dtype": dtype, "output_loading_info": True}
        read: Any = AutoModelForCausalLM.from_pretrained(str(source), **how)
    except (OSError, ValueError) as err:
        raise WeightsError(f"no base model could be read from {source}: {err}") from err
    lm, info = read
    _refuse_missing(lm, sorted(info["missing_keys"]))  # transformers fills them with noise
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


def build_backbone(
    family: str, settings: dict[str, Any], weights: dict[str, Tensor] | None
) -> Backbone:
    """Backbone from a config and LM weights by transformers' own names; others are ignored.

    Without weights only its shapes mean something.
    """
    family_named(family)
    try:
        lm = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **settings))
    except (ValueError, KeyError, TypeError) as err:
        raise WeightsError(f"no {family!r} model can be built from these settings: {err}") from err
    if weights is not None:
        missing, _ = lm.load_state_dict(weights, strict=False)
        _refuse_missing(lm, missing)
    return read_backbone(lm)


def _refuse_missing(lm: PreTrainedModel, missing: list[str]) -> None:
    tied = lm.config.tie_word_embeddings
    if missing := [name for name in missing if not (tied and name == "lm_head.weight")]:
        family, count = lm.config.model_type, len(missing)
        raise WeightsError(f"{count} weights of the {family} model are missing, first {missing[0]}")


def read_backbone(lm: PreTrainedModel) -> Backbone:
    """The tensors of a transformers causal LM, shared and not copied (but for fused matrices)."""
    config = lm.config
    family = family_named(config.model_type)
    check_settings(config)
    inner: Any = lm.model
    rope = type(inner.rotary_emb)(config)  # anew: the model's may have been through its precision
    shape = Shape(
        vocab=config.vocab_size,
        hidden=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=inner.layers[0].self_attn.head_dim,
        mlp=config.intermediate_size,
        norm_eps=config.rms_norm_eps,
    )
    embedding = inner.embed_tokens.weight.detach()
    tied = lm.lm_head.weight is inner.embed_tokens.weight
    return Backbone(
        shape=shape,
        embedding=embedding,
        layers=tuple(
            _layer(layer, family.window(config, i), family.rotary(config, i))
            for i, layer in enumerate(inner.layers)
        ),
        norm=inner.norm.weight.detach(),
        head=embedding if tied else lm.lm_head.weight.detach(),
        inv_freq=rope.inv_freq.detach(),
        rope_scale=rope.attention_scaling,
        eos_ids=_eos_ids(lm),
    )


def _layer(layer: Any, window: int | None, rotary: bool) -> Layer:
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
        window=window,
        rotary=rotary,
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
        """Raises WeightsError where there is no tokenizer, or none that can frame a question."""
        try:
            prompter = cls(AutoTokenizer.from_pretrained(str(source)))
        except (OSError, ValueError) as err:
            raise WeightsError(f"no tokenizer could be read from {source}: {err}") from err
        try:
            prompter.prompt("")
        except Exception as err:  # a template raises what it likes
            raise WeightsError(f"{source}: no chat template frames a question: {err}") from err
        return prompter

    def prompt(self, question: str, system: str | None = None) -> list[int]:
        """Ids up to where the assistant's answer begins. Chat marks in the question stay text."""
        before, after = self._frame(self.system if system is None else system, "user").split("\0")
        return [*self._marks(before), *self.plain(question), *self._marks(after)]

    def follow(self, question: str) -> list[int]:
        """Ids from behind an answer's end mark to where the answer to the next question begins."""
        frame = self._frame(self.system, "user", "assistant", "user")
        between, after = frame.split("\0")[2:]
        between = between.removeprefix(self.tokenizer.eos_token)
        return [*self._marks(between), *self.plain(question), *self._marks(after)]

    def _frame(self, system: str, *roles: str) -> str:
        """The chat form of a system message and a NUL from each of the roles in turn."""
        messages = [{"role": "system", "content": system}]
        messages += [{"role": role, "content": "\0"} for role in roles]
        return self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )

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
