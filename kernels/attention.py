"""Grouped-query attention of one row and head over the keys and values of its slot.

Rows of one slot may follow one another, as those of a prompt do: each sees what lies before it.
"""

import math

import numpy as np
from numba import carray, njit

from kernels.bits import bfloats, floats, narrow, numbers, widen
from kernels.elementwise import FAST, exp, norm
from kernels.forms import K_NORM, KEYS, Q_NORM, ROTARY, VALUES, WINDOW
from kernels.products import scores


@njit(nogil=True)
def keep(s, t, rows, work, rank, eps, r, g):
    """Writes the key and value that row r made for key head g into its slot."""
    D = s.head_dim
    length, slot = carray(numbers(rows.lengths), r + 1)[r], carray(numbers(rows.slots), r + 1)[r]
    turned = work.mine + 4 * rank * (2 * D + s.room + 16)
    made = work.qkv + 4 * r * (s.heads + 2 * s.kv_heads) * D
    place = 2 * ((slot * s.kv_heads + g) * s.room + length) * D
    _turn(made + 4 * (s.heads + g) * D, turned, t[K_NORM], t[ROTARY], eps, rows, r, D)
    _round(turned, t[KEYS] + place, D)
    _round(made + 4 * (s.heads + s.kv_heads + g) * D, t[VALUES] + place, D)


@njit(nogil=True)
def attend(s, t, rows, work, rank, eps, r, head):
    """Puts head `head` of row r into work.heads."""
    D, group = s.head_dim, s.heads // s.kv_heads
    g = head // group
    slot = carray(numbers(rows.slots), r + 1)[r]
    end = carray(numbers(rows.lengths), r + 1)[r] + s.fresh
    query = work.mine + 4 * rank * (2 * D + s.room + 16)
    points = query + 8 * D
    made = work.qkv + 4 * r * (s.heads + 2 * s.kv_heads) * D
    place = 2 * (slot * s.kv_heads + g) * s.room * D  # bytes to this slot and group
    keys, values = t[KEYS] + place, t[VALUES] + place
    out = work.heads + 4 * (r * s.heads + head) * D

    _turn(made + 4 * head * D, query, t[Q_NORM], t[ROTARY], eps, rows, r, D)
    start = max(0, end - t[WINDOW]) if t[WINDOW] else 0
    scores(keys + 2 * start * D, end - start, D, query, points)
    total = _softmax(points, end - start, np.float32(1 / math.sqrt(D)))
    _clear(out, D)
    _gather(values + 2 * start * D, points, end - start, out, D)
    _divide(out, total, D)


@njit(nogil=True, fastmath=FAST)
def _turn(x, y, weight, rotary, eps, rows, r, D):
    """y (D): x with the norm of its family, then with its place in it."""
    if weight:  # not in place: the key of a group is turned by each of its heads
        norm(x, y, D, eps, weight, 0)
        x = y
    x, y = carray(floats(x), D), carray(floats(y), D)
    if rotary:
        cos, sin = carray(floats(rows.cos + 4 * r * D), D), carray(floats(rows.sin + 4 * r * D), D)
        half = D // 2
        for d in range(half):
            a, b = x[d], x[d + half]
            y[d] = a * cos[d] + b * sin[d]
            y[d + half] = b * cos[d + half] + a * sin[d + half]
    else:
        for d in range(D):
            y[d] = x[d]


@njit(nogil=True, fastmath=FAST)
def _softmax(points, n, scale):
    """points (n) to e^(scale (point - largest)); their sum."""
    p = carray(floats(points), n)
    most = p[0]
    for t in range(1, n):
        most = max(most, p[t])
    total = np.float32(0)
    for t in range(n):
        p[t] = exp((p[t] - most) * scale)
        total += p[t]
    return total


@njit(nogil=True, fastmath=FAST)
def _gather(values, points, n, out, D):
    """out (D) += sum of points (n) times values (n, D)."""
    v, p, y = carray(bfloats(values), (n, D)), carray(floats(points), n), carray(floats(out), D)
    for t in range(n):
        weight = p[t]
        for d in range(D):
            y[d] += weight * widen(v[t, d])


@njit(nogil=True, fastmath=FAST, error_model="numpy")
def _divide(out, total, D):
    y = carray(floats(out), D)
    for d in range(D):
        y[d] /= total


@njit(nogil=True)
def _clear(out, D):
    carray(floats(out), D)[:] = np.float32(0)


@njit(nogil=True)
def _round(x, y, D):
    """y (D) bfloat16 from x (D) float32."""
    x, y = carray(floats(x), D), carray(bfloats(y), D)
    for d in range(D):
        y[d] = narrow(x[d])
