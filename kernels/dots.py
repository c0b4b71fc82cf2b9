"""The exact product of a block of whole weights with a block of whole inputs, by processor.

Weights are whole numbers of eight bits without a sign, or of four, of 16 rows side by side: a lane
for each row. Inputs are whole numbers of 16 bits. Where x86 has dot products of bytes (VNNI) an
input is two digits of eight bits; elsewhere (AVX2) it is multiplied as it is, two numbers at once.
Both come to the same integer.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from kernels.tiles import BLOCK, LANED_FOUR, LANES, at, bytes_of_block, splat
from kernels.unit import BYTE_DOTS

MOST = 127 * 256 + 127
"""The largest input: two digits in -127..127 each."""
LENGTH = 2 * BLOCK
"""Bytes of a block of input."""
LINE = 64
HEAD = 4 * LANES
"""Bytes in front of a block's weights: the scales of 16 rows."""
WIDTH = 8 if BYTE_DOTS else 4
"""Rows of input at once: as many as leave their sums in registers."""

_I8, _I16, _I32 = (ir.IntType(bits) for bits in (8, 16, 32))
_OCTETS, _SHORTS, _WORDS = (ir.VectorType(kind, LANES) for kind in (_I8, _I16, _I32))
_HALF = ir.VectorType(_I32, LANES // 2)


def keep(builder: Any, whole: Any, own: Any, half: int) -> None:
    """Put 16 whole inputs, a block's first or second half, into the block at `own`."""
    if BYTE_DOTS:
        upper = _shifted(builder, builder.add(whole, _all(128)), 8, signed=True)
        for digits, place in ((upper, LANES * half), (whole, BLOCK + LANES * half)):
            octets = builder.trunc(digits, _OCTETS)
            builder.store(octets, at(builder, own, _OCTETS, place), align=4)
        return
    # in each four the first and third, then the others, as their weights come out of a word
    order = [4 * i + k for i in range(LANES // 4) for k in (0, 2, 1, 3)]
    paired = builder.shuffle_vector(whole, _WORDS(ir.Undefined), _WORDS(order))
    shorts = builder.trunc(paired, _SHORTS)
    builder.store(shorts, at(builder, own, _SHORTS, 2 * LANES * half), align=4)


def exact(builder: Any, form: int, near: Any, columns: Sequence[Any]) -> list[Any]:
    """The products, an integer a lane, of the block of weights at `near` with these of input."""
    places = range(HEAD, LANES * bytes_of_block(form), LINE)
    lines = [builder.load(at(builder, near, _WORDS, place), align=4) for place in places]
    return (_by_bytes if BYTE_DOTS else _by_words)(builder, form == LANED_FOUR, lines, columns)


def _by_bytes(builder: Any, nibbles: bool, lines: list[Any], columns: Sequence[Any]) -> list[Any]:
    """Four weights of a lane at once, twice: for the upper digits and for the lower."""
    dot = _function(builder, "llvm.x86.avx512.vpdpbusd.512", _WORDS, (_WORDS,) * 3)
    q = lines
    if nibbles:
        high = [_shifted(builder, line, 4) for line in lines]
        q = [builder.and_(line, _all(0x0F0F0F0F)) for line in (*lines, *high)]
    sums = []
    for column in columns:
        whole = _WORDS(None)
        for digit in (0, BLOCK):
            if digit:
                whole = builder.shl(whole, _all(8))
            for i, four in enumerate(q):
                whole = builder.call(dot, [whole, four, _spread(builder, column, digit + 4 * i)])
        sums.append(whole)
    return sums


def _by_words(builder: Any, nibbles: bool, lines: list[Any], columns: Sequence[Any]) -> list[Any]:
    """Two weights of a lane at once; each pair is made once for all columns."""
    sums = [_WORDS(None) for _ in columns]
    mask = _all(0x000F000F if nibbles else 0x00FF00FF)
    fours = [(line, plane) for plane in ((0, 4) if nibbles else (0,)) for line in lines]
    for i, (line, plane) in enumerate(fours):
        for place, shift in ((8 * i, plane), (8 * i + 4, plane + 8)):
            pairs = builder.and_(_shifted(builder, line, shift), mask)
            for n, column in enumerate(columns):
                inputs = _spread(builder, column, place)
                sums[n] = builder.add(sums[n], _pairwise(builder, pairs, inputs))
    return sums


def _pairwise(builder: Any, weights: Any, inputs: Any) -> Any:
    """In each lane the two products of 16 bits with 16 bits, added."""
    full = ir.VectorType(_I16, LANES)
    madd = _function(builder, "llvm.x86.avx2.pmadd.wd", _HALF, (full, full))
    halves = []
    for start in (0, LANES // 2):
        lanes = _HALF(list(range(start, start + LANES // 2)))
        both = [
            builder.bitcast(builder.shuffle_vector(each, _WORDS(ir.Undefined), lanes), full)
            for each in (weights, inputs)
        ]
        halves.append(builder.call(madd, both))
    return builder.shuffle_vector(*halves, _WORDS(list(range(LANES))))


def _spread(builder: Any, address: Any, beyond: int) -> Any:
    """The four bytes there, in all lanes."""
    return splat(builder, builder.load(at(builder, address, _I32, beyond), align=4))


def _shifted(builder: Any, words: Any, by: int, signed: bool = False) -> Any:
    """To the right."""
    if not by:
        return words
    return (builder.ashr if signed else builder.lshr)(words, _all(by))


def _all(value: int) -> Any:
    return _WORDS([value] * LANES)


def _function(builder: Any, name: str, result: Any, arguments: tuple[Any, ...]) -> Any:
    shape = ir.FunctionType(result, arguments)
    return cgutils.get_or_insert_function(builder.module, shape, name)
