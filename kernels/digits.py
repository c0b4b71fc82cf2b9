"""Products of whole numbers with whole numbers, by the vectors of x86 processors.

A block of 32 numbers of input becomes a scale and 16-bit whole numbers. Weights are the whole
numbers they were published as, of 16 rows side by side. So a block's product is an exact integer
(kernels.dots), which is scaled once, and a row of input comes to the same bits however many there
are. What is lost is a 65,000th of a block's largest input.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from kernels.bits import ONCE, ask_for
from kernels.dots import LENGTH, LINE, MOST, WIDTH, exact, keep
from kernels.tiles import BLOCK, LANED_EIGHT, LANED_FOUR, LANES, at, bytes_of_block, splat, times
from kernels.unit import DOTS

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_F32, _HALF = ir.FloatType(), ir.HalfType()
_WORDS, _FLOATS, _HALVES = (ir.VectorType(kind, LANES) for kind in (_I32, _F32, _HALF))

_ROUNDING, _AT_ROUNDING = 1.5 * 2**23, 0x4B400000
"""A float32 plus this is a whole number, in the last bits of it; and the bits of this alone."""
_SCALE, _SUM = LENGTH, LENGTH + 4
_SPLIT = _SUM + 4
"""Bytes of a block of input: its whole numbers, then its scale and the sum of its 32."""


@njit(nogil=True, inline="always")
def split_bytes(R, K):
    """What `split` needs for R rows of K."""
    return R * (K // BLOCK) * _SPLIT


@intrinsic
def _split(_context: Any, x: Any, blocks: Any, out: Any) -> Any:
    """So many blocks of float32 at address x, as digits."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
        x, blocks, out = args

        def over(name: str, words: Any) -> Any:
            shape = ir.FunctionType(_I32, (_WORDS,))
            full = f"llvm.vector.reduce.{name}.v{LANES}i32"
            return builder.call(
                cgutils.get_or_insert_function(builder.module, shape, full), [words]
            )

        with cgutils.for_range(builder, blocks) as loop:
            near = builder.add(x, times(builder, loop.index, 4 * BLOCK))
            own = builder.add(out, times(builder, loop.index, _SPLIT))
            halves = [builder.load(at(builder, near, _FLOATS, 64 * k), align=4) for k in (0, 1)]
            # without their signs the bits of numbers are in order, those of a NaN above all
            sizes = [builder.and_(builder.bitcast(half, _WORDS), _WORDS([0x7FFFFFFF] * LANES))
                     for half in halves]  # fmt: skip
            larger = builder.select(builder.icmp_signed(">", *sizes), *sizes)
            most = builder.bitcast(over("smax", larger), _F32)
            step = splat(builder, builder.fdiv(_F32(float(MOST)), most))
            total = _I32(0)
            for k, half in enumerate(halves):
                scaled = builder.fmul(half, step)
                rounded = builder.fadd(scaled, _FLOATS([_ROUNDING] * LANES))
                whole = builder.sub(
                    builder.bitcast(rounded, _WORDS), _WORDS([_AT_ROUNDING] * LANES)
                )
                total = builder.add(total, over("add", whole))
                keep(builder, whole, own, k)
            scale = builder.fmul(most, _F32(1 / MOST))
            builder.store(scale, at(builder, own, _F32, _SCALE), align=4)
            builder.store(builder.sitofp(total, _F32), at(builder, own, _F32, _SUM), align=4)

    return types.void(*[types.int64] * 3), codegen


