"""What one training run is, as validated data: settings and rate."""

from dataclasses import dataclass, field
from typing import Any, Self, get_origin, get_type_hints

from model.config import L2DConfig
from model.errors import ConfigError
from training.loss import Draws

NAMES = {bool: "true or false", int: "a whole number", float: "a number as 1.0e-3", str: "text"}


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. A draw is one token at one time; cost and schedule are counted in draws."""

    adapter: L2DConfig = field(default_factory=L2DConfig)
    draws: Draws = field(default_factory=Draws)
    data: tuple[Any, ...] = ()
    """Where the caller takes examples from: only kept here, with the run."""
    init_from: str = ""
    """Folder of an adapter whose weights a new run starts with; what it lacks stays as born."""
    total_draws: int = 1_000_000
    """Where the learning rate reaches its floor and the run ends."""
    batch_size: int = 16
    """Examples a step, over all parts and processes."""
    accumulate: int = 1
    """Parts in which a process works through its share of a step; more take less memory."""
    packed_to: int = 0
    """Tokens, about, of rows that examples are packed into; 0 gives every example its own row."""
    max_tokens: int = 1024
    """Of an example; a longer one loses its beginning."""
    peak_lr: float = 1e-3
    floor_lr: float = 1e-6
    warmup_steps: int = 100
    decay_from: float = 0.0
    """Share of total_draws after which the rate falls; 0 is the paper's decay from the start."""
    clip_norm: float = 1.0
    ema_decay: float = 0.0
    """Above 0 the adapter is the running mean of the weights, a step's share 1 - ema_decay."""
    seed: int = 0
    checkpoint_minutes: float = 3.0

    def __post_init__(self) -> None:
        for name in ("total_draws", "batch_size", "accumulate", "warmup_steps"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("packed_to", "floor_lr", "seed", "checkpoint_minutes"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("decay_from", "ema_decay"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        if not (self.peak_lr >= self.floor_lr and self.clip_norm > 0 and self.max_tokens > 1):
            raise ConfigError(
                "peak_lr must reach floor_lr, clip_norm be above 0 and max_tokens above 1, got "
                f"peak_lr {self.peak_lr}, clip_norm {self.clip_norm}, max_tokens {self.max_tokens}"
            )

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """From plain values, as YAML gives them. Raises ConfigError naming key, value and law."""
        config = checked(cls, values, "the training configuration")
        if "adapter" in config:
            adapter = checked(L2DConfig, config["adapter"], "adapter")
            config["adapter"] = L2DConfig.from_dict(adapter)
        if "draws" in config:
            config["draws"] = Draws(**checked(Draws, config["draws"], "draws"))
        if "data" in config:
            config["data"] = tuple(config["data"])
        return cls(**config)

    def lr(self, step: int, draws: int) -> float:
        """Warm-up by steps, then linear by draws from `decay_from` to the end."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (1 - draws / self.total_draws) / (1 - self.decay_from)
        return self.floor_lr + (self.peak_lr - self.floor_lr) * warm * min(1.0, max(0.0, left))


def checked(kind: type[Any], values: Any, where: str) -> dict[str, Any]:
    """`values` as they are, if every key is a field of `kind` and every value of its type."""
    hints, wrong = get_type_hints(kind), f"{where} is not understood: "
    if not isinstance(values, dict):
        raise ConfigError(f"{wrong}keys and values are needed, got {values!r}")
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"{wrong}unknown key {key!r}; known: {', '.join(hints)}")
        legal: Any = (int, float) if hints[key] is float else hints[key]
        if get_origin(legal) is tuple:
            legal = (list, tuple)
        elif legal not in NAMES and legal != (int, float):
            continue  # a nested configuration or a word, refused by its own class
        if not isinstance(value, legal) or (isinstance(value, bool) and legal is not bool):
            name = NAMES.get(hints[key], "a list")
            raise ConfigError(f"{wrong}{key} must be {name}, got {value!r}")
    return dict(values)
