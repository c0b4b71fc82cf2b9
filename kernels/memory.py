"""How fast this machine's memory can be read: what a pass of one row is measured against."""

import time

import numpy as np
from numba import carray, njit

from kernels import KEPT
from kernels.bits import numbers, prefetch
from kernels.team import Team, meet

_BYTES = 1 << 28
_BLOCK, _LINE, _AHEAD = 64, 8, 4096
"""Int64 of a block and of a cache line; bytes read ahead."""


def gigabytes_per_second(team: Team) -> float:
    """The best of seven readings of 268 MB, 1e9 bytes a second, by all threads of the team."""
    memory, sums = np.ones(_BYTES // 8, np.int64), np.zeros(64 * team.threads, np.int64)
    best = 0.0
    for _ in range(7):
        began = time.perf_counter()
        team.run(_sum, memory.ctypes.data, len(memory), sums)
        best = max(best, _BYTES / (time.perf_counter() - began) / 1e9)
    return best


@njit(nogil=True, cache=KEPT)
def _sum(rank, threads, team, memory, n, sums):
    blocks = n // _BLOCK
    x, total = carray(numbers(memory), n), 0
    for block in range(blocks * rank // threads, blocks * (rank + 1) // threads):
        start = block * _BLOCK
        for i in range(start, start + _BLOCK, _LINE):
            prefetch(memory + 8 * i + _AHEAD)
        for i in range(start, start + _BLOCK):
            total += x[i]
    sums[64 * rank] = total  # kept, or nothing would be read
    meet(team, threads)
