"""Products of a few rows of weights with a few rows of input, as vectors of 16 for LLVM.

Weights come in forms: bfloat16 and float32 as they are, and blocks of 32 whole numbers with what
they stand for: eight bits as d q, four bits as d q + m (the forms in which quantised models are
published). Blocks are widened exactly, to float32, as they are read; every sum is float32.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from model import published

LANES = 16
BLOCK = published.BLOCK
"""Numbers that share a scale: 16 in the low half of as many bytes and 16 in the high, or 32."""
WIDTH, HEIGHT = 4, 4
"""Of the largest tile: rows of X, rows of W. More would not stay in registers."""

BFLOAT, FLOAT, EIGHT, FOUR, LANED_EIGHT, LANED_FOUR = range(6)
"""Forms. A row of K: 2 K bytes, 4 K, 36 bytes a block (d, 32 q), 24 a block (d, m, 16 pairs). The
last two are for kernels.digits: blocks of 16 rows side by side, 36 and 20 bytes for each."""
_STEP = {BFLOAT: LANES, FLOAT: LANES, EIGHT: BLOCK, FOUR: BLOCK}
_BYTES = {
    BFLOAT: 2 * LANES, FLOAT: 4 * LANES, EIGHT: published.EIGHT, FOUR: published.FOUR,
    LANED_EIGHT: published.EIGHT, LANED_FOUR: published.FOUR - 4,
}  # fmt: skip
"""Numbers, and bytes, that a turn of the inner loop takes from a row."""
_EIGHT_BYTES, _FOUR_BYTES, _LANED_FOUR_BYTES = (_BYTES[form] for form in (EIGHT, FOUR, LANED_FOUR))

FAST = ("reassoc", "contract", "nsz")
"""Sums may be split over lanes; a NaN stays a NaN."""
_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_F32 = ir.FloatType()
_OCTETS, _BITS, _WORDS, _FLOATS = (ir.VectorType(kind, LANES) for kind in (_I8, _I16, _I32, _F32))


def at(builder: Any, address: Any, kind: Any, beyond: int = 0) -> Any:
    """The pointer to something of this kind, so many bytes beyond an address."""
    if beyond:
        address = builder.add(address, ir.Constant(_I64, beyond))
    return builder.inttoptr(address, kind.as_pointer())


def times(builder: Any, value: Any, factor: int) -> Any:
    """An int64 multiplied by a constant."""
    return builder.mul(value, ir.Constant(_I64, factor))


def splat(builder: Any, value: Any) -> Any:
    """A float32, or another number, in all lanes."""
    lanes = ir.VectorType(value.type, LANES)
    first = builder.insert_element(lanes(ir.Undefined), value, _I32(0))
    return builder.shuffle_vector(first, lanes(ir.Undefined), _WORDS([0] * LANES))


def _all(builder: Any, address: Any, beyond: int) -> Any:
    """The float32 there, in all lanes."""
    return splat(builder, builder.load(at(builder, address, _F32, beyond), align=4))


def _read(form: int, builder: Any, address: Any) -> list[Any]:
    """One turn's numbers of a row, as vectors of float32."""
    if form == FLOAT:
        return [builder.load(at(builder, address, _FLOATS), align=4)]
    if form == BFLOAT:
        bits = builder.load(at(builder, address, _BITS), align=2)
        upper = builder.shl(builder.zext(bits, _WORDS), _WORDS([16] * LANES))
        return [builder.bitcast(upper, _FLOATS)]
    scale = _all(builder, address, 0)
    if form == EIGHT:
        both = [builder.load(at(builder, address, _OCTETS, 4 + k), align=1) for k in (0, LANES)]
        whole = [builder.sitofp(builder.sext(q, _WORDS), _FLOATS) for q in both]
        return [builder.fmul(q, scale, flags=FAST) for q in whole]
    least = _all(builder, address, 4)
    pairs = builder.zext(builder.load(at(builder, address, _OCTETS, 8), align=1), _WORDS)
    halves = builder.and_(pairs, _WORDS([15] * LANES)), builder.lshr(pairs, _WORDS([4] * LANES))
    whole = [builder.sitofp(q, _FLOATS) for q in halves]
    return [builder.fadd(builder.fmul(q, scale, flags=FAST), least, flags=FAST) for q in whole]


