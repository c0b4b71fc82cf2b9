"""Laws of the path: silent at t=0, silent until trained, the same however it is computed."""

import dataclasses
import typing

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.backbone import causal_mask
from model.config import Modulation
from model.l2d import Context, FlowPath, refine
from model.lora import LoRA
from model.path import entry_scale, interpolate, velocity
from model.prepared import PreparedPath
from tests.tiny import (
    CLASSES,
    FAMILIES,
    PATH,
    PROMPT,
    last_place,
    random_state,
    read_prompts,
    stirred_path,
    tiny_backbone,
    tiny_lm,
    tiny_prepared,
)

MODULATIONS: tuple[Modulation, ...] = typing.get_args(Modulation)
TIMES = st.floats(0.0, 1.0)
NO_CLASS = torch.tensor([[len(CLASSES)]])


@pytest.mark.parametrize("modulation", MODULATIONS)
def test_at_time_zero_any_path_says_what_transformers_says(modulation: Modulation) -> None:
    """For every family, and in both precisions: test_family_laws.py."""
    prepared = tiny_prepared(config=dataclasses.replace(PATH, modulation=modulation))
    place = last_place(prepared.backbone, PROMPT)
    for label in range(len(CLASSES) + 1):
        logits = prepared.evaluate(random_state(), 0.0, torch.tensor([[label]]), place)
        assert torch.equal(logits, prepared.backbone.logits(place.hidden))
        theirs = tiny_lm()(torch.tensor([PROMPT])).logits[:, -1:]
        torch.testing.assert_close(logits, theirs, atol=2e-5, rtol=1e-5)


@settings(deadline=None, max_examples=20)
@given(t=TIMES, label=st.integers(0, len(CLASSES)))
def test_untrained_path_is_the_lm_at_any_time(t: float, label: int) -> None:
    backbone = tiny_backbone()
    prepared = PreparedPath(backbone, FlowPath(PATH, backbone))
    place = last_place(backbone, PROMPT)
    logits = prepared.evaluate(random_state(), t, torch.tensor([[label]]), place)
    assert torch.equal(logits, backbone.logits(place.hidden))


def test_fresh_lora_changes_nothing_and_starts_as_the_paper_says() -> None:
    torch.manual_seed(0)
    lora = LoRA(400, 300, rank=8, scale=2.0).pair
    assert not lora.delta().any()
    assert not lora(torch.randn(3, 400)).any()
    assert lora.A.std().item() == pytest.approx(1 / 8, rel=0.05)


def test_trained_path_does_change_the_lm_after_time_zero() -> None:
    prepared = tiny_prepared()
    place = last_place(prepared.backbone, PROMPT)
    logits = prepared.evaluate(random_state(), 0.5, NO_CLASS, place)
    assert (logits - prepared.backbone.logits(place.hidden)).abs().max() > 0.1


def test_classes_time_and_state_all_matter() -> None:
    prepared = tiny_prepared()
    place = last_place(prepared.backbone, PROMPT)
    base = prepared.evaluate(random_state(), 0.5, NO_CLASS, place)
    for other in (
        prepared.evaluate(random_state(), 0.5, torch.tensor([[0]]), place),
        prepared.evaluate(random_state(), 0.6, NO_CLASS, place),
        prepared.evaluate(random_state(seed=4), 0.5, NO_CLASS, place),
    ):
        assert (other - base).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["llama, tied", "qwen3, head norms"])
