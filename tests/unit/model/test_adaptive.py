"""Adaptive solvers: they end at x1_hat, agree with each other, and never pass their cap."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.adaptive import ADAPTIVE, LAST_TIME, Adaptive, Ending, solve_adaptively
from model.config import Method, SamplerConfig
from model.errors import ConfigError
from model.path import velocity
from model.sampler import Sampler
from tests.tiny import PROMPT, by_row, random_state, row, tiny_prepared

METHODS = st.sampled_from(ADAPTIVE)
X_0, X_1 = random_state(seed=2), random_state(seed=1)


class Wavering:
    """x1_hat that depends smoothly on state and time, as that of a network does."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, x: Tensor, t: float) -> Tensor:
        self.times.append(t)
        return velocity(X_1 + torch.tanh(x / 4) * (1 + t), x, t)


@settings(deadline=None)
@given(
    method=METHODS,
    max_nfe=st.integers(2, 40),
    tolerance=st.sampled_from([1e-1, 1e-3, 1e-6]),
)
def test_oracle_is_reached_at_any_cap(method: str, max_nfe: int, tolerance: float) -> None:
    def oracle(x: Tensor, t: float) -> Tensor:
        return velocity(X_1, x, t)

    adaptive = Adaptive(method, max_nfe, rtol=tolerance, atol=tolerance)
    x, _ = solve_adaptively(adaptive, oracle, X_0)
    torch.testing.assert_close(x, X_1, atol=1e-9, rtol=0)


@settings(deadline=None)
@given(
    method=METHODS,
    max_nfe=st.integers(1, 60),
    passes=st.sampled_from([1, 2]),
    tolerance=st.sampled_from([1e-1, 1e-3, 1e-8]),
)
def test_cap_is_never_passed_and_has_a_name(
    method: str, max_nfe: int, passes: int, tolerance: float
) -> None:
    field = Wavering()
    adaptive = Adaptive(method, max_nfe, passes, tolerance, tolerance)
    x, ending = solve_adaptively(adaptive, field, X_0)
    spent = passes * (len(field.times) - 1) + 1  # at t=0 none is made
    assert spent <= max_nfe
    assert x.isfinite().all()
    assert max(field.times) <= LAST_TIME  # never where v is singular
    if ending is Ending.CAPPED:
        assert spent > max_nfe - passes  # not one more would have fitted
    else:
        assert field.times[-1] == pytest.approx(LAST_TIME)


def test_one_evaluation_is_eulers_one_step() -> None:
    for method in ADAPTIVE:
        x, ending = solve_adaptively(Adaptive(method, max_nfe=1), Wavering(), X_0)
        assert ending is Ending.CAPPED
        torch.testing.assert_close(x, X_0 + Wavering()(X_0, 0.0), atol=1e-12, rtol=0)


@pytest.mark.parametrize("method", ["bosh3", "dopri5"])
def test_capped_state_is_the_guess_of_an_accepted_state(method: str) -> None:
    """Also where the cap falls on a rejected step, whose stages must leave no trace."""
    seen: list[tuple[float, Tensor]] = []

    def abrupt(x: Tensor, t: float) -> Tensor:
        x_1 = X_1 if t < 0.4 else -3 * X_1
        seen.append((t, x_1))
        return velocity(x_1, x, t)

    for max_nfe in range(1, 40):
        seen.clear()
        x, ending = solve_adaptively(Adaptive(method, max_nfe, 1, 1e-3, 1e-3), abrupt, X_0)
        assert ending is Ending.CAPPED
        assert any(torch.allclose(x, x_1, atol=1e-9) for _, x_1 in seen)
    rises = [later[0] > earlier[0] for earlier, later in itertools.pairwise(seen)]
    assert rises.count(False) > 3  # steps were rejected on the way


def test_solvers_agree_as_the_tolerance_falls() -> None:
    ends = [
        solve_adaptively(Adaptive(m, 10_000, rtol=1e-7, atol=1e-7), Wavering(), X_0)[0]
        for m in ADAPTIVE
    ]
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], atol=1e-3, rtol=0)


def test_tighter_tolerance_takes_more_evaluations() -> None:
    for method in ADAPTIVE:
        counts = []
        for tolerance in (1e-1, 1e-3, 1e-5):
            field = Wavering()
            solve_adaptively(Adaptive(method, 10_000, 1, tolerance, tolerance), field, X_0)
            counts.append(len(field.times))
        assert counts[0] < counts[1] < counts[2]


def test_as_the_reference_ends_the_oracle_is_missed() -> None:
    """Why zero_at_end is for golden checks only: a velocity of zero at t=1 ends it short."""

    def oracle(x: Tensor, t: float) -> Tensor:
        return velocity(X_1, x, t)

    short = Adaptive("adaptive_heun", 1000, rtol=0.1, atol=0.1, zero_at_end=True)
    x, _ = solve_adaptively(short, oracle, X_0)
    assert (x - X_1).abs().max() > 1e-3


def test_cap_below_one_evaluation_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        Adaptive("bosh3", max_nfe=0, passes=2)


def test_sampler_counts_each_row_and_keeps_it_from_its_batch() -> None:
    sampler = Sampler(tiny_prepared())
    rows = [row(1), row(2, PROMPT[:3], "math"), row(3, PROMPT[::-1])]
    methods: tuple[Method, ...] = ("bosh3", "adaptive_heun", "fehlberg2", "dopri5")
    assert methods == ADAPTIVE
    for method in methods:
        config = SamplerConfig(
            max_nfe=60, method=method, rtol=0.3, atol=0.3, estimate="average", max_new_tokens=2
        )
        together = list(sampler.generate(rows, config))
        alone = [list(sampler.generate([r], config)) for r in rows]
        for i, tokens in enumerate(alone):
            mine = [t for t in together if t.row == i]
            assert by_row(mine) == {i: [t.id for t in tokens]}
            assert [t.nfe for t in mine] == [t.nfe for t in tokens]
        assert all(2 <= t.nfe <= 60 for t in together)


def test_sampler_names_the_tokens_whose_cap_ran_out() -> None:
    sampler = Sampler(tiny_prepared())
    endings = {
        cap: next(
            sampler.generate(
                [row()], SamplerConfig(max_nfe=cap, method="bosh3", estimate="average")
            )
        ).ending
        for cap in (4, 2000)
    }
    assert endings == {4: Ending.CAPPED, 2000: Ending.FINISHED}


def test_points_and_adaptive_steps_exclude_each_other() -> None:
    sampler = Sampler(tiny_prepared())
    with pytest.raises(ConfigError, match="leave points out"):
        sampler.grid(SamplerConfig(method="bosh3", points=8))
