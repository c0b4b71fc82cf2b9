"""Grouped-query attention of one row and head over the keys and values of its slot.

Rows of one slot may follow one another, as those of a prompt do: each sees what lies before it.
"""

import math

import numpy as np
from numba import carray, njit

from kernels.bits import bfloats, floats, narrow, numbers, widen
from kernels.elementwise import FAST, exp, norm
from kernels.forms import K_NORM, KEYS, Q_NORM, ROTARY, VALUES, WINDOW
from kernels.products import prefetch_all, scores


@njit(nogil=True)
def keep(s, t, rows, work, rank, eps, r, g):
    """Writes the key and value that row r made for key head g into its slot."""
    D = s.head_dim
    length = carray(numbers(rows.lengths), r + 1)[r]
    turned = work.mine + 4 * rank * (2 * D + s.room + 16)
    made = work.qkv + 4 * r * (s.heads + 2 * s.kv_heads) * D
    place = _place(s, rows, r, g) + 2 * length * D
    _turn(made + 4 * (s.heads + g) * D, turned, t[K_NORM], t[ROTARY], eps, rows, r, D)
    _round(turned, t[KEYS] + place, D)
    _round(made + 4 * (s.heads + s.kv_heads + g) * D, t[VALUES] + place, D)


@njit(nogil=True)
def attend_all(s, t, rows, work, rank, threads, eps, R):
    """This thread's share of all rows' heads, row by row.

    While one group's heads are at work the next one's keys and values are on their way: since the
    last pass the weights have driven them out of the caches.
    """
    units, group = R * s.heads, s.heads // s.kv_heads
    last = units * (rank + 1) // threads
    for unit in range(units * rank // threads, last):
        r, head, soon = unit // s.heads, unit % s.heads, min(unit + group, last - 1)
        after = _place(s, rows, soon // s.heads, soon % s.heads // group)
        attend(s, t, rows, work, rank, eps, r, head, after)


@njit(nogil=True, inline="always")
def _place(s, rows, r, g):
    """Bytes to where the slot of row r has its keys, and its values, for key head g."""
    slot = carray(numbers(rows.slots), r + 1)[r]
    return 2 * (slot * s.kv_heads + g) * s.room * s.head_dim


@njit(nogil=True)
def attend(s, t, rows, work, rank, eps, r, head, after):
    """Puts head `head` of row r into work.heads. `after`: the place that is wanted soon."""
    D, group = s.head_dim, s.heads // s.kv_heads
    end = carray(numbers(rows.lengths), r + 1)[r] + s.fresh
    query = work.mine + 4 * rank * (2 * D + s.room + 16)
    points = query + 8 * D
    made = work.qkv + 4 * r * (s.heads + 2 * s.kv_heads) * D
    place = _place(s, rows, r, head // group)
    keys, values = t[KEYS] + place, t[VALUES] + place
    out = work.heads + 4 * (r * s.heads + head) * D

    _turn(made + 4 * head * D, query, t[Q_NORM], t[ROTARY], eps, rows, r, D)
    start = max(0, end - t[WINDOW]) if t[WINDOW] else 0
    scores(keys + 2 * start * D, end - start, D, query, points, after - place)
    total = _softmax(points, end - start, np.float32(1 / math.sqrt(D)))
    _clear(out, D)
    _gather(values + 2 * start * D, points, end - start, out, D, after - place)
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
def _gather(values, points, n, out, D, ahead):
    """out (D) += sum of points (n) times values (n, D). Those `ahead` bytes on are asked for."""
    p, y = carray(floats(points), n), carray(floats(out), D)
    whole = n // 4 * 4
    for t in range(0, whole, 4):  # four at a time: each turn waits for what the one before wrote
        at = values + 2 * t * D
        prefetch_all(at + ahead, 8 * D)
        a, b = carray(bfloats(at), D), carray(bfloats(at + 2 * D), D)
        c, d = carray(bfloats(at + 4 * D), D), carray(bfloats(at + 6 * D), D)
        for k in range(D):
            first = p[t] * widen(a[k]) + p[t + 1] * widen(b[k])
            y[k] += first + (p[t + 2] * widen(c[k]) + p[t + 3] * widen(d[k]))
    for t in range(whole, n):
        a = carray(bfloats(values + 2 * t * D), D)
        for k in range(D):
            y[k] += p[t] * widen(a[k])


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
