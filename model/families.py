"""What sets the families of the Llama shape apart, as their configs say it. A new one is an entry.

The shape: pre-norm, rotary by halves, attention over sqrt(D), SiLU-gated MLP, no factor or cap on
anything else. Biases, head norms and sizes are not here: the weights themselves show them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from model.errors import WeightsError


class Family(NamedTuple):
    """Answers for (config, layer number)."""

    window: Callable[[Any, int], int | None] = lambda _config, _layer: None
    """Keys a query sees, its own included; None: all."""
    rotary: Callable[[Any, int], bool] = lambda _config, _layer: True


def _by_layer_type(config: Any, layer: int) -> int | None:
    windows = {"full_attention": None, "sliding_attention": config.sliding_window}
    return windows[config.layer_types[layer]]


FAMILIES = {
    "llama": Family(),
    "mistral": Family(lambda config, _: config.sliding_window),
    "qwen2": Family(_by_layer_type),
    "qwen3": Family(_by_layer_type),
    "smollm3": Family(_by_layer_type, lambda config, layer: bool(config.no_rope_layers[layer])),
}
_LEGAL = {
    "hidden_act": ("silu",),
    "rope_type": ("default", "linear", "llama3", "yarn"),  # fixed, however long the text is
    "partial_rotary_factor": (1.0, None),
    "quantization_config": (None,),
}


def family_named(name: Any) -> Family:
    """Raises WeightsError for a family whose layer is not, or not known to be, of this shape."""
    if name not in FAMILIES:
        raise WeightsError(f"model family {name!r} is not one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def check_settings(config: Any) -> None:
    """Refuses what a known family may be told to do but backbone.py does not compute."""
    values = config.to_dict() | (config.rope_parameters or {})
    for name, legal in _LEGAL.items():
        if (value := values.get(name)) not in legal:
            known = ", ".join(map(str, legal))
            raise WeightsError(f"{config.model_type} with {name} {value!r}: known is {known}")