@njit(nogil=True)
def split(x, R, K, out, rank, threads):
    """R rows of K float32 as digits, this thread's share of it."""
    blocks = R * (K // BLOCK)
    low, high = blocks * rank // threads, blocks * (rank + 1) // threads
    _split(x + 4 * BLOCK * low, high - low, out + _SPLIT * low)


def _group(form: int, N: int) -> Any:
    """group(w, x, x_step, blocks, y, y_step, add, ahead): 16 rows of weights by N of input.

    Into N rows of y, 16 float32 each, or onto what is there. What lies from `ahead` on is asked for
    bit by bit, so that memory has something to do meanwhile.
    """
    octets = LANES * bytes_of_block(form)

    def scales(builder: Any, near: Any) -> tuple[Any, Any]:
        """d and m of a block: it stands for d q + m."""
        if form == LANED_FOUR:
            both = [builder.load(at(builder, near, _HALVES, k), align=2) for k in (0, 2 * LANES)]
            d, m = (builder.fpext(each, _FLOATS) for each in both)
            return d, m
        d = builder.load(at(builder, near, _FLOATS), align=4)
        return d, builder.fmul(d, _FLOATS([-128.0] * LANES))  # q is kept without a sign

    @intrinsic
    def group(
        _context: Any, w: Any, x: Any, x_step: Any, blocks: Any, y: Any, y_step: Any, add: Any,
        ahead: Any,
    ) -> Any:  # fmt: skip
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, x, x_step, blocks, y, y_step, add, ahead = args
            shape = ir.FunctionType(_FLOATS, (_FLOATS,) * 3)
            fma = cgutils.get_or_insert_function(builder.module, shape, f"llvm.fma.v{LANES}f32")

            def everywhere(address: Any, beyond: int) -> Any:
                return splat(builder, builder.load(at(builder, address, _F32, beyond), align=4))

            sums = [cgutils.alloca_once_value(builder, _FLOATS(None)) for _ in range(N)]
            with cgutils.for_range(builder, blocks) as loop:
                near = builder.add(w, times(builder, loop.index, octets))
                soon = builder.add(ahead, times(builder, loop.index, octets))
                for line in range(0, octets, LINE):
                    ask_for(builder, builder.add(soon, ir.Constant(_I64, line)), ONCE)
                d, m = scales(builder, near)
                column = builder.add(x, times(builder, loop.index, _SPLIT))
                rows = [builder.add(column, times(builder, x_step, n)) for n in range(N)]
                for n, whole in enumerate(exact(builder, form, near, rows)):
                    part = builder.fmul(m, everywhere(rows[n], _SUM))
                    part = builder.call(fma, [d, builder.sitofp(whole, _FLOATS), part])
                    scale = everywhere(rows[n], _SCALE)
                    builder.store(builder.call(fma, [scale, part, builder.load(sums[n])]), sums[n])
            wanted = builder.icmp_signed("!=", add, ir.Constant(_I64, 0))
            for n in range(N):
                place = at(builder, builder.add(y, times(builder, y_step, n)), _FLOATS)
                with builder.if_then(wanted):
                    was = builder.load(place, align=4)
                    builder.store(builder.fadd(was, builder.load(sums[n])), sums[n])
                builder.store(builder.load(sums[n]), place, align=4)

        return types.void(*[types.int64] * 8), codegen

    return group


def _of_form(form: int) -> Any:
    """rows(w, blocks, x, R, y, y_step, add, ahead): 16 rows of weights by R of input."""
    eight, four, two, one = (_group(form, n) for n in (8, 4, 2, 1))

    @njit(nogil=True)
    def rows(w, blocks, x, R, y, y_step, add, ahead):
        step, r = blocks * _SPLIT, 0
        while WIDTH == 8 and r + 8 <= R:
            eight(w, x + r * step, step, blocks, y + r * y_step, y_step, add, ahead)
            r += 8
        while r + 4 <= R:
            four(w, x + r * step, step, blocks, y + r * y_step, y_step, add, ahead)
            r += 4
        if r + 2 <= R:
            two(w, x + r * step, step, blocks, y + r * y_step, y_step, add, ahead)
            r += 2
        if r < R:
            one(w, x + r * step, step, blocks, y + r * y_step, y_step, add, ahead)

    return rows


if DOTS:
    _rows_8, _rows_4 = _of_form(LANED_EIGHT), _of_form(LANED_FOUR)

    @njit(nogil=True)
    def laned(form, w, blocks, x, R, y, y_step, add, ahead):
        """16 rows of weights by R rows of digits into (or onto) Y, 16 float32 a row of it."""
        if form == LANED_EIGHT:
            _rows_8(w, blocks, x, R, y, y_step, add, ahead)
        else:
            _rows_4(w, blocks, x, R, y, y_step, add, ahead)

else:

    @njit(nogil=True)
    def laned(form, w, blocks, x, R, y, y_step, add, ahead):
        """Never called."""
