"""Grouped-query attention of one row and head over the keys and values of its slot."""

import math

import numpy as np
from numba import carray, njit

from kernels.bits import bfloats, floats, narrow, numbers, widen
from kernels.elementwise import FAST, exp, norm
from kernels.forms import K_NORM, KEYS, Q_NORM, ROTARY, VALUES, WINDOW
from kernels.products import scores


@njit(nogil=True)
def attend(s, t, rows, work, rank, eps, r, head):
    """Puts head `head` of row r into work.heads; the first of a group keeps its new key, value."""
    D, group = s.head_dim, s.heads // s.kv_heads
    g = head // group
    length, slot = carray(numbers(rows.lengths), r + 1)[r], carray(numbers(rows.slots), r + 1)[r]
    query = work.mine + 4 * rank * (3 * D + s.room + 16)
    turned, key, value, points = query + 4 * D, query + 8 * D, query + 10 * D, query + 12 * D
    made = work.qkv + 4 * r * (s.heads + 2 * s.kv_heads) * D
    place = 2 * (slot * s.kv_heads + g) * s.room * D  # bytes to this slot and group
    keys, values = t[KEYS] + place, t[VALUES] + place
    out = work.heads + 4 * (r * s.heads + head) * D

    _turn(made + 4 * head * D, query, t[Q_NORM], t[ROTARY], eps, rows, r, D)
    start, own = 0, length
    if t[WINDOW]:
        start = max(0, length + s.fresh - t[WINDOW])
    scores(keys + 2 * start * D, length - start, D, query, points)
    if s.fresh:
        # Every head of a group makes the new key for itself, so that no thread waits for another.
        _turn(made + 4 * (s.heads + g) * D, turned, t[K_NORM], t[ROTARY], eps, rows, r, D)
        _round(turned, key, D)
        _round(made + 4 * (s.heads + s.kv_heads + g) * D, value, D)
        scores(key, 1, D, query, points + 4 * (length - start))
        own += 1
        if head % group == 0:
            _copy(key, keys + 2 * length * D, D)
            _copy(value, values + 2 * length * D, D)
    total = _softmax(points, own - start, np.float32(1 / math.sqrt(D)))
    _clear(out, D)
    _gather(values + 2 * start * D, points, length - start, out, D)
    if s.fresh:
        _gather(value, points + 4 * (length - start), 1, out, D)
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


@njit(nogil=True, fastmath=FAST)
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


@njit(nogil=True)
def _copy(x, y, D):
    x, y = carray(bfloats(x), D), carray(bfloats(y), D)
    for d in range(D):
        y[d] = x[d]
