"""The compiled products and the small functions beside them, against torch."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from kernels.bits import narrow
from kernels.digits import split, split_bytes
from kernels.elementwise import exp
from kernels.products import product, scratch_bytes, share
from kernels.tiles import BFLOAT, EIGHT, FOUR
from kernels.unit import AVAILABLE, DOTS
from kernels.weights import Matrix
from kernels.wide import begin, pack, packed_bytes


@njit
def narrowed(x, y):
    for i in range(len(x)):
        y[i] = narrow(x[i])


@njit
def powers(x, y):
    for i in range(len(x)):
        y[i] = exp(x[i])


def drawn(form: int, n: int, K: int) -> Matrix:
    if form == BFLOAT:
        return Matrix.of(torch.randn(n, K))
    if form == EIGHT:
        return Matrix.rounded(torch.randn(n, K))
    scales, pairs = (
        torch.randn(n, K // 32, 2).half().float(),
        torch.randint(0, 256, (n, K // 32, 16)),
    )
    blocks = torch.cat([scales.view(torch.uint8), pairs.to(torch.uint8)], dim=2)
    return Matrix.published(blocks.flatten(1).contiguous(), K)


@settings(max_examples=100, deadline=None)
@given(
    R=st.integers(0, 35),
    n=st.integers(1, 70),
    K=st.sampled_from([32, 64, 160]),
    threads=st.integers(1, 4),
    form=st.sampled_from([BFLOAT, EIGHT, FOUR]),
    add=st.booleans(),
    wide=st.booleans() if AVAILABLE else st.just(False),
    seed=st.integers(0, 1000),
)
def test_the_threads_together_make_the_product_and_touch_nothing_else(
    R: int, n: int, K: int, threads: int, form: int, add: bool, wide: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    x, matrix = torch.randn(R, K), drawn(form, n, K)
    scratch, packed = (
        torch.empty(size, dtype=torch.uint8) for size in (scratch_bytes(K), packed_bytes(R, K))
    )
    if wide:
        pack(x.data_ptr(), R, K, packed.data_ptr(), 0, 1)
    room = torch.full((R, n + 3), torch.nan)
    was = torch.randn(R, n) if add else torch.zeros(R, n)
    if add:
        room[:, :n] = was
    for rank in range(threads):
        out = room.data_ptr(), 4 * (n + 3), int(add)
        sizes = form, matrix.address, n, K, x.data_ptr(), wide and packed.data_ptr(), R
        if AVAILABLE:
            begin()
        product(*sizes, *out, rank, threads, matrix.address, scratch.data_ptr())
    w = matrix.numbers(K)
    off = (room[:, :n] - (was + x @ w.T)).abs()
    # the matrix unit sees 16 bits of every input; sums are in float32 either way
    assert (off <= (2**-16 if wide else 2**-20) * (was.abs() + x.abs() @ w.abs().T)).all()
    assert room[:, n:].isnan().all()


def by_digits(x: torch.Tensor, matrix: Matrix, n: int, add: bool = False) -> torch.Tensor:
    R, K = x.shape
    digits = torch.empty(split_bytes(R, K), dtype=torch.uint8)
    for rank in range(3):
        split(x.data_ptr(), R, K, digits.data_ptr(), rank, 3)
    y = torch.ones(R, n)
    for rank in range(2):
        sizes = matrix.form, matrix.address, n, K, x.data_ptr(), digits.data_ptr(), R
        product(*sizes, y.data_ptr(), 4 * n, int(add), rank, 2, matrix.address, 0)
    return y


dots = pytest.mark.skipif(not DOTS, reason="needs the vectors of x86, and no AMX")


@dots
@settings(max_examples=50, deadline=None)
@given(
    R=st.integers(1, 35),
    sixteens=st.integers(1, 5),
    K=st.sampled_from([32, 64, 160]),
    form=st.sampled_from([EIGHT, FOUR]),
    add=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_digits_lose_a_65000th_of_a_blocks_largest_and_a_row_does_not_see_its_company(
    R: int, sixteens: int, K: int, form: int, add: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    n = 16 * sixteens
    x, matrix = torch.randn(R, K) * 10.0 ** torch.randint(-3, 4, (R, 1)), drawn(form, n, K)
    laned = matrix.laned()
    w = matrix.numbers(K)
    assert torch.equal(laned.numbers(K), w)
    together = by_digits(x, laned, n, add)
    off = (together - (float(add) + x @ w.T)).abs()
    most = x.unflatten(1, (-1, 32)).abs().amax(2).repeat_interleave(32, 1)
    assert (off <= 2**-15.9 * most @ w.abs().T + 2**-20 * (1 + x.abs() @ w.abs().T)).all()
    for r in range(R):
        assert torch.equal(by_digits(x[r : r + 1], laned, n, add)[0], together[r])


@dots
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_number_stays_so_in_its_own_row(bad: float) -> None:
    torch.manual_seed(0)
    x, laned = torch.randn(9, 64), drawn(FOUR, 32, 64).laned()
    good = by_digits(x, laned, 32)
    x[4, 40] = bad
    found = by_digits(x, laned, 32)
    assert not found[4].isfinite().any()
    others = [r for r in range(9) if r != 4]
    assert torch.equal(found[others], good[others])


@dots
def test_digits_of_nothing_are_nothing() -> None:
    x = torch.zeros(2, 32)
    x[1, 3] = 1e-40
    assert (by_digits(x, drawn(EIGHT, 16, 32).laned(), 16).abs() < 1e-30).all()


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


def test_eight_bits_are_within_half_a_step_of_every_weight() -> None:
    torch.manual_seed(0)
    weight = torch.randn(40, 64).bfloat16()
    blocks = weight.float().unflatten(1, (2, 32))
    steps = blocks.abs().amax(dim=2, keepdim=True) / 127
    off = (Matrix.rounded(weight).numbers(64).unflatten(1, (2, 32)) - blocks).abs()
    assert (off <= steps * 0.5001).all()
    assert off.max() > 0
