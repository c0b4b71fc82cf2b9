"""Settings outside their legal set are refused where they are made, by name and value."""

from typing import Any

import pytest

from model.config import Choice, Gate, L2DConfig, SamplerConfig
from model.errors import ConfigError
from training.loss import Draws
from training.train import TrainConfig


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_nfe", -1),
        ("method", "rk9"),
        ("points", 1),
        ("guidance", -0.1),
        ("guidance", 10.5),
        ("guidance", float("nan")),
        ("estimate", "mode"),
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("temperature_end", 0.0),
        ("temperature_end", float("inf")),
        ("schedule", "cosine"),
        ("first_step", 0.0),
        ("first_step", float("nan")),
        ("min_step", 1.5),
        ("rtol", 0.0),
        ("rtol", float("nan")),
        ("atol", -1.0),
        ("max_new_tokens", 0),
    ],
)
def test_sampler_refuses(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=setting):
        SamplerConfig(**{setting: value})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("top_k", 0),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("repetition_penalty", 0.0),
        ("repetition_penalty", float("inf")),
    ],
)
def test_choice_refuses(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=setting):
        Choice(**{setting: value})


@pytest.mark.parametrize(
    ("threshold", "by"),
    [
        (0.0, "top"),
        (1.1, "top"),
        (float("nan"), "top"),
        (-0.1, "entropy"),
        (float("nan"), "entropy"),
        (0.5, "mood"),
    ],
)
def test_gate_refuses(threshold: float, by: Any) -> None:
    with pytest.raises(ConfigError, match="gate"):
        Gate(threshold, by)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("flow_dim", 0),
        ("lora_rank", -3),
        ("time_frequencies", 7),
        ("noise_scale", 0.0),
        ("modulation", "both"),
        ("classes", ("math", "math")),
    ],
)
def test_adapter_refuses(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=setting):
        L2DConfig(**{setting: value})


@pytest.mark.parametrize(
    ("setting", "value"),
    [("total_draws", 0), ("batch_size", 0), ("warmup_steps", 0), ("decay_from", 1.0)],
)
def test_training_refuses(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=setting):
        TrainConfig(**{setting: value})


def test_adapter_settings_survive_a_round_trip() -> None:
    config = L2DConfig(flow_dim=8, classes=("math", "data"), modulation="per_layer")
    assert L2DConfig.from_dict(config.to_dict()) == config


def test_unknown_adapter_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="colour"):
        L2DConfig.from_dict({"colour": 1})


def test_training_settings_come_from_plain_values() -> None:
    config = TrainConfig.from_dict(
        {"adapter": {"flow_dim": 8}, "draws": {"per_token": 2}, "seed": 5}
    )
    assert config == TrainConfig(L2DConfig(flow_dim=8), Draws(per_token=2), seed=5)


@pytest.mark.parametrize("values", [{"speed": 9}, {"draws": {"colour": 1}}, {"draws": 3}])
def test_training_settings_that_are_not_understood_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="not understood"):
        TrainConfig.from_dict(values)


def test_unknown_class_is_no_class() -> None:
    config = L2DConfig(classes=("math", "data"))
    assert [config.class_index(x) for x in ("math", "data", "law", None)] == [0, 1, 2, 2]
