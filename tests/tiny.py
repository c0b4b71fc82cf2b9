"""Tiny random models on which the laws of `model` are tested: random weights, nothing trained."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from model.backbone import Backbone, KVCache, causal_mask
from model.choice import Logits
from model.config import L2DConfig, SamplerConfig
from model.hf import read_backbone
from model.l2d import Context, FlowPath
from model.prepared import PreparedPath, Times
from model.refinement import widened
from model.sampler import Row, Sampler, Token
from model.writing import Again, Recipe

VOCAB: Final = 96
PROMPT: Final = (5, 17, 42, 8, 63, 30)
CLASSES: Final = ("math", "data")

_SIZES: Final[dict[str, Any]] = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
    "attn_implementation": "eager",
}
_LONG_ROPE: Final[dict[str, Any]] = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
_LINEAR_ROPE: Final[dict[str, Any]] = {
    "rope_type": "linear",
    "rope_theta": 10000.0,
    "factor": 4.0,
}
_YARN_ROPE: Final[dict[str, Any]] = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 32,
}
WINDOW: Final = 3
"""Keys a query of a windowed layer sees; fewer than PROMPT has tokens."""
_WINDOW: Final[dict[str, Any]] = {"use_sliding_window": True, "sliding_window": WINDOW}
FAMILIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "llama, tied": ("llama", {"tie_word_embeddings": True}),
    "llama, untied": ("llama", {"tie_word_embeddings": False}),
    "llama, biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama, scaled rope": ("llama", {"rope_parameters": _LONG_ROPE}),
    "llama, linear rope": ("llama", {"rope_parameters": _LINEAR_ROPE}),
    "qwen2, biases": ("qwen2", {}),
    "qwen2, yarn rope": ("qwen2", {"rope_parameters": _YARN_ROPE}),
    "qwen2, window in the last layer": ("qwen2", _WINDOW | {"max_window_layers": 1}),
    "qwen3, head norms": ("qwen3", {"head_dim": 16}),
    "qwen3, window in the first layer": (
        "qwen3",
        {"head_dim": 16, "layer_types": ["sliding_attention", "full_attention"]} | _WINDOW,
    ),
    "mistral": ("mistral", {}),
    "mistral, window": ("mistral", {"sliding_window": WINDOW}),
    "smollm3, a layer without rotation": ("smollm3", {"no_rope_layers": [1, 0]}),
    "smollm3, window": (
        "smollm3",
        {"no_rope_layers": [0, 1], "layer_types": ["sliding_attention"] * 2} | _WINDOW,
    ),
}
"""One of each kind of layer that backbone.py claims to cover."""

PATH: Final = L2DConfig(
    flow_dim=16,
    encoder_dim=24,
    time_frequencies=16,
    time_dim=20,
    lora_rank=4,
    lora_alpha=8.0,
    noise_scale=8.0,
    classes=CLASSES,
)


def lm_settings(name: str) -> tuple[str, dict[str, Any]]:
    """Family and configuration of a tiny LM, as transformers names them."""
    family, changes = FAMILIES[name]
    return family, _SIZES | {"initializer_range": 0.25} | changes


@functools.cache
def tiny_lm(name: str = "llama, tied", dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A frozen random LM; biases and norm weights are random too, so that none can be forgotten."""
    family, settings = lm_settings(name)
    config = AutoConfig.for_model(family, **settings)
    torch.manual_seed(1)
    lm: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=dtype)
    lm.eval().requires_grad_(False)
    if dtype != torch.float32:
        lm.load_state_dict(tiny_lm(name).state_dict())
        return lm
    with torch.no_grad():
        for weight in lm.parameters():
            if weight.dim() == 1:
                weight.add_(0.2 * torch.randn_like(weight))
    return lm


def tiny_backbone(name: str = "llama, tied", dtype: torch.dtype = torch.float32) -> Backbone:
    return read_backbone(tiny_lm(name, dtype))


def sized_backbone(name: str, hidden: int, dtype: torch.dtype) -> Backbone:
    """A random LM of another width, its weights bfloat16 numbers in any precision."""
    family, settings = lm_settings(name)
    config = AutoConfig.for_model(
        family, **settings | {"hidden_size": hidden, "intermediate_size": 96}
    )
    torch.manual_seed(1)
    lm = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    lm.eval().requires_grad_(False)
    for weight in lm.parameters():
        if weight.dim() == 1:
            weight.add_(0.2 * torch.randn_like(weight))
    return read_backbone(lm.bfloat16()).to(dtype)


def stirred_path(backbone: Backbone, config: L2DConfig = PATH, scale: float = 0.3) -> FlowPath:
    """A path whose every weight is random: it changes what the LM says."""
    torch.manual_seed(2)
    path = FlowPath(config, backbone)
    with torch.no_grad():
        for weight in path.parameters():
            weight.copy_(scale * torch.randn_like(weight))
    return path.requires_grad_(False)


def tiny_prepared(
    name: str = "llama, tied",
    config: L2DConfig = PATH,
    kind: type[PreparedPath] = PreparedPath,
    dtype: torch.dtype = torch.float32,
) -> PreparedPath:
    backbone = tiny_backbone(name, dtype)
    return kind(backbone, stirred_path(backbone, config))


def read_prompts(backbone: Backbone, ids: Tensor) -> tuple[Tensor, KVCache]:
    """H (B, S, h) of unpadded prompts (B, S) and the cache they leave."""
    B, S = ids.shape
    cache = backbone.new_cache(B, S)
    mask = causal_mask(torch.ones(B, S, dtype=torch.bool))
    return backbone.forward(ids, cache, torch.arange(S).expand(B, S), mask), cache


