"""What an adapter is and how it is sampled, as validated data. No tensors, no I/O."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

from model.errors import ConfigError

Modulation = Literal["per_layer", "shared"]
Start = Literal["noise", "token"]
Method = Literal["euler", "midpoint", "bosh3", "adaptive_heun", "fehlberg2", "dopri5"]
Estimate = Literal["argmax", "sample", "average"]


@dataclass(frozen=True, slots=True)
class L2DConfig:
    """Shape of one diffusion path. Symbols as in arXiv 2501.15781, section 3."""

    flow_dim: int = 256
    """d: size of the state x_t and of a row of the flow table."""
    encoder_dim: int = 256
    """Hidden size of the two-layer entry that brings x_t into the LM's width."""
    time_frequencies: int = 256
    """F: length of the [cos, sin] embedding of t."""
    time_dim: int = 256
    """Size of the conditioning c(t) and hidden size of every modulation network."""
    lora_rank: int = 32
    lora_alpha: float = 32.0
    noise_scale: float = 64.0
    """sigma: standard deviation of x_0."""
    classes: tuple[str, ...] = ()
    """Guidance classes in table order; empty means the path was trained without classes."""
    modulation: Modulation = "shared"
    """`per_layer`: one network a layer (the reference). `shared`: one, plus an offset a layer."""
    start: Start = "noise"
    """`noise`: the path starts from x_t alone, at birth it does nothing (the reference). `token`:
    from the embedding of the token it stands on, x_t added; at birth it repeats the LM."""

    def __post_init__(self) -> None:
        for name in ("flow_dim", "encoder_dim", "time_frequencies", "time_dim", "lora_rank"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.time_frequencies % 2:
            raise ConfigError(f"time_frequencies must be even, got {self.time_frequencies}")
        if self.noise_scale <= 0:
            raise ConfigError(f"noise_scale must be above 0, got {self.noise_scale}")
        _one_of("modulation", self.modulation, get_args(Modulation))
        _one_of("start", self.start, get_args(Start))
        if len(set(self.classes)) != len(self.classes):
            raise ConfigError(f"classes must differ, got {self.classes}")

    @property
    def lora_scale(self) -> float:
        return self.lora_alpha / self.lora_rank

    def class_index(self, name: str | None) -> int:
        """Row of the class table for a domain; an unknown or absent one is the row "no class"."""
        return self.classes.index(name) if name in self.classes else len(self.classes)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"classes": list(self.classes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        unknown = set(values) - set(cls.__dataclass_fields__)
        if unknown:
            raise ConfigError(f"unknown adapter settings {sorted(unknown)}")
        return cls(**(values | {"classes": tuple(values.get("classes", ()))}))


@dataclass(frozen=True, slots=True)
class SamplerConfig:
    """How one answer is drawn. `max_nfe` is a hard cap on evaluations for each token."""

    max_nfe: int = 15
    """Evaluations of the path a token may use, read-out included; 0 is the base LM alone."""
    method: Method = "midpoint"
    points: int | None = None
    """Grid points; None takes the finest grid that max_nfe can hold. Adaptive methods have none."""
    rtol: float = 1e-2
    atol: float = 1e-2
    """Error an adaptive method allows a step, relative to the state and absolute."""
    guidance: float = 1.0
    """w in v = w v(class) + (1-w) v(no class); 1 is the class alone, in one pass instead of two."""
    estimate: Estimate = "argmax"
    temperature: float = 1.0
    """Of the softmax behind `sample` and `average`; `argmax` does not use it."""
    max_new_tokens: int = 128

    def __post_init__(self) -> None:
        _one_of("method", self.method, get_args(Method))
        _one_of("estimate", self.estimate, get_args(Estimate))
        if self.max_nfe < 0:
            raise ConfigError(f"max_nfe must be at least 0 (the base LM alone), got {self.max_nfe}")
        if self.points is not None and self.points < 2:
            raise ConfigError(f"points must be at least 2, got {self.points}")
        if not (self.rtol > 0 and self.atol > 0):  # so that NaN is refused too
            raise ConfigError(f"rtol and atol must be above 0, got {self.rtol} and {self.atol}")
        if not self.temperature > 0:
            raise ConfigError(f"temperature must be above 0, got {self.temperature}")
        if self.max_new_tokens < 1:
            raise ConfigError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")
        if not 0.0 <= self.guidance <= 10.0:
            raise ConfigError(f"guidance must be between 0 and 10, got {self.guidance}")


def _one_of(name: str, value: str, legal: tuple[str, ...]) -> None:
    if value not in legal:
        raise ConfigError(f"{name} must be one of {', '.join(legal)}, got {value!r}")
