"""One pass of few rows through all layers of a Llama-shaped LM, or of the path beside it.

The arithmetic of model/backbone.py and model/l2d.py, in float32; weights are in any form of
kernels.tiles, keys and values bfloat16. Everything is passed by address. All threads run it
together: between two meetings each does its own share of the outputs, and nobody reads what another
writes.
"""

import numpy as np
from numba import carray, njit

from kernels import KEPT
from kernels import forms as f
from kernels.attention import attend_all, keep
from kernels.bits import bfloats, floats, numbers, widen
from kernels.elementwise import FAST, exp, norm
from kernels.entry import enter
from kernels.packing import UNIT, low_packed, packed
from kernels.products import product, scratch_bytes, share
from kernels.team import meet
from kernels.telling import survey, tell
from kernels.tiles import row_bytes
from kernels.wide import begin, end


@njit(nogil=True, cache=KEPT)
def run(rank, threads, team, s, table, entry, ending, eps, R, ends, rows, work):
    """From `x` to `hidden`, and to `logits` of `ends` of the R rows and what is told of them.

    What comes of `entry` is added to x first, in a pass of the path. `ending`: addresses of last
    norm and head, its form.
    """
    mods, exits = carray(numbers(rows.modulations), R), carray(numbers(rows.exits), R)
    last_norm, head, form = ending
    h, y, scratch = s.hidden, work.y + 4 * rank * R * s.hidden, _scratch(s, work, rank)
    if s.packing == UNIT:
        begin()
    if entry.first:
        first = _start(s, table[0], f.QKV, _made(s), h, rank, threads)
        enter(rank, threads, team, h, entry, R, work.x, y, work.gate, first, scratch)
    for layer in range(s.layers):
        t = table[layer]
        six = 12 * h * layer  # bytes to this layer's vectors
        _normed(work.x, y, h, eps, mods, six, R)
        _attention(rank, threads, team, s, t, eps, R, rows, work, y)
        _add(work, h, mods, six + 4 * h, R, rank, threads)
        meet(team, threads)
        _normed(work.x, y, h, eps, mods, six + 6 * h, R)
        after = head + row_bytes(form, h) * share(s.vocab, rank, threads)[0]
        if layer + 1 < s.layers:
            after = _start(s, table[layer + 1], f.QKV, _made(s), h, rank, threads)
        _mlp(rank, threads, team, s, t, R, work, y, after)
        _add(work, h, mods, six + 10 * h, R, rank, threads)
        meet(team, threads)
    _exit(work, h, exits, R, rank, threads)
    meet(team, threads)
    wanted, R = carray(numbers(rows.wanted), ends), ends
    for r in range(ends):
        norm(work.hidden + 4 * wanted[r] * h, y + 4 * r * h, h, eps, last_norm, 0)
    x, out = (y, _packed(s, y, R, h, work, rank, threads, team)), (work.logits, 4 * s.vocab)
    product(form, head, s.vocab, h, *x, R, *out, 0, rank, threads, head, scratch)
    if s.packing == UNIT:
        end()
    survey(work.logits, s.vocab, ends, work.parts, rank, threads)
    meet(team, threads)
    if rank == 0:
        tell(work.parts, ends, work.told, threads)


