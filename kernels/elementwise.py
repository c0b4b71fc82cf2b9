"""Small things over vectors, written so that LLVM uses whole lanes for them."""

import math

import numpy as np
from numba import carray, njit

from kernels.bits import bfloats, floats, nearest, two_to, widen

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be split over lanes; a NaN stays a NaN."""

_LOG2E = np.float32(math.log2(math.e))
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
"""Their sum is ln 2; the first has so few bits that its products with small integers are exact."""
_TERMS = tuple(np.float32(1 / math.factorial(n)) for n in range(8))
_LEAST, _MOST = np.float32(-87.0), np.float32(88.0)


@njit(nogil=True, inline="always")
def exp(x):
    """e^x in float32, within 2e-7 of it; outside [-87, 88] that of the nearer end.

    2^n times the Taylor series of what is left, at most ln(2)/2. No call, so a loop of it is
    vectors.
    """
    x = min(max(x, _LEAST), _MOST)
    n = nearest(x * _LOG2E)
    rest = (x - n * _LN2_HIGH) - n * _LN2_LOW
    series = _TERMS[7]
    series = series * rest + _TERMS[6]
    series = series * rest + _TERMS[5]
    series = series * rest + _TERMS[4]
    series = series * rest + _TERMS[3]
    series = series * rest + _TERMS[2]
    series = series * rest + _TERMS[1]
    series = series * rest + _TERMS[0]
    return series * two_to(n)


@njit(nogil=True, fastmath=FAST)
def norm(x, y, n, eps, weight, shift):
    """y = x / rms(x) * weight + shift; all addresses, the last two bfloat16 or 0 for none."""
    x, y = carray(floats(x), n), carray(floats(y), n)
    squares = np.float32(0)
    for k in range(n):
        squares += x[k] * x[k]
    scale = np.float32(1) / np.float32(math.sqrt(squares / np.float32(n) + np.float32(eps)))
    for k in range(n):
        y[k] = x[k] * scale
    if weight:
        w = carray(bfloats(weight), n)
        for k in range(n):
            y[k] *= widen(w[k])
    if shift:
        s = carray(bfloats(shift), n)
        for k in range(n):
            y[k] += widen(s[k])
