"""One pass of few rows through all layers of a Llama-shaped LM, or of the path beside it.

The arithmetic of model/backbone.py and model/l2d.py, in float32 over bfloat16 weights, keys and
values. Everything is passed by address. All threads run it together: between two meetings each does
its own share of the outputs, and nobody reads what another writes.
"""

from numba import carray, njit

from kernels import KEPT
from kernels import forms as f
from kernels.attention import attend
from kernels.bits import bfloats, floats, numbers, widen
from kernels.elementwise import FAST, exp, norm
from kernels.products import product, row_bytes, share
from kernels.team import meet


@njit(nogil=True, cache=KEPT)
def run(rank, threads, team, s, table, ending, eps, R, rows, work):
    """From `x` to `hidden` and `logits`. `ending`: addresses of last norm, head, its scales."""
    mods, exits = carray(numbers(rows.modulations), R), carray(numbers(rows.exits), R)
    last_norm, head, head_scales = ending
    h, y = s.hidden, work.y + 4 * rank * R * s.hidden
    for layer in range(s.layers):
        t = table[layer]
        six = 12 * h * layer  # bytes to this layer's vectors
        _normed(work.x, y, h, eps, mods, six, R)
        _attention(rank, threads, team, s, t, eps, R, rows, work, y)
        _add(work, h, mods, six + 4 * h, R, rank, threads)
        meet(team, threads)
        _normed(work.x, y, h, eps, mods, six + 6 * h, R)
        after = _start(head, head_scales, s.vocab, h, rank, threads)
        if layer + 1 < s.layers:
            t_next = table[layer + 1]
            after = _start(t_next[f.QKV], t_next[f.QKV_SCALES], _made(s), h, rank, threads)
        _mlp(rank, threads, team, s, t, R, work, y, after)
        _add(work, h, mods, six + 10 * h, R, rank, threads)
        meet(team, threads)
    _exit(work, h, exits, R, rank, threads)
    meet(team, threads)
    for r in range(R):
        norm(work.hidden + 4 * r * h, y + 4 * r * h, h, eps, last_norm, 0)
    product(head, head_scales, s.vocab, h, y, R, work.logits, 4 * s.vocab, rank, threads, head)
    meet(team, threads)


@njit(nogil=True)
def _attention(rank, threads, team, s, t, eps, R, rows, work, y):
    h, q_size = s.hidden, s.heads * s.head_dim
    wide = q_size + 2 * s.kv_heads * s.head_dim
    made = _made(s)
    after = _start(t[f.O], t[f.O_SCALES], h, q_size, rank, threads)
    product(t[f.QKV], t[f.QKV_SCALES], made, h, y, R, work.qkv, 4 * wide, rank, threads, after)
    _bias(t[f.QKV_BIAS], work.qkv, made, wide, R, rank, threads)
    meet(team, threads)
    units = R * s.heads
    for unit in range(units * rank // threads, units * (rank + 1) // threads):
        attend(s, t, rows, work, rank, eps, unit // s.heads, unit % s.heads)
    meet(team, threads)
    after = _start(t[f.GATE], t[f.GATE_SCALES], s.mlp, h, rank, threads)
    product(t[f.O], t[f.O_SCALES], h, q_size, work.heads, R, work.out, 4 * h, rank, threads, after)
    _bias(t[f.O_BIAS], work.out, h, h, R, rank, threads)


@njit(nogil=True)
def _mlp(rank, threads, team, s, t, R, work, y, after):
    h, n = s.hidden, s.mlp
    nearby = _start(t[f.UP], t[f.UP_SCALES], n, h, rank, threads)
    product(t[f.GATE], t[f.GATE_SCALES], n, h, y, R, work.gate, 4 * n, rank, threads, nearby)
    nearby = _start(t[f.DOWN], t[f.DOWN_SCALES], h, n, rank, threads)
    product(t[f.UP], t[f.UP_SCALES], n, h, y, R, work.up, 4 * n, rank, threads, nearby)
    _bias(t[f.GATE_BIAS], work.gate, n, n, R, rank, threads)
    _bias(t[f.UP_BIAS], work.up, n, n, R, rank, threads)
    _gate(work, n, R, rank, threads)
    meet(team, threads)
    product(t[f.DOWN], t[f.DOWN_SCALES], h, n, work.gate, R, work.out, 4 * h, rank, threads, after)
    _bias(t[f.DOWN_BIAS], work.out, h, h, R, rank, threads)


@njit(nogil=True, inline="always")
def _start(w, scales, n, K, rank, threads):
    """Where this thread's share of a matrix (n, K) begins."""
    return w + row_bytes(scales, K) * share(n, rank, threads)[0]


@njit(nogil=True, inline="always")
def _made(s):
    """Queries, and keys and values where they are made: the outputs of a pass's first product."""
    return (s.heads + 2 * s.kv_heads * s.fresh) * s.head_dim


@njit(nogil=True)
def _normed(x, y, h, eps, mods, at, R):
    for r in range(R):
        norm(x + 4 * r * h, y + 4 * r * h, h, eps, mods[r] + at, mods[r] + at + 2 * h)


@njit(nogil=True, fastmath=FAST)
def _bias(bias, y, n, wide, R, rank, threads):
    if bias:
        low, high = share(n, rank, threads)
        b, Y = carray(bfloats(bias), n), carray(floats(y), (R, wide))
        for r in range(R):
            for j in range(low, high):
                Y[r, j] += widen(b[j])


@njit(nogil=True, fastmath=FAST)
def _add(work, h, mods, at, R, rank, threads):
    """x += g out, this thread's share."""
    low, high = share(h, rank, threads)
    x, out = carray(floats(work.x), (R, h)), carray(floats(work.out), (R, h))
    for r in range(R):
        g = carray(bfloats(mods[r] + at), h)
        for j in range(low, high):
            x[r, j] += widen(g[j]) * out[r, j]


@njit(nogil=True, fastmath=FAST)
def _gate(work, n, R, rank, threads):
    """gate = silu(gate) up, this thread's share."""
    low, high = share(n, rank, threads)
    gate, up = carray(floats(work.gate), (R, n)), carray(floats(work.up), (R, n))
    for r in range(R):
        for j in range(low, high):
            gate[r, j] *= up[r, j] / (1 + exp(-gate[r, j]))


@njit(nogil=True, fastmath=FAST)
def _exit(work, h, exits, R, rank, threads):
    """hidden = H + w x in a pass of the path, x in one of the LM."""
    low, high = share(h, rank, threads)
    x, H = carray(floats(work.x), (R, h)), carray(floats(work.hidden), (R, h))
    for r in range(R):
        if exits[r]:
            w = carray(bfloats(exits[r]), h)
            for j in range(low, high):
                H[r, j] += widen(w[j]) * x[r, j]
        else:
            for j in range(low, high):
                H[r, j] = x[r, j]
