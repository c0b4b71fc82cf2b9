"""What an adapter is and how it is sampled, as validated data. No tensors, no I/O."""

from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any, Literal, Self, get_args

from model.errors import ConfigError

Modulation = Literal["per_layer", "shared"]
Start = Literal["noise", "token"]
Weights = Literal["lora", "full"]
Reading = Literal["base", "own"]
Method = Literal[
    "euler", "midpoint", "heun2", "heun3", "rk4", "bosh3", "adaptive_heun", "fehlberg2", "dopri5"
]
Estimate = Literal["argmax", "sample", "average"]
Schedule = Literal["linear", "geometric"]
Sureness = Literal["top", "entropy"]


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
    weights: Weights = "lora"
    """What the path has of its own in every layer: LoRA pairs, or whole matrices (`full`)."""
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
    carry: bool = False
    """Every evaluation also sees the last hidden state of the one before (the first: the LM's), so
    that depth adds up over evaluations; x_t alone carries one token from each to the next."""
    reading: Reading = "base"
    """What a path looks at: keys and values of the frozen LM (`base`, the paper), or of a pass that
    has the path's own changes, in keys and values too (`own`). At 0 evaluations always the LM's."""

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
        _one_of("weights", self.weights, get_args(Weights))
        _one_of("reading", self.reading, get_args(Reading))
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
class Choice:
    """How a token is taken from the read-out's logits. The defaults take the most likely one."""

    temperature: float = 0.0
    """0 takes the most likely token; above, one is drawn from softmax(logits / temperature)."""
    top_k: int | None = None
    """Draw among this many of the most likely tokens."""
    top_p: float = 1.0
    """Draw among the fewest most likely tokens whose chances add up to this much."""
    repetition_penalty: float = 1.0
    """Above 1 makes tokens already in the answer less likely; the prompt's are left alone."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature < inf:
            raise ConfigError(f"choice temperature must be 0 or above, got {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top_k must be at least 1, got {self.top_k}")
        if not 0.0 < self.top_p <= 1.0:
            raise ConfigError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if not 0.0 < self.repetition_penalty < inf:
            raise ConfigError(f"repetition_penalty must be above 0, got {self.repetition_penalty}")


@dataclass(frozen=True, slots=True)
class Gate:
    """Where the base LM is sure of the next token, its word stands and nothing is evaluated."""

    threshold: float
    """`top`: sure from this chance of its first choice on. `entropy`: up to this many nats."""
    by: Sureness = "top"

    def __post_init__(self) -> None:
        _one_of("gate", self.by, get_args(Sureness))
        if self.by == "top" and not 0.0 < self.threshold <= 1.0:
            raise ConfigError(f"a gate by top is above 0 and at most 1, got {self.threshold}")
        if not self.threshold >= 0.0:  # so that NaN is refused too
            raise ConfigError(f"a gate by entropy is at least 0 nats, got {self.threshold}")


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
    first_step: float = 0.05
    """Of an adaptive method, in t."""
    min_step: float = 1e-3
    """Taken whatever its error: where x1_hat jumps from row to row no step is small enough."""
    guidance: float = 1.0
    """w in v = w v(class) + (1-w) v(no class); 1 is the class alone, in one pass instead of two."""
    estimate: Estimate = "argmax"
    temperature: float = 1.0
    """tau of the softmax behind `sample` and `average` at t=0; `argmax` does not use it."""
    temperature_end: float | None = None
    """tau at t=1; None keeps it as it is at t=0."""
    schedule: Schedule = "linear"
    """How tau goes from one to the other: by equal differences or by equal ratios."""
    choice: Choice = field(default_factory=Choice)
    gate: Gate | None = None
    steady: int | None = None
    """A token's refinement ends with the read-out once so many evaluations gave the same guess."""
    tries: int = 1
    """How often a passage that does not stand may be written in all, at most (see Row.check). Its
    first writing takes the most likely tokens, later ones are drawn by `choice`."""
    max_new_tokens: int = 128
    trace: bool = False
    """Tell the entropies of every token: one softmax more for each, so only on request."""

    def __post_init__(self) -> None:
        _one_of("method", self.method, get_args(Method))
        _one_of("estimate", self.estimate, get_args(Estimate))
        _one_of("schedule", self.schedule, get_args(Schedule))
        if self.max_nfe < 0:
            raise ConfigError(f"max_nfe must be at least 0 (the base LM alone), got {self.max_nfe}")
        if self.points is not None and self.points < 2:
            raise ConfigError(f"points must be at least 2, got {self.points}")
        for name in ("rtol", "atol", "temperature", "temperature_end"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < inf:  # so that NaN is refused too
                raise ConfigError(f"{name} must be above 0, got {value}")
        for name in ("first_step", "min_step"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ConfigError(f"{name} must be above 0, at most 1, got {getattr(self, name)}")
        if self.steady is not None and self.steady < 2:
            raise ConfigError(f"steady must be at least 2 evaluations, got {self.steady}")
        if self.steady is not None and self.estimate != "argmax":
            raise ConfigError(f"steady needs the estimate argmax, got {self.estimate}")
        if self.tries < 1:
            raise ConfigError(f"tries must be at least 1, got {self.tries}")
        if self.tries > 1 and self.choice.temperature == 0.0:
            raise ConfigError(f"{self.tries} tries at temperature 0 would all be the same")
        if self.max_new_tokens < 1:
            raise ConfigError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")
        if not 0.0 <= self.guidance <= 10.0:
            raise ConfigError(f"guidance must be between 0 and 10, got {self.guidance}")

    def temperature_at(self, t: float) -> float:
        """tau for an evaluation at t in [0, 1]."""
        start, end = self.temperature, self.temperature_end
        if end is None:
            return start
        if self.schedule == "geometric":
            return start ** (1 - t) * end**t
        return (1 - t) * start + t * end


def _one_of(name: str, value: str, legal: tuple[str, ...]) -> None:
    if value not in legal:
        raise ConfigError(f"{name} must be one of {', '.join(legal)}, got {value!r}")