def _tile(form: int, M: int, N: int) -> Any:
    """tile(w, w_step, x, x_step, K, y, y_step, add): addresses, and bytes from row to row.

    Puts the products of W's M rows, K numbers each, side by side, with X's N rows (K float32) into
    N rows of y, M float32 each; or adds them to what is there.
    """

    @intrinsic
    def tile(
        _context: Any, w: Any, w_step: Any, x: Any, x_step: Any, K: Any, y: Any, y_step: Any,
        add: Any,
    ) -> Any:  # fmt: skip
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, w_step, x, x_step, K, y, y_step, add = args
            zero = cgutils.alloca_once_value
            sums = [[zero(builder, _FLOATS(None)) for _ in range(N)] for _ in range(M)]
            count = builder.udiv(K, ir.Constant(_I64, _STEP[form]))
            with cgutils.for_range(builder, count) as loop:
                near = builder.add(w, times(builder, loop.index, _BYTES[form]))
                places = [builder.add(near, times(builder, w_step, m)) for m in range(M)]
                rows = [_read(form, builder, place) for place in places]
                near = builder.add(x, times(builder, loop.index, 4 * _STEP[form]))
                for n in range(N):
                    row = builder.add(near, times(builder, x_step, n))
                    for k in range(_STEP[form] // LANES):
                        place = at(builder, row, _FLOATS, 4 * LANES * k)
                        column = builder.load(place, align=4)
                        for m in range(M):
                            product = builder.fmul(rows[m][k], column, flags=FAST)
                            total = builder.fadd(builder.load(sums[m][n]), product, flags=FAST)
                            builder.store(total, sums[m][n])
            over = builder.module.declare_intrinsic(
                f"llvm.vector.reduce.fadd.v{LANES}f32", (), ir.FunctionType(_F32, (_F32, _FLOATS))
            )
            wanted = builder.icmp_signed("!=", add, ir.Constant(_I64, 0))
            for m in range(M):
                for n in range(N):
                    place = builder.add(y, times(builder, y_step, n))
                    place = at(builder, place, _F32, 4 * m)
                    was = builder.select(wanted, builder.load(place, align=4), _F32(0.0))
                    total = builder.call(over, [_F32(0.0), builder.load(sums[m][n])], fastmath=FAST)
                    builder.store(builder.fadd(was, total), place, align=4)

        return types.void(*[types.int64] * 8), codegen

    return tile


def _widen(form: int) -> Any:
    """widen(w, K, y): a row of K numbers as float32."""

    @intrinsic
    def widen(_context: Any, w: Any, K: Any, y: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> None:
            w, K, y = args
            count = builder.udiv(K, ir.Constant(_I64, _STEP[form]))
            with cgutils.for_range(builder, count) as loop:
                near = builder.add(w, times(builder, loop.index, _BYTES[form]))
                out = builder.add(y, times(builder, loop.index, 4 * _STEP[form]))
                for k, numbers in enumerate(_read(form, builder, near)):
                    builder.store(numbers, at(builder, out, _FLOATS, 4 * LANES * k), align=4)

        return types.void(*[types.int64] * 3), codegen

    return widen


def _of_form(form: int) -> tuple[Any, Any]:
    """For weights of a form: tall(..., width), HEIGHT rows by 1 to WIDTH; flat, one row by one."""
    one, two, three, four = (_tile(form, HEIGHT, n) for n in range(1, WIDTH + 1))

    @njit(nogil=True)
    def tall(w, w_step, x, x_step, K, y, y_step, add, width):
        if width == 1:
            one(w, w_step, x, x_step, K, y, y_step, add)
        elif width == 2:
            two(w, w_step, x, x_step, K, y, y_step, add)
        elif width == 3:
            three(w, w_step, x, x_step, K, y, y_step, add)
        else:
            four(w, w_step, x, x_step, K, y, y_step, add)

    return tall, _tile(form, 1, 1)


_tall_b, _flat_b = _of_form(BFLOAT)
_tall_f, _flat_f = _of_form(FLOAT)
_tall_8, _flat_8 = _of_form(EIGHT)
_tall_4, _flat_4 = _of_form(FOUR)
_widen_b, _widen_8, _widen_4 = _widen(BFLOAT), _widen(EIGHT), _widen(FOUR)


@njit(nogil=True)
def tall(form, w, w_step, x, x_step, K, y, y_step, add, width):
    """HEIGHT rows of weights by `width` of X, see _tile."""
    if form == BFLOAT:
        _tall_b(w, w_step, x, x_step, K, y, y_step, add, width)
    elif form == FLOAT:
        _tall_f(w, w_step, x, x_step, K, y, y_step, add, width)
    elif form == EIGHT:
        _tall_8(w, w_step, x, x_step, K, y, y_step, add, width)
    else:
        _tall_4(w, w_step, x, x_step, K, y, y_step, add, width)


@njit(nogil=True)
def flat(form, w, x, K, y, add):
    """One row of weights by one of X."""
    if form == BFLOAT:
        _flat_b(w, 0, x, 0, K, y, 0, add)
    elif form == FLOAT:
        _flat_f(w, 0, x, 0, K, y, 0, add)
    elif form == EIGHT:
        _flat_8(w, 0, x, 0, K, y, 0, add)
    else:
        _flat_4(w, 0, x, 0, K, y, 0, add)


@njit(nogil=True)
def widen_row(form, w, K, y):
    """A row of K numbers (not float32 already) as float32 at address y."""
    if form == BFLOAT:
        _widen_b(w, K, y)
    elif form == EIGHT:
        _widen_8(w, K, y)
    else:
        _widen_4(w, K, y)


def bytes_of_block(form: int) -> int:
    """Of a block of a form that has them."""
    return _BYTES[form]


@njit(nogil=True, inline="always")
def row_bytes(form, K):
    """Of a row of K weights; where 16 lie side by side, a 16th of them."""
    if form == BFLOAT:
        return 2 * K
    if form == FLOAT:
        return 4 * K
    if form == FOUR:
        return K // BLOCK * _FOUR_BYTES
    return K // BLOCK * (_LANED_FOUR_BYTES if form == LANED_FOUR else _EIGHT_BYTES)