@njit(nogil=True)
def _attention(rank, threads, team, s, t, eps, R, rows, work, y):
    h, q_size = s.hidden, s.heads * s.head_dim
    wide = q_size + 2 * s.kv_heads * s.head_dim
    after = _start(s, t, f.O, h, q_size, rank, threads)
    x = y, _packed(s, y, R, h, work, rank, threads, team)
    _linear(rank, threads, team, s, t, f.QKV, _made(s), h, x, R, work, work.qkv, wide, after)
    meet(team, threads)
    if s.fresh:
        units = R * s.kv_heads
        for unit in range(units * rank // threads, units * (rank + 1) // threads):
            keep(s, t, rows, work, rank, eps, unit // s.kv_heads, unit % s.kv_heads)
        meet(team, threads)
    attend_all(s, t, rows, work, rank, threads, eps, R)
    meet(team, threads)
    after = _start(s, t, f.GATE, s.mlp, h, rank, threads)
    x = work.heads, _packed(s, work.heads, R, q_size, work, rank, threads, team)
    _linear(rank, threads, team, s, t, f.O, h, q_size, x, R, work, work.out, h, after)


@njit(nogil=True)
def _mlp(rank, threads, team, s, t, R, work, y, after):
    h, n = s.hidden, s.mlp
    x = y, _packed(s, y, R, h, work, rank, threads, team)
    nearby = _start(s, t, f.UP, n, h, rank, threads)
    _linear(rank, threads, team, s, t, f.GATE, n, h, x, R, work, work.gate, n, nearby)
    nearby = _start(s, t, f.DOWN, h, n, rank, threads)
    _linear(rank, threads, team, s, t, f.UP, n, h, x, R, work, work.up, n, nearby)
    _gate(work, n, R, rank, threads)
    meet(team, threads)
    x = work.gate, _packed(s, work.gate, R, n, work, rank, threads, team)
    _linear(rank, threads, team, s, t, f.DOWN, h, n, x, R, work, work.out, h, after)


@njit(nogil=True)
def _linear(rank, threads, team, s, t, m, n, K, x, R, work, y, wide, after):
    """This thread's share of matrix m, its change and its bias: Y (R, n), in rows of `wide`.

    x is the address of X, and that of X packed or 0.
    """
    form, scratch = t[m + f.FORM], _scratch(s, work, rank)
    own, A, B = share(n, rank, threads)[0], t[m + f.A], t[m + f.B]
    low = work.low + 4 * (m % 2) * R * s.rank  # others may still read what came just before
    nearby, y_step, step = after, 4 * wide, 4 * s.rank
    if A:
        nearby = t[m] + own * row_bytes(form, K)
        product(s.change, A, s.rank, K, *x, R, low, step, 0, rank, threads, nearby, scratch)
        meet(team, threads)
        nearby = B + own * row_bytes(s.change, s.rank)
    product(form, t[m], n, K, *x, R, y, y_step, 0, rank, threads, nearby, scratch)
    if A:
        z = low, low_packed(s, low, R, _longest(s), work, rank, threads)
        product(s.change, B, n, s.rank, *z, R, y, y_step, 1, rank, threads, after, scratch)
    _bias(t[m + f.BIAS], y, n, wide, R, rank, threads)


@njit(nogil=True, inline="always")
def _start(s, t, m, n, K, rank, threads):
    """Where this thread begins to read for matrix m (n, K)."""
    if t[m + f.A]:
        return t[m + f.A] + row_bytes(s.change, K) * share(s.rank, rank, threads)[0]
    return t[m] + row_bytes(t[m + f.FORM], K) * share(n, rank, threads)[0]


@njit(nogil=True, inline="always")
def _made(s):
    """Queries, and keys and values where they are made: the outputs of a pass's first product."""
    return (s.heads + 2 * s.kv_heads * s.fresh) * s.head_dim


@njit(nogil=True, inline="always")
def _scratch(s, work, rank):
    return work.rows + rank * scratch_bytes(_longest(s))


@njit(nogil=True, inline="always")
def _longest(s):
    """Numbers in the longest row of input."""
    return max(s.hidden, s.mlp, s.heads * s.head_dim)


@njit(nogil=True, inline="always")
def _packed(s, x, R, K, work, rank, threads, team):
    return packed(s, x, R, K, _longest(s), work, rank, threads, team)


@njit(nogil=True)
def _normed(x, y, h, eps, mods, at, R):
    for r in range(R):
        norm(x + 4 * r * h, y + 4 * r * h, h, eps, mods[r] + at, mods[r] + at + 2 * h)


# Shares are walked from 0: an index that might be negative, for all the compiler knows, costs the
# lanes.


@njit(nogil=True, fastmath=FAST)
def _bias(bias, y, n, wide, R, rank, threads):
    if bias:
        low, high = share(n, rank, threads)
        b = carray(bfloats(bias + 2 * low), high - low)
        for r in range(R):
            Y = carray(floats(y + 4 * (r * wide + low)), high - low)
            for j in range(high - low):
                Y[j] += widen(b[j])


@njit(nogil=True, fastmath=FAST)
def _add(work, h, mods, at, R, rank, threads):
    """x += g out, this thread's share."""
    low, high = share(h, rank, threads)
    for r in range(R):
        own = 4 * (r * h + low)
        x, out = _part(work.x + own, high - low), _part(work.out + own, high - low)
        g = carray(bfloats(mods[r] + at + 2 * low), high - low)
        for j in range(high - low):
            x[j] += widen(g[j]) * out[j]


@njit(nogil=True, fastmath=FAST, error_model="numpy")  # a check for zero would cost the lanes
def _gate(work, n, R, rank, threads):
    """gate = silu(gate) up, this thread's share."""
    low, high = share(n, rank, threads)
    for r in range(R):
        own = 4 * (r * n + low)
        gate, up = _part(work.gate + own, high - low), _part(work.up + own, high - low)
        for j in range(high - low):
            gate[j] *= up[j] / (np.float32(1) + exp(-gate[j]))


@njit(nogil=True, fastmath=FAST)
def _exit(work, h, exits, R, rank, threads):
    """hidden = H + w x in a pass of the path, x in one of the LM."""
    low, high = share(h, rank, threads)
    for r in range(R):
        own = 4 * (r * h + low)
        x, H = _part(work.x + own, high - low), _part(work.hidden + own, high - low)
        if exits[r]:
            w = carray(bfloats(exits[r] + 2 * low), high - low)
            for j in range(high - low):
                H[j] += widen(w[j]) * x[j]
        else:
            for j in range(high - low):
                H[j] = x[j]


@njit(nogil=True, inline="always")
def _part(address, n):
    return carray(floats(address), n)