def last_place(backbone: Backbone, *prompts: Sequence[int]) -> Context:
    """What the LM leaves for the place behind each of some prompts of one length."""
    ids = torch.tensor(prompts)
    hidden, cache = read_prompts(backbone, ids)
    positions = torch.full((len(ids), 1), ids.shape[1] - 1)
    return Context(
        cache, backbone.embedding[ids[:, -1:]], hidden[:, -1:], backbone.rotary(positions), None
    )


def alone(prepared: PreparedPath, single: Row, config: SamplerConfig) -> list[Token]:
    """The row without engine, batch or cache: each place reads anew all that is before it."""
    recipe, ids, tokens = Recipe.of(prepared, config), list(single.prompt), list[Token]()
    backbone = prepared.reader if recipe.own else prepared.backbone
    place, carried = last_place(backbone, ids), None

    def read_out(hidden: Tensor) -> Logits:
        return Logits(backbone.logits(hidden))

    writing = recipe.write(0, single, read_out(place.hidden))
    want = next(writing)
    while True:
        if isinstance(want, Token | Again):
            tokens = [*tokens, want] if isinstance(want, Token) else tokens[: want.kept]
            if isinstance(want, Token) and want.last:
                return tokens
            place, carried = last_place(backbone, [*ids, *(t.id for t in tokens)]), None
            base = read_out(place.hidden)
            want = writing.send(base) if isinstance(want, Token) else next(writing)
        else:
            here = widened(place, want.x.shape[1], carried)
            carried = prepared.hidden(want.x, want.t, want.labels, here)
            want = writing.send(read_out(carried))


def random_state(rows: int = 1, seed: int = 3, config: L2DConfig = PATH) -> Tensor:
    """x_0 (rows, 1, d) in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 1, config.flow_dim, generator=generator).double() * config.noise_scale


def draw(*rows: Row, **changes: Any) -> list[Token]:
    """Four tokens a row at up to seven evaluations, or as `changes` say."""
    config = dataclasses.replace(SamplerConfig(max_nfe=7, max_new_tokens=4), **changes)
    return list(tiny_sampler().generate(rows, config))


def by_row(tokens: Sequence[Token]) -> dict[int, list[int]]:
    """Token ids of every row, in order."""
    rows: dict[int, list[int]] = {}
    for token in tokens:
        rows.setdefault(token.row, []).append(token.id)
    return rows


class Watched(PreparedPath):
    """Remembers all noise, and of every evaluation of every row time, state and logits."""

    def __init__(self, backbone: Backbone, path: FlowPath) -> None:
        super().__init__(backbone, path)
        self.seen: list[tuple[float, Tensor, Tensor]] = []
        self.batches: list[int] = []
        """Rows of every pass."""
        self.noises: list[Tensor] = []
        """x_0 of every token drawn, in order."""

    def hidden(self, x_t: Tensor, t: Times, labels: Tensor, context: Context) -> Tensor:
        hidden = super().hidden(x_t, t, labels, context)
        B, logits = len(x_t), self.backbone.logits(hidden)
        self.batches.append(B)
        for i, time in enumerate([t] * B if isinstance(t, float) else t):
            self.seen.append((time, x_t[i : i + 1].clone(), logits[i : i + 1]))
        return hidden

    def noise(self, generator: torch.Generator) -> Tensor:
        self.noises.append(super().noise(generator))
        return self.noises[-1]


class Reading(Backbone):
    """Remembers the shape (B, S) of everything the LM reads."""

    read: list[tuple[int, ...]]

    def forward(
        self, ids: Tensor, cache: KVCache, positions: Tensor, mask: Tensor | None
    ) -> Tensor:
        self.read.append(tuple(ids.shape))
        return super().forward(ids, cache, positions, mask)


def reading() -> tuple[PreparedPath, Reading]:
    """A stirred path on a tiny LM that notes what it reads."""
    plain = tiny_backbone()
    backbone = Reading(**{f.name: getattr(plain, f.name) for f in dataclasses.fields(plain)})
    object.__setattr__(backbone, "read", [])
    return PreparedPath(backbone, stirred_path(backbone)), backbone


@functools.cache
def tiny_sampler() -> Sampler:
    return Sampler(tiny_prepared())


def watched_sampler() -> tuple[Sampler, Watched]:
    backbone = tiny_backbone()
    watched = Watched(backbone, stirred_path(backbone))
    return Sampler(watched), watched


def row(seed: int = 7, prompt: Sequence[int] = PROMPT, label: str | None = None) -> Row:
    return Row(tuple(prompt), seed, label)


BATCH: Final = (
    row(1, PROMPT, "math"),
    row(2, PROMPT[:2]),
    row(3, (*PROMPT, 70, 71, 72), "data"),
    row(1, PROMPT, "math"),
)
"""Prompts of different lengths and classes; the last row repeats the first."""


class Letters:
    """A tokenizer for training tests: one id a letter, 1 begins an answer, 2 ends it."""

    def prompt(self, question: str, system: str | None = None) -> list[int]:
        return [*self.spelled(system or ""), *self.spelled(question), 1]

    def follow(self, question: str) -> list[int]:
        return [0, *self.spelled(question), 1]

    def answer(self, text: str) -> list[int]:
        return [*self.spelled(text), 2]

    def spelled(self, text: str) -> list[int]:
        return [3 + ord(letter) - ord("a") for letter in text]
