"""What drawing costs: counted as done, never past the cap, nothing after a stop."""

import dataclasses
import itertools
import typing

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.adaptive import Adaptive
from model.config import Estimate, Method, SamplerConfig
from model.errors import Cancelled, ConfigError
from model.l2d import Context
from model.refinement import Refinement
from model.request import Hooks
from model.sampler import Sampler
from model.solvers import Grid
from tests.tiny import (
    BATCH,
    CLASSES,
    PATH,
    PROMPT,
    last_place,
    random_state,
    row,
    tiny_prepared,
    tiny_sampler,
    watched_sampler,
)

METHODS: tuple[Method, ...] = typing.get_args(Method)
NO_CLASS = torch.tensor([[len(CLASSES)]])


@pytest.mark.parametrize(
    ("method", "inner", "last"),
    [("euler", 1, 1), ("midpoint", 2, 2), ("heun2", 2, 2), ("heun3", 3, 3), ("rk4", 4, 3)],
)
@pytest.mark.parametrize("points", [2, 5])
@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_evaluations_are_those_of_every_step_but_at_t_0_times_passes_and_one(
    method: Method, inner: int, last: int, points: int, guidance: float
) -> None:
    g, made = 1 if guidance == 1.0 else 2, list[int]()
    expected = (inner * (points - 2) + last - 1) * g + 1
    config = SamplerConfig(expected, method, points, guidance=guidance, max_new_tokens=3)
    tokens = list(tiny_sampler().generate(BATCH, config, Hooks(after=made.append)))
    assert {t.nfe for t in tokens} == {expected}
    assert sum(made) == sum(t.nfe for t in tokens)
    assert tiny_sampler().grid(config) == Grid(method, points, g)


@settings(deadline=None, max_examples=60)
@given(
    max_nfe=st.integers(0, 40),
    method=st.sampled_from(METHODS),
    guidance=st.sampled_from([0.0, 1.0, 2.0]),
    estimate=st.sampled_from(["argmax", "average", "sample"]),
)
def test_cap_is_never_passed(
    max_nfe: int, method: Method, guidance: float, estimate: Estimate
) -> None:
    config = SamplerConfig(
        max_nfe=max_nfe,
        method=method,
        guidance=guidance,
        estimate=estimate,
        max_new_tokens=2,
    )
    made = list[int]()
    tokens = list(tiny_sampler().generate([row(), row(8)], config, Hooks(after=made.append)))
    assert len(tokens) == 4
    assert all(t.nfe <= max_nfe for t in tokens)
    assert sum(made) == sum(t.nfe for t in tokens)  # told is what was done, each row counted
    grid = tiny_sampler().grid(config)
    assert all(t.nfe <= grid.nfe <= max_nfe for t in tokens)
    if isinstance(grid, Grid):
        assert all(t.nfe == grid.nfe for t in tokens)


def test_adaptive_method_falls_back_to_the_base_where_nothing_fits() -> None:
    adaptive: tuple[Method, ...] = ("bosh3", "adaptive_heun", "fehlberg2", "dopri5")
    for method in adaptive:
        for guidance in (1.0, 2.0):
            config = SamplerConfig(max_nfe=0, method=method, guidance=guidance)
            assert tiny_sampler().grid(config).nfe == 0
        config = SamplerConfig(max_nfe=1, method=method)
        assert isinstance(tiny_sampler().grid(config), Adaptive)


def test_points_over_the_cap_are_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match=r"8 points of midpoint take 14 .* cap is 13"):
        tiny_sampler().grid(SamplerConfig(max_nfe=13, points=8))


def test_evaluation_past_the_cap_is_a_bug_that_stays_loud() -> None:
    """The second lock: a grid finer than its cap, as only a bug could make one."""
    place = last_place(tiny_prepared().backbone, PROMPT)
    work = Refinement(tiny_prepared(), NO_CLASS, SamplerConfig(max_nfe=4))
    with pytest.raises(AssertionError, match="evaluation 5 with a cap of 4"):
        work.run(Grid("euler", 9), random_state(), place)
    assert work.nfe == 4


def refined(grid: Grid, guidance: float, label: int, place: Context) -> torch.Tensor:
    config = SamplerConfig(max_nfe=99, guidance=guidance)
    work = Refinement(tiny_prepared(), torch.tensor([[label]]), config)
    return work.run(grid, random_state(), place)[0]


@pytest.mark.parametrize(
    ("guidance", "label"), [(1.0, 0), (0.0, len(CLASSES))], ids=["class", "none"]
)
def test_guidance_of_one_is_the_class_and_of_zero_no_class(guidance: float, label: int) -> None:
    place = last_place(tiny_prepared().backbone, PROMPT)
    two_passes = refined(Grid("midpoint", 5, passes=2), guidance, 0, place)
    one_pass = refined(Grid("midpoint", 5), 1.0, label, place)
    torch.testing.assert_close(two_passes, one_pass, atol=1e-4, rtol=1e-4)


def test_read_out_of_a_guided_token_uses_the_class() -> None:
    sampler, watched = watched_sampler()
    list(sampler.generate([row(label="math")], SamplerConfig(max_nfe=5, guidance=2.0)))
    assert {x.shape[1] for t, x, _ in watched.seen if t < 1.0} == {2}
    assert {x.shape[1] for t, x, _ in watched.seen if t == 1.0} == {1}


def test_guidance_is_refused_without_classes() -> None:
    plain = dataclasses.replace(PATH, classes=())
    sampler = Sampler(tiny_prepared(config=plain))
    with pytest.raises(ConfigError, match="trained with classes"):
        sampler.grid(SamplerConfig(guidance=2.0))
    assert sampler.grid(SamplerConfig(guidance=1.0)).nfe == 14


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("allowed", [0, 1, 2, 7, 20])
def test_no_evaluation_is_made_after_a_stop(method: Method, allowed: int) -> None:
    sampler, watched = watched_sampler()
    made, asked = list[int](), itertools.count()

    def stop() -> None:
        if next(asked) >= allowed:
            raise Cancelled("stop")

    config = SamplerConfig(max_nfe=15, method=method, max_new_tokens=50)
    with pytest.raises(Cancelled):
        list(sampler.generate([row()], config, Hooks(before=stop, after=made.append)))
    assert len(watched.seen) == sum(made)  # all that was done has been told, and nothing after
    assert sum(made) <= max(0, allowed - 1)  # the LM's own passes ask too


def test_base_alone_stops_between_two_tokens() -> None:
    asked, drawn = itertools.count(), itertools.count()

    def stop() -> None:
        if next(asked) >= 3:
            raise Cancelled("stop")

    stream = tiny_sampler().generate([row()], SamplerConfig(0), Hooks(before=stop))
    with pytest.raises(Cancelled):
        list(zip(drawn, stream, strict=False))
    assert next(drawn) == 4  # three tokens, and the place of the one that never came


def test_closing_the_stream_ends_the_work() -> None:
    made = list[int]()
    config = SamplerConfig(max_nfe=7, max_new_tokens=50)
    stream = tiny_sampler().generate([row()], config, Hooks(after=made.append))
    next(stream)
    stream.close()
    assert sum(made) == 6  # midpoint's finest grid below 7
