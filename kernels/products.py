"""Y = X W^T for few rows of X: the weights, bfloat16 or int8, are read once; sums are float32.

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

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_F32 = ir.FloatType()
_BYTES, _BITS, _WORDS, _FLOATS = (ir.VectorType(kind, LANES) for kind in (_I8, _I16, _I32, _F32))


def _tile(M: int, N: int, quantised: bool) -> Any:
    """tile(w, scales, x, x_step, K, y, y_step): addresses, bytes from row to row; K % 16 == 0.

    Puts the products of W's M rows, K numbers each, side by side, with X's N rows (K float32) into
    N rows of y, M float32 each. W is bfloat16, or int8 to be multiplied by a float32 scale a row.
    """
    size, kind = (1, _BYTES) if quantised else (2, _BITS)

    @intrinsic
    def tile(
        _context: Any, w: Any, scales: Any, x: Any, x_step: Any, K: Any, y: Any, y_step: Any
    ) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, scales, x, x_step, K, y, y_step = args

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
                near = builder.add(w, times(loop.index, size * LANES))
                rows = []
                for m in range(M):
                    bits = builder.load(at(builder.add(near, times(K, size * m)), kind), align=size)
                    if quantised:
                        rows.append(builder.sitofp(bits, _FLOATS))
                    else:
                        shift = ir.Constant(_WORDS, [16] * LANES)
                        upper = builder.shl(builder.zext(bits, _WORDS), shift)
                        rows.append(builder.bitcast(upper, _FLOATS))
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
                    if quantised:
                        scale = at(builder.add(scales, ir.Constant(_I64, 4 * m)), _F32)
                        whole = builder.fmul(whole, builder.load(scale, align=4))
                    place = builder.add(y, builder.add(times(y_step, n), ir.Constant(_I64, 4 * m)))
                    builder.store(whole, at(place, _F32), align=4)

        return types.void(*[types.int64] * 7), codegen

    return tile


_tall_1, _tall_2, _tall_3, _tall_4 = (_tile(_HEIGHT, n, False) for n in range(1, _WIDTH + 1))
_flat_1, _flat_2, _flat_3, _flat_4 = (_tile(1, n, False) for n in range(1, _WIDTH + 1))
_tall8_1, _tall8_2, _tall8_3, _tall8_4 = (_tile(_HEIGHT, n, True) for n in range(1, _WIDTH + 1))
_flat8_1, _flat8_2, _flat8_3, _flat8_4 = (_tile(1, n, True) for n in range(1, _WIDTH + 1))


def _any_width(one: Any, two: Any, three: Any, four: Any) -> Any:
    """The tile for 1 to 4 rows of X, told by its last argument."""

    @njit(nogil=True)
    def tile(w, scales, x, x_step, K, y, y_step, width):
        if width == 1:
            one(w, scales, x, x_step, K, y, y_step)
        elif width == 2:
            two(w, scales, x, x_step, K, y, y_step)
        elif width == 3:
            three(w, scales, x, x_step, K, y, y_step)
        else:
            four(w, scales, x, x_step, K, y, y_step)

    return tile


_tall = _any_width(_tall_1, _tall_2, _tall_3, _tall_4)
_flat = _any_width(_flat_1, _flat_2, _flat_3, _flat_4)
_tall8 = _any_width(_tall8_1, _tall8_2, _tall8_3, _tall8_4)
_flat8 = _any_width(_flat8_1, _flat8_2, _flat8_3, _flat8_4)


@njit(nogil=True)
def product(w, scales, n, K, x, R, y, y_step, rank, threads, after):
    """This thread's share of Y (R, n) from X (R, K) and W (n, K), all by their addresses.

    W is int8 where it has `scales` (n), else bfloat16. `y_step` is bytes from a row of Y to the
    next, `after` the address of what this thread reads next, to be on its way when it is wanted.
    """
    low, high = share(n, rank, threads)
    w_step, x_step = row_bytes(scales, K), 4 * K
    end = w + high * w_step
    j = low
    while j < high:
        height = _HEIGHT if j + _HEIGHT <= high else 1
        ahead = w + j * w_step + _AHEAD
        if ahead >= end:
            ahead = after + ahead - end
        for line in range(0, height * w_step, _LINE):
            prefetch(ahead + line)
        for r in range(0, R, _WIDTH):
            width = min(R - r, _WIDTH)
            rows, columns, out = w + j * w_step, x + r * x_step, y + r * y_step + 4 * j
            if not scales and height > 1:
                _tall(rows, 0, columns, x_step, K, out, y_step, width)
            elif not scales:
                _flat(rows, 0, columns, x_step, K, out, y_step, width)
            elif height > 1:
                _tall8(rows, scales + 4 * j, columns, x_step, K, out, y_step, width)
            else:
                _flat8(rows, scales + 4 * j, columns, x_step, K, out, y_step, width)
        j += height


@njit(nogil=True)
def scores(w, n, K, x, y):
    """y (n) from W (n, K) in bfloat16 and one row x (K), all by this thread."""
    j = 0
    while j + _HEIGHT <= n:
        _tall_1(w + 2 * j * K, 0, x, 0, K, y + 4 * j, 0)
        j += _HEIGHT
    while j < n:
        _flat_1(w + 2 * j * K, 0, x, 0, K, y + 4 * j, 0)
        j += 1


@njit(nogil=True, inline="always")
def row_bytes(scales, K):
    """Of a row of K weights."""
    return K if scales else 2 * K


@njit(nogil=True, inline="always")
def share(n, rank, threads):
    """First and last + 1 of the n that this thread does; shares are whole tiles."""
    tiles = (n + _HEIGHT - 1) // _HEIGHT
    return _HEIGHT * (tiles * rank // threads), min(n, _HEIGHT * (tiles * (rank + 1) // threads))
