"""Input made ready once for all products that read it, in the way that they need it."""

from numba import njit

from kernels.digits import split, split_bytes
from kernels.team import meet
from kernels.wide import pack, packed_bytes

PLAIN, UNIT, DIGITS = range(3)
"""Float32 as it is, for the matrix unit (kernels.wide), for dot products (kernels.digits)."""
_FEW = 8
"""Up to so many rows each thread makes all digits for itself: a meeting would take longer."""


@njit(nogil=True)
def packed(s, x, R, K, longest, work, rank, threads, team):
    """The address of X (R, K) as s.packing says, 0 for PLAIN.

    What was packed before is no longer in use: between the two all threads have met.
    """
    if s.packing == UNIT:
        pack(x, R, K, work.packed, rank, threads)
        meet(team, threads)
        return work.packed
    if s.packing == DIGITS:
        if R <= _FEW:
            own = work.packed + rank * split_bytes(R, longest)
            split(x, R, K, own, 0, 1)
            return own
        split(x, R, K, work.packed, rank, threads)
        meet(team, threads)
        return work.packed
    return 0


@njit(nogil=True)
def low_packed(s, low, R, longest, work, rank, threads):
    """The little that a change looks at, (R, s.rank), packed by each thread for itself."""
    if s.packing == PLAIN:
        return 0
    behind = work.packed + _inputs(s.packing, R, longest, threads)
    if s.packing == UNIT:
        own = behind + rank * packed_bytes(R, s.rank)
        pack(low, R, s.rank, own, 0, 1)
        return own
    own = behind + rank * split_bytes(R, s.rank)
    split(low, R, s.rank, own, 0, 1)
    return own


@njit(nogil=True, inline="always")
def packing_bytes(packing, R, longest, change, threads):
    """What R rows need in all: of at most `longest` numbers, and of the rank of the changes."""
    each = packed_bytes(R, change) if packing == UNIT else split_bytes(R, change)
    return _inputs(packing, R, longest, threads) + threads * each


@njit(nogil=True, inline="always")
def _inputs(packing, R, longest, threads):
    if packing == UNIT:
        return packed_bytes(R, longest)
    return split_bytes(R, longest) * (threads if R <= _FEW else 1)
