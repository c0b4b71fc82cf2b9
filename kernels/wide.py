"""Products of many rows at once by the matrix unit (AMX) of newer x86 processors.

It multiplies 16 x 32 by 32 x 16 numbers in bfloat16 with float32 sums. Whole numbers of a block are
bfloat16 exactly, so a block's product is exact and its scale comes after it; a number of the input
is the sum of two in bfloat16, which leaves it within 2^-17 of itself.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from kernels.bits import ask_for, bits_of, float_of, floats, words
from kernels.tiles import (
    BFLOAT,
    BLOCK,
    EIGHT,
    FAST,
    FOUR,
    LANES,
    at,
    bytes_of_block,
    splat,
    times,
)
from kernels.unit import AVAILABLE

ROWS = COLUMNS = LANES
"""Of one product: rows of weights, rows of input."""
_TILE, _LINE = 1024, 64
"""Bytes of a tile, which is 16 rows of 64; and of a cache line."""
_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_F32, _PLACE = ir.FloatType(), _I8.as_pointer()
_FLOATS, _OCTETS = ir.VectorType(_F32, LANES), ir.VectorType(_I8, LANES)
_SHORTS, _PAIR = ir.VectorType(_I16, LANES), ir.VectorType(_I16, 2 * LANES)
_WORDS = ir.VectorType(_I32, LANES)
_SUMS, _WEIGHTS, _HIGH, _LOW = range(4)
"""Tiles."""

_SETTING = [1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[16] * 8, *[0] * 8]
"""The only palette; of eight tiles the bytes a row and the rows."""


def _tell(builder: Any, name: str, *args: Any) -> Any:
    function = ir.FunctionType(ir.VoidType(), [arg.type for arg in args])
    return builder.call(
        cgutils.get_or_insert_function(builder.module, function, f"llvm.x86.{name}"), args
    )


@intrinsic
def _configure(_context: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> None:
        setting = ir.Constant(ir.ArrayType(_I8, len(_SETTING)), _SETTING)
        place = cgutils.alloca_once_value(builder, setting)
        _tell(builder, "ldtilecfg", builder.bitcast(place, _PLACE))

    return types.void(), codegen


@intrinsic
def _release(_context: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> None:
        _tell(builder, "tilerelease")

    return types.void(), codegen


def _whole(form: int) -> Any:
    """whole(w, K, tiles): a row's whole numbers as bfloat16, each block 64 bytes of its tile."""
    table = _PAIR([int(np.float32(min(q, 15)).view(np.uint32) >> 16) for q in range(32)])

    @intrinsic
    def whole(_context: Any, w: Any, K: Any, tiles: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, K, tiles = args
            both = ir.Constant(ir.VectorType(_I32, 2 * LANES), list(range(2 * LANES)))
            with cgutils.for_range(builder, builder.udiv(K, ir.Constant(_I64, BLOCK))) as loop:
                near = builder.add(w, times(builder, loop.index, bytes_of_block(form)))
                if form == FOUR:
                    octets = builder.load(at(builder, near, _OCTETS, 8), align=1)
                    pairs = builder.zext(octets, _SHORTS)
                    low = builder.and_(pairs, _SHORTS([15] * LANES))
                    high = builder.lshr(pairs, _SHORTS([4] * LANES))
                    index = builder.shuffle_vector(low, high, both)
                    look_up = cgutils.get_or_insert_function(
                        builder.module, ir.FunctionType(_PAIR, (_PAIR, _PAIR)),
                        "llvm.x86.avx512.permvar.hi.512",
                    )  # fmt: skip
                    numbers = builder.call(look_up, [table, index])
                else:
                    halves = []
                    for k in (0, LANES):
                        octets = builder.load(at(builder, near, _OCTETS, 4 + k), align=1)
                        exact = builder.sitofp(builder.sext(octets, _WORDS), _FLOATS)
                        bits = builder.lshr(builder.bitcast(exact, _WORDS), _WORDS([16] * LANES))
                        halves.append(builder.trunc(bits, _SHORTS))
                    numbers = builder.shuffle_vector(*halves, both)
                out = builder.add(tiles, times(builder, loop.index, _TILE))
                builder.store(numbers, at(builder, out, _PAIR), align=2)

        return types.void(*[types.int64] * 3), codegen

    return whole


def _product(form: int) -> Any:
    """product(w, w_step, tiles, packed, K, out, ahead): out (16, 16) float32, a row a row of w.

    `tiles` holds the weights' whole numbers; bfloat16 ones are read where they are. What lies from
    `ahead` on is asked for bit by bit, so that memory has something to do meanwhile.
    """
    lines = 16 * _row_of_block(form) // _LINE

    @intrinsic
    def product(
        _context: Any, w: Any, w_step: Any, tiles: Any, packed: Any, K: Any, out: Any, ahead: Any
    ) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, w_step, tiles, packed, K, out, ahead = args
            row = ir.Constant(_I64, 64)
            blocks = builder.udiv(K, ir.Constant(_I64, BLOCK))
            sums = [cgutils.alloca_once_value(builder, _FLOATS(None)) for _ in range(ROWS)]
            if form == BFLOAT:
                _tell(builder, "tilezero", _I8(_SUMS))
            with cgutils.for_range(builder, blocks) as loop:
                near = builder.add(packed, times(builder, loop.index, _PACKED))
                soon = builder.add(ahead, times(builder, loop.index, lines * _LINE))
                for line in range(lines):
                    ask_for(builder, builder.add(soon, ir.Constant(_I64, line * _LINE)))
                if form == BFLOAT:
                    weights, step = builder.add(w, times(builder, loop.index, 64)), w_step
                else:
                    weights, step = builder.add(tiles, times(builder, loop.index, _TILE)), row
                    _tell(builder, "tilezero", _I8(_SUMS))
                _tell(builder, "tileloadd64", _I8(_WEIGHTS), at(builder, weights, _I8), step)
                for tile, beyond in ((_HIGH, 0), (_LOW, _TILE)):
                    _tell(builder, "tileloadd64", _I8(tile), at(builder, near, _I8, beyond), row)
                    _tell(builder, "tdpbf16ps", _I8(_SUMS), _I8(_WEIGHTS), _I8(tile))
                if form != BFLOAT:
                    odd = builder.and_(loop.index, ir.Constant(_I64, 1))
                    place = builder.add(out, times(builder, odd, _TILE))
                    _tell(builder, "tilestored64", _I8(_SUMS), at(builder, place, _I8), row)
                    block = builder.add(w, times(builder, loop.index, bytes_of_block(form)))
                    total = builder.load(at(builder, near, _FLOATS, 2 * _TILE), align=4)
                    for i in range(ROWS):
                        mine = builder.add(block, times(builder, w_step, i))
                        scale = builder.load(at(builder, mine, _F32), align=4)
                        dots = builder.load(at(builder, place, _FLOATS, 64 * i), align=4)
                        sum_ = builder.load(sums[i])
                        for factor, terms in [(scale, dots)] + (
                            [(builder.load(at(builder, mine, _F32, 4), align=4), total)]
                            if form == FOUR
                            else []
                        ):
                            part = builder.fmul(splat(builder, factor), terms, flags=FAST)
                            sum_ = builder.fadd(sum_, part, flags=FAST)
                        builder.store(sum_, sums[i])
            if form == BFLOAT:
                _tell(builder, "tilestored64", _I8(_SUMS), at(builder, out, _I8), row)
            else:
                for i in range(ROWS):
                    builder.store(builder.load(sums[i]), at(builder, out, _FLOATS, 64 * i), align=4)

        return types.void(*[types.int64] * 7), codegen

    return product


def _row_of_block(form: int) -> int:
    """Bytes of 32 numbers of a row."""
    return 2 * BLOCK if form == BFLOAT else bytes_of_block(form)


_PACKED = 2 * _TILE + 4 * LANES
"""Bytes of 32 numbers of 16 rows of input: two tiles, and the sum of each row's 32."""


@njit(nogil=True, inline="always")
def packed_bytes(R, K):
    """What `pack` needs for R rows of K."""
    return (R + COLUMNS - 1) // COLUMNS * (K // BLOCK) * _PACKED


@njit(nogil=True)
def pack(x, R, K, out, rank, threads):
    """R rows of K float32 as tiles, each number the sum of two bfloat16; rows beyond R are zero.

    This thread's share of it.
    """
    blocks = K // BLOCK
    for group in range((R + COLUMNS - 1) // COLUMNS):
        for block in range(blocks * rank // threads, blocks * (rank + 1) // threads):
            near = out + (group * blocks + block) * _PACKED
            high, low = carray(words(near), (16, 16)), carray(words(near + _TILE), (16, 16))
            sums = carray(floats(near + 2 * _TILE), 16)
            for j in range(COLUMNS):
                r = group * COLUMNS + j
                if r >= R:
                    for p in range(16):
                        high[p, j] = low[p, j] = 0
                    sums[j] = 0
                    continue
                row = carray(floats(x + 4 * (r * K + block * BLOCK)), BLOCK)
                total = np.float32(0)
                for p in range(16):
                    a, b = row[2 * p], row[2 * p + 1]
                    a_high, b_high = _upper(a), _upper(b)
                    high[p, j] = (a_high >> 16) | b_high
                    a_low, b_low = _upper(a - float_of(a_high)), _upper(b - float_of(b_high))
                    low[p, j] = (a_low >> 16) | b_low
                    total += a + b
                sums[j] = total


@njit(nogil=True, inline="always")
def _upper(x):
    """The bits of the nearest bfloat16, as those of a float32."""
    bits = bits_of(x)
    return (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(
        0xFFFF0000
    )


if AVAILABLE:
    _whole_8, _whole_4 = _whole(EIGHT), _whole(FOUR)
    _product_b, _product_8, _product_4 = _product(BFLOAT), _product(EIGHT), _product(FOUR)

    @njit(nogil=True)
    def sixteen(form, w, w_step, K, packed, R, y, y_step, add, scratch, ahead):
        """16 rows of weights by R rows of packed input into (or onto) Y, 16 float32 a row of it."""
        out, tiles = scratch, scratch + 2 * _TILE
        for i in range(ROWS):
            if form == EIGHT:
                _whole_8(w + i * w_step, K, tiles + 64 * i)
            elif form == FOUR:
                _whole_4(w + i * w_step, K, tiles + 64 * i)
        for r in range(0, R, COLUMNS):
            near = packed + r // COLUMNS * (K // BLOCK) * _PACKED
            if form == BFLOAT:
                _product_b(w, w_step, tiles, near, K, out, ahead)
            elif form == EIGHT:
                _product_8(w, w_step, tiles, near, K, out, ahead)
            else:
                _product_4(w, w_step, tiles, near, K, out, ahead)
            made = carray(floats(out), (ROWS, COLUMNS))
            for j in range(min(R - r, COLUMNS)):
                row = carray(floats(y + (r + j) * y_step), ROWS)
                if add:
                    for i in range(ROWS):
                        row[i] += made[i, j]
                else:
                    for i in range(ROWS):
                        row[i] = made[i, j]

    @njit(nogil=True)
    def begin():
        """Before a thread's first product of a pass."""
        _configure()

    @njit(nogil=True)
    def end():
        """After its last: a thread that is put aside then has less to keep."""
        _release()

else:

    @njit(nogil=True)
    def sixteen(form, w, w_step, K, packed, R, y, y_step, add, scratch, ahead):
        """Never called."""

    @njit(nogil=True)
    def begin():
        """Nothing to do."""

    @njit(nogil=True)
    def end():
        """Nothing to do."""
