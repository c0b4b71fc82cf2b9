"""What is asked of all logits, told with them: their largest, entropy, whether they are numbers.

Each thread looks at those that it made, while they are still in its caches; one puts the parts
together. Asked one row at a time later, it would take longer than the row's share of the pass.
"""

import math

import numpy as np
from numba import carray, njit

from kernels.bits import floats
from kernels.elementwise import FAST, exp
from kernels.products import share

PARTS, TOLD = 5, 3
"""Largest, where it first is, sum, sum of weights e^(logit - largest), sum of weight times (logit -
largest); then where the largest is, entropy in nats, sum. All float32: a place below 2^24 is
exact."""


@njit(nogil=True)
def survey(logits, vocab, ends, parts, rank, threads):
    """This thread's parts (ends, 5) of logits (ends, V), all by their addresses."""
    low, high = share(vocab, rank, threads)
    for r in range(ends):
        x = logits + 4 * (r * vocab + low)
        part = carray(floats(parts + 4 * PARTS * (rank * ends + r)), PARTS)
        part[0], part[2] = _largest_and_sum(x, high - low)
        part[1] = low + _first(x, high - low, part[0])
        part[3], part[4] = _weights(x, high - low, part[0])


@njit(nogil=True, error_model="numpy")  # nothing is raised where all weights are NaN
def tell(parts, ends, told, threads):
    """told (ends, 3) from everybody's parts."""
    for r in range(ends):
        largest, place, total = np.float32(-np.inf), np.float32(0), np.float32(0)
        for i in range(threads):
            part = carray(floats(parts + 4 * PARTS * (i * ends + r)), PARTS)
            if part[3] > 0 and part[0] > largest:
                largest, place = part[0], part[1]
            total += part[2]
        weights, weighted = np.float32(0), np.float32(0)
        for i in range(threads):
            part = carray(floats(parts + 4 * PARTS * (i * ends + r)), PARTS)
            if part[3] > 0:
                below = part[0] - largest
                factor = np.float32(math.exp(below))
                weights += factor * part[3]
                weighted += factor * (part[4] + below * part[3])
        out = carray(floats(told + 4 * TOLD * r), TOLD)
        out[0], out[1] = place, np.float32(math.log(weights)) - weighted / weights
        out[2] = total


@njit(nogil=True, fastmath=FAST)
def _largest_and_sum(x, n):
    x = carray(floats(x), n)
    largest, total = np.float32(-np.inf), np.float32(0)
    for k in range(n):
        largest = max(largest, x[k])
        total += x[k]
    return largest, total


@njit(nogil=True)
def _first(x, n, wanted):
    """Where it first stands; 0 where it does not, as after a NaN."""
    x = carray(floats(x), n)
    for k in range(n):
        if x[k] == wanted:
            return k
    return 0


@njit(nogil=True, fastmath=FAST)
def _weights(x, n, largest):
    x = carray(floats(x), n)
    total, weighted = np.float32(0), np.float32(0)
    for k in range(n):
        below = x[k] - largest
        weight = exp(below)
        total += weight
        weighted += weight * below
    return total, weighted
