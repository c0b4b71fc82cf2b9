"""Y = X W^T for few rows of X: the weights are read once, from bfloat16, and summed in float32.

One tile is M rows of W by N rows of X. Its code is written in vectors of 16, which LLVM turns into
what the processor has.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from kernels.bits import prefetch

LANES = 16
_WIDTH, _HEIGHT = 4, 4
"""Of the largest tile: rows of X, rows of W. More would not stay in registers."""
_AHEAD = 4096
"""Bytes read ahead: hardware alone reaches two thirds of the memory's speed (docs/LOG.md)."""
_LINE = 64
_FAST = ("reassoc", "contract", "nsz")
"""Sums may be split over lanes; a NaN stays a NaN."""

_I16, _I32, _I64, _F32 = ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()
_BITS, _WORDS, _FLOATS = (ir.VectorType(kind, LANES) for kind in (_I16, _I32, _F32))


def _tile(M: int, N: int) -> Any:
    """tile(w, x, x_step, K, y, y_step): addresses, and bytes from a row to the next; K % 16 == 0.

    Puts the products of W's M rows (K bfloat16 each, side by side) with X's N rows (K float32)
    into N rows of y, M float32 each.
    """

    @intrinsic
    def tile(_context: Any, w: Any, x: Any, x_step: Any, K: Any, y: Any, y_step: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, x, x_step, K, y, y_step = args

            def at(address: Any, kind: Any) -> Any:
                return builder.inttoptr(address, kind.as_pointer())

            def times(value: Any, factor: int) -> Any:
                return builder.mul(value, ir.Constant(_I64, factor))

            sums = [
                [cgutils.alloca_once_value(builder, _FLOATS(None)) for _ in range(N)]
                for _ in range(M)
            ]
            count = builder.udiv(K, ir.Constant(_I64, LANES))
            with cgutils.for_range(builder, count) as loop:
                near = builder.add(w, times(loop.index, 2 * LANES))
                rows = []
                for m in range(M):
                    place = at(builder.add(near, times(K, 2 * m)), _BITS)
                    upper = builder.zext(builder.load(place, align=2), _WORDS)
                    shift = ir.Constant(_WORDS, [16] * LANES)
                    rows.append(builder.bitcast(builder.shl(upper, shift), _FLOATS))
                near = builder.add(x, times(loop.index, 4 * LANES))
                for n in range(N):
                    place = at(builder.add(near, times(x_step, n)), _FLOATS)
                    column = builder.load(place, align=4)
                    for m in range(M):
                        product = builder.fmul(rows[m], column, flags=_FAST)
                        total = builder.fadd(builder.load(sums[m][n]), product, flags=_FAST)
                        builder.store(total, sums[m][n])
            add = builder.module.declare_intrinsic(
                f"llvm.vector.reduce.fadd.v{LANES}f32", (), ir.FunctionType(_F32, (_F32, _FLOATS))
            )
            for m in range(M):
                for n in range(N):
                    whole = builder.call(add, [_F32(0.0), builder.load(sums[m][n])], fastmath=_FAST)
                    place = builder.add(y, builder.add(times(y_step, n), ir.Constant(_I64, 4 * m)))
                    builder.store(whole, at(place, _F32), align=4)

        return types.void(*[types.int64] * 6), codegen

    return tile


_tall_1, _tall_2, _tall_3, _tall_4 = (_tile(_HEIGHT, n) for n in range(1, _WIDTH + 1))
_flat_1, _flat_2, _flat_3, _flat_4 = (_tile(1, n) for n in range(1, _WIDTH + 1))


@njit(nogil=True)
def product(w, n, K, x, R, y, y_step, rank, threads, after):
    """This thread's share of Y (R, n) from X (R, K) and W (n, K), all by their addresses.

    `y_step` is bytes from a row of Y to the next, `after` the address of what this thread reads
    next, to be on its way when it is wanted.
    """
    low, high = share(n, rank, threads)
    w_step, x_step = 2 * K, 4 * K
    end = w + high * w_step
    j = low
    while j < high:
        height = _HEIGHT if j + _HEIGHT <= high else 1
        ahead = w + j * w_step + _AHEAD
        if ahead >= end:
            ahead = after + ahead - end
        for line in range(0, height * w_step, _LINE):
            prefetch(ahead + line)
        r = 0
        while r < R:
            width = min(R - r, _WIDTH)
            rows, columns, out = w + j * w_step, x + r * x_step, y + r * y_step + 4 * j
            if height == 1:
                if width == 1:
                    _flat_1(rows, columns, x_step, K, out, y_step)
                elif width == 2:
                    _flat_2(rows, columns, x_step, K, out, y_step)
                elif width == 3:
                    _flat_3(rows, columns, x_step, K, out, y_step)
                else:
                    _flat_4(rows, columns, x_step, K, out, y_step)
            elif width == 1:
                _tall_1(rows, columns, x_step, K, out, y_step)
            elif width == 2:
                _tall_2(rows, columns, x_step, K, out, y_step)
            elif width == 3:
                _tall_3(rows, columns, x_step, K, out, y_step)
            else:
                _tall_4(rows, columns, x_step, K, out, y_step)
            r += width
        j += height


@njit(nogil=True)
def scores(w, n, K, x, y):
    """y (n) from W (n, K) and one row x (K), all by this thread."""
    j = 0
    while j + _HEIGHT <= n:
        _tall_1(w + 2 * j * K, x, 0, K, y + 4 * j, 0)
        j += _HEIGHT
    while j < n:
        _flat_1(w + 2 * j * K, x, 0, K, y + 4 * j, 0)
        j += 1


@njit(nogil=True, inline="always")
def share(n, rank, threads):
    """First and last + 1 of the n that this thread does; shares are whole tiles."""
    tiles = (n + _HEIGHT - 1) // _HEIGHT
    return _HEIGHT * (tiles * rank // threads), min(n, _HEIGHT * (tiles * (rank + 1) // threads))
