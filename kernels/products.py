"""Y = X W^T for few rows of X: the weights, in any form, are read once; sums are float32."""

from numba import njit

from kernels.bits import prefetch
from kernels.digits import laned
from kernels.tiles import (
    BFLOAT,
    BLOCK,
    FLOAT,
    HEIGHT,
    LANED_EIGHT,
    WIDTH,
    flat,
    row_bytes,
    tall,
    widen_row,
)
from kernels.unit import AVAILABLE
from kernels.wide import ROWS, sixteen

_AHEAD = 4096
"""Bytes read ahead: hardware alone reaches two thirds of the memory's speed (docs/LOG.md)."""
_LINE = 64


@njit(nogil=True)
def product(form, w, n, K, x, packed, R, y, y_step, add, rank, threads, after, scratch):
    """This thread's share of Y (R, n) from X (R, K) and W (n, K), all by their addresses.

    With `add` it is added to what Y holds. `packed` is X for the matrix unit (kernels.wide), or as
    digits (kernels.digits), or 0.
    `y_step` is bytes from a row of Y to the next, `after` the address of what this thread reads
    next, to be on its way when it is wanted, `scratch` scratch_bytes(K) of this thread's own.
    """
    low, high = share(n, rank, threads)
    w_step, x_step = row_bytes(form, K), 4 * K
    end = w + high * w_step
    j = low
    while form >= LANED_EIGHT and j < high:
        rows = w + j * w_step
        ahead = rows + _AHEAD if j + 2 * ROWS <= high else after
        laned(form, rows, K // BLOCK, packed, R, y + 4 * j, y_step, add, ahead)
        j += ROWS
    while j < high:
        height = HEIGHT if j + HEIGHT <= high else 1
        if AVAILABLE and packed and j + ROWS <= high:
            rows = w + j * w_step
            ahead = rows + ROWS * w_step if j + 2 * ROWS <= high else after
            sixteen(form, rows, w_step, K, packed, R, y + 4 * j, y_step, add, scratch, ahead)
            j += ROWS
            continue
        ahead = w + j * w_step + _AHEAD
        if ahead >= end:
            ahead = after + ahead - end
        prefetch_all(ahead, height * w_step)
        rows, kind, step = w + j * w_step, form, w_step
        if R > WIDTH and form != FLOAT:  # more than one tile needs them: widened once for all
            for i in range(height):
                widen_row(form, rows + i * w_step, K, scratch + i * x_step)
            rows, kind, step = scratch, FLOAT, x_step
        for r in range(0, R, WIDTH):
            width = min(R - r, WIDTH)
            columns, out = x + r * x_step, y + r * y_step + 4 * j
            if height > 1:
                tall(kind, rows, step, columns, x_step, K, out, y_step, add, width)
            else:
                for i in range(width):
                    flat(kind, rows, columns + i * x_step, K, out + i * y_step, add)
        j += height


@njit(nogil=True, inline="always")
def prefetch_all(address, size):
    """So many bytes, to be near when they are wanted; any address is allowed."""
    for line in range(0, size, _LINE):
        prefetch(address + line)


@njit(nogil=True)
def scores(w, n, K, x, y, ahead):
    """y (n) from W (n, K) in bfloat16 and one row x (K), all by this thread.

    What lies `ahead` bytes on is asked for bit by bit: of many requests at once most are dropped.
    """
    j = 0
    while j + HEIGHT <= n:
        prefetch_all(w + 2 * j * K + ahead, 2 * HEIGHT * K)
        tall(BFLOAT, w + 2 * j * K, 2 * K, x, 0, K, y + 4 * j, 0, 0, 1)
        j += HEIGHT
    while j < n:
        flat(BFLOAT, w + 2 * j * K, x, K, y + 4 * j, 0)
        j += 1


@njit(nogil=True, inline="always")
def scratch_bytes(K):
    """What `product` needs for rows of at most K numbers."""
    return 2048 + 32 * K


@njit(nogil=True, inline="always")
def share(n, rank, threads):
    """First and last + 1 of the n that this thread does; shares are whole tiles of any kind."""
    tiles = (n + ROWS - 1) // ROWS
    return ROWS * (tiles * rank // threads), min(n, ROWS * (tiles * (rank + 1) // threads))
