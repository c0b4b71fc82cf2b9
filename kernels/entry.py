"""What enters the path's first layer: the entry network on the state, and what is carried on.

The arithmetic of model.l2d.FlowPath.begin, all in float32.
"""

from typing import NamedTuple

import numpy as np
from numba import carray, njit
from torch import Tensor, nn

from kernels.bits import floats
from kernels.elementwise import FAST, exp, norm
from kernels.products import product, share
from kernels.team import meet
from kernels.tiles import FLOAT, LANES
from model.l2d import FlowPath

_EPS = float(np.finfo(np.float32).eps)
"""Of torch's rms_norm where none is named."""


class Entry(NamedTuple):
    """Addresses of float32; all 0 in a pass of the LM."""

    state: int  # (R, d), scaled
    carried: int  # (R, h)
    first: int  # (width, d)
    first_bias: int  # (width)
    second: int  # (h, width)
    second_bias: int  # (h)
    carry: int  # (h, h), or 0 where nothing is carried
    d: int
    width: int


class EntryWeights:
    """The path's, with zeros up to sizes that fill lanes."""

    def __init__(self, path: FlowPath) -> None:
        first, _, second = path.entry
        assert isinstance(first, nn.Linear)
        assert isinstance(second, nn.Linear)
        self.d, self.width = _up(first.in_features), _up(first.out_features)
        missing = self.d - first.in_features, self.width - first.out_features
        self._kept = [
            nn.functional.pad(first.weight.detach().float(), (0, missing[0], 0, missing[1])),
            nn.functional.pad(first.bias.detach().float(), (0, missing[1])),
            nn.functional.pad(second.weight.detach().float(), (0, missing[1])),
            second.bias.detach().float(),
        ]  # fmt: skip
        if path.carry is not None:
            self._kept.append(path.carry.weight.detach().float())
        self._kept = [tensor.contiguous() for tensor in self._kept]

    def state(self, rows: Tensor) -> Tensor:
        """(R, d) from rows (R, flow_dim)."""
        missing = self.d - rows.shape[1]
        return nn.functional.pad(rows, (0, missing)) if missing else rows.contiguous()

    def addressed(self, state: Tensor, carried: Tensor) -> Entry:
        """With the address of what enters."""
        weights = [tensor.data_ptr() for tensor in self._kept]
        weights += [0] * (5 - len(weights))
        return Entry._make((state.data_ptr(), carried.data_ptr(), *weights, self.d, self.width))


NOTHING = Entry(*[0] * 9)


def _up(size: int) -> int:
    return -(-size // LANES) * LANES


@njit(nogil=True)
def enter(rank, threads, team, h, entry, R, x, y, inner, after, scratch):
    """x (R, h) += the entry network's output and what is carried on; `inner` holds (R, width)."""
    d, width = entry.d, entry.width
    soon = entry.first + 4 * d * share(width, rank, threads)[0]
    if entry.carry:
        for r in range(R):
            norm(entry.carried + 4 * r * h, y + 4 * r * h, h, _EPS, 0, 0)
        out = x, 4 * h, 1
        product(FLOAT, entry.carry, h, h, y, 0, R, *out, rank, threads, soon, scratch)
    nearby = entry.second + 4 * width * share(h, rank, threads)[0]
    out = inner, 4 * width, 0
    product(FLOAT, entry.first, width, d, entry.state, 0, R, *out, rank, threads, nearby, scratch)
    _silu(inner, entry.first_bias, width, R, rank, threads)
    meet(team, threads)
    out = x, 4 * h, 1
    product(FLOAT, entry.second, h, width, inner, 0, R, *out, rank, threads, after, scratch)
    _shift(x, entry.second_bias, h, R, rank, threads)
    meet(team, threads)


@njit(nogil=True, fastmath=FAST, error_model="numpy")  # a check for zero would cost the lanes
def _silu(inner, bias, width, R, rank, threads):
    """silu(inner + bias), this thread's share; walked from 0, as in kernels.layers."""
    low, high = share(width, rank, threads)
    b = carray(floats(bias + 4 * low), high - low)
    for r in range(R):
        y = carray(floats(inner + 4 * (r * width + low)), high - low)
        for j in range(high - low):
            value = y[j] + b[j]
            y[j] = value / (np.float32(1) + exp(-value))


@njit(nogil=True, fastmath=FAST)
def _shift(x, bias, h, R, rank, threads):
    """x += bias, this thread's share."""
    low, high = share(h, rank, threads)
    b = carray(floats(bias + 4 * low), high - low)
    for r in range(R):
        X = carray(floats(x + 4 * (r * h + low)), high - low)
        for j in range(high - low):
            X[j] += b[j]