def test_merged_changes_equal_unmerged(name: str) -> None:
    backbone = tiny_backbone(name)
    path = stirred_path(backbone)
    place = last_place(backbone, PROMPT)
    x_t, t = random_state(), torch.tensor(0.7)
    mods = path.modulations(backbone, t, NO_CLASS[0, 0])
    hidden = refine(backbone, path.layers(backbone), path, x_t, mods, place)
    merged = PreparedPath(backbone, path).evaluate(x_t, float(t), NO_CLASS, place)
    torch.testing.assert_close(backbone.logits(hidden), merged, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_flow_position_sees_no_other_flow_position_and_leaves_no_trace(name: str) -> None:
    """All places of a text refined in one pass equal each refined alone behind its own prefix."""
    prepared = tiny_prepared(name)
    backbone, S = prepared.backbone, len(PROMPT)
    hidden, cache = read_prompts(backbone, torch.tensor([PROMPT]))
    kept = [k.clone() for k in cache.keys]
    rope = backbone.rotary(torch.arange(S)[None])
    token = backbone.embedding[torch.tensor([PROMPT])]
    every = Context(cache, token, hidden, rope, causal_mask(torch.ones(1, S, dtype=torch.bool)))
    x_t = torch.cat([random_state(seed=i) for i in range(S)], dim=1)
    together = prepared.evaluate(x_t, 0.6, NO_CLASS.expand(1, S), every)
    for i in range(S):
        place = last_place(backbone, PROMPT[: i + 1])
        alone = prepared.evaluate(x_t[:, i : i + 1], 0.6, NO_CLASS, place)
        torch.testing.assert_close(together[:, i : i + 1], alone, atol=2e-5, rtol=1e-4)
    assert cache.length == S
    assert all(torch.equal(a, b) for a, b in zip(kept, cache.keys, strict=True))


def test_rows_of_a_batch_may_have_different_classes() -> None:
    prepared = tiny_prepared()
    place = last_place(prepared.backbone, PROMPT, PROMPT[::-1])
    x_t, labels = random_state(rows=2), torch.tensor([[0], [2]])
    both = prepared.evaluate(x_t, 0.4, labels, place)
    for i, prompt in enumerate((PROMPT, PROMPT[::-1])):
        place = last_place(prepared.backbone, prompt)
        alone = prepared.evaluate(x_t[i : i + 1], 0.4, labels[i : i + 1], place)
        torch.testing.assert_close(both[i : i + 1], alone, atol=2e-5, rtol=1e-4)


def test_bfloat16_stays_close_to_float32() -> None:
    backbone = tiny_backbone()
    path = stirred_path(backbone)
    half = backbone.to(torch.bfloat16)
    for t in (0.0, 0.3, 0.9, 1.0):
        exact, rough = (
            PreparedPath(b, path).evaluate(random_state(), t, NO_CLASS, last_place(b, PROMPT))
            for b in (backbone, half)
        )
        assert rough.dtype == torch.bfloat16
        assert (rough.float() - exact).abs().max() < 0.06 * exact.abs().max()


def test_rows_of_the_flow_table_have_norm_sqrt_d() -> None:
    table = tiny_prepared().table
    assert table.dtype == torch.float32
    torch.testing.assert_close(table.norm(dim=-1), torch.full((len(table),), PATH.flow_dim**0.5))


def test_shared_modulation_has_fewer_weights() -> None:
    backbone, count = tiny_backbone(), dict[Modulation, int]()
    for kind in MODULATIONS:
        path = FlowPath(dataclasses.replace(PATH, modulation=kind), backbone)
        count[kind] = sum(weight.numel() for weight in path.parameters())
    assert count["shared"] < count["per_layer"]


@given(t=st.floats(0.0, 0.999), seed=st.integers(0, 99))
def test_velocity_leads_from_any_point_of_the_path_to_its_end(t: float, seed: int) -> None:
    x_0, x_1 = random_state(seed=seed), random_state(seed=seed + 100)
    x_t = interpolate(x_0, x_1, torch.tensor([[t]], dtype=torch.float64))
    v = velocity(x_1, x_t, t)
    torch.testing.assert_close(x_t + (1 - t) * v, x_1)
    torch.testing.assert_close(v, x_1 - x_0, atol=1e-9, rtol=1e-9)  # straight: the same at any t


def test_path_starts_at_the_noise_and_ends_at_the_row() -> None:
    x_0, x_1 = random_state(seed=1), random_state(seed=2)
    assert torch.equal(interpolate(x_0, x_1, torch.zeros(1, 1)), x_0)
    assert torch.equal(interpolate(x_0, x_1, torch.ones(1, 1)), x_1)


@pytest.mark.parametrize("t", [-0.01, 1.0, 1.5])
def test_velocity_is_refused_where_it_is_singular(t: float) -> None:
    with pytest.raises(ValueError, match="velocity is defined"):
        velocity(random_state(), random_state(), t)


@given(t=TIMES)
def test_scaled_state_has_unit_variance(t: float) -> None:
    """Entries of x_0 have variance sigma^2, those of a row 1: the entry sees about 1 always."""
    sigma, n = 16.0, 20_000
    generator = torch.Generator().manual_seed(0)
    x_0 = torch.randn(n, 1, generator=generator) * sigma
    x_1 = torch.randn(n, 1, generator=generator)
    time = torch.full((n,), t)
    x_t = interpolate(x_0, x_1, time) / entry_scale(time, sigma)[..., None]
    assert abs(float(x_t.std()) - 1.0) < 0.05
