"""The compiled products and the small functions beside them, against torch."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from kernels.bits import narrow
from kernels.elementwise import exp
from kernels.passes import Matrix
from kernels.products import product, share


@njit
def narrowed(x, y):
    for i in range(len(x)):
        y[i] = narrow(x[i])


@njit
def powers(x, y):
    for i in range(len(x)):
        y[i] = exp(x[i])


@settings(max_examples=60, deadline=None)
@given(
    R=st.integers(0, 11),
    n=st.integers(1, 37),
    K=st.sampled_from([16, 32, 80]),
    threads=st.integers(1, 4),
    int8=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_threads_together_make_the_product_and_touch_nothing_else(
    R: int, n: int, K: int, threads: int, int8: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    x, matrix = torch.randn(R, K), Matrix.of(torch.randn(n, K).bfloat16(), int8)
    scales = 0 if matrix.scales is None else matrix.scales.data_ptr()
    w = matrix.weight.float() * (1 if matrix.scales is None else matrix.scales[:, None])
    wide = torch.full((R, n + 3), torch.nan)
    for rank in range(threads):
        out = wide.data_ptr(), 4 * (n + 3)
        sizes = matrix.address, scales, n, K, x.data_ptr(), R
        product(*sizes, *out, rank, threads, matrix.address)
    torch.testing.assert_close(wide[:, :n], x @ w.T, atol=1e-4, rtol=1e-5)
    assert wide[:, n:].isnan().all()


@given(n=st.integers(0, 10_000), threads=st.integers(1, 64))
def test_shares_of_threads_lie_end_to_end(n: int, threads: int) -> None:
    shares = [share(n, rank, threads) for rank in range(threads)]
    assert shares[0][0] == 0
    assert shares[-1][1] == n
    assert all(min(a[1], n) == min(b[0], n) for a, b in pairwise(shares))


@pytest.mark.parametrize("where", [0.0, 1e-30, 1.0, 1e30])
def test_rounding_to_bfloat16_is_torchs(where: float) -> None:
    torch.manual_seed(0)
    x = torch.cat((torch.randn(10_000) * where, torch.tensor([torch.inf, -torch.inf, 0.0, -0.0])))
    y = np.empty(len(x), np.uint16)
    narrowed(x.numpy(), y)
    np.testing.assert_array_equal(y, x.bfloat16().view(torch.uint16).numpy())


def test_exp_is_within_a_rounding_of_the_true_one() -> None:
    x = np.linspace(-87, 88, 200_001, dtype=np.float32)
    y = np.empty_like(x)
    powers(x, y)
    assert np.abs(y / np.exp(x.astype(np.float64)) - 1).max() < 2e-7


def test_a_nan_stays_a_nan() -> None:
    x = np.array([np.nan], np.float32)
    y = np.zeros_like(x)
    powers(x, y)
    assert np.isnan(y).all()


def test_int8_is_within_half_a_step_of_every_weight() -> None:
    torch.manual_seed(0)
    weight = torch.randn(40, 64).bfloat16()
    matrix = Matrix.of(weight, int8=True)
    assert matrix.scales is not None
    off = (matrix.weight * matrix.scales[:, None] - weight.float()).abs()
    assert (off <= matrix.scales[:, None] * 0.5001).all()
    assert (matrix.weight.abs().amax(dim=1) == 127).all()
