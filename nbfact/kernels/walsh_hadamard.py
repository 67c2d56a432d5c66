"""The fast Walsh-Hadamard transform (natural order, not normalised), in place.

n must be a power of two (of another n the result is no transform, but nothing outside
x is written). Applying a transform twice multiplies by n.

Three levels at a time go through the registers. Rows of a matrix are blocks of one
long vector, and its columns are one long vector whose first levels are left out: all
three transforms are the same passes over a flat array, in blocks that stay in a cache.
"""

from ._jit import kernel
from .registers import BYTES, hadamard_tile

# Bytes of the largest block that stays in the first level of cache.
L1 = 1 << 14


@kernel
def _three_levels(x, start, stop, stride):
    """Levels of stride, 2 * stride, 4 * stride of x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop - 8 * stride + 1, 8 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 8, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 8, False, False)


@kernel
def _two_levels(x, start, stop, stride):
    """Levels of stride and 2 * stride of x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop - 4 * stride + 1, 4 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 4, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 4, False, False)


@kernel
def _one_level(x, start, stop, stride):
    """Level of one stride of x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop - 2 * stride + 1, 2 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 2, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 2, False, False)


@kernel
def _lanes(x, start, stop, base):
    """Levels of 1, 2, ..., base / 2 of x[start:stop], where they are within a tile."""
    width = BYTES // x.itemsize
    if base == 8 * width:
        for i in range(start, stop - base + 1, base):
            hadamard_tile(x, i, width, 8, True, True)
    elif base == width:
        for i in range(start, stop - base + 1, base):
            hadamard_tile(x, i, width, 1, True, True)


@kernel
def _base(x, n):
    """Entries of a tile that a vector of n entries fills, its first levels; or 1."""
    width = BYTES // x.itemsize
    if n >= 8 * width:
        return 8 * width
    return width if n >= width else 1


@kernel
def _transform(x, n, base, lanes):
    """Levels of base to n / 2 of each n entries of x: (size,), and those in lanes.

    Depth first: each block is finished while a cache holds it. The widest strides come
    first: they read memory in long runs, which the processor fetches ahead.
    """
    if x.size == 0:
        return
    block, limit = n, L1 // x.itemsize
    while block > limit and block >= 8 * base:
        block //= 8
    if block == n:
        block = max(1, limit // n) * n
    for low in range(0, x.size, block):
        stop = min(low + block, x.size)
        size = n
        while size >= 8 * base:
            if low % size == 0:
                end = min(max(stop, low + size), x.size)
                _three_levels(x, low, end, size // 8)
            size //= 8
        if size == 4 * base:
            _two_levels(x, low, stop, base)
        elif size == 2 * base:
            _one_level(x, low, stop, base)
        if lanes:
            _lanes(x, low, stop, base)


@kernel
def fwht(x):
    """Walsh-Hadamard transform of one vector, in place; x: (n,), contiguous."""
    _transform(x, x.size, _base(x, x.size), True)


@kernel
def fwht_rows(x):
    """Walsh-Hadamard transform of each row, in place; x: (batch, n), C-contiguous."""
    n = x.shape[1]
    _transform(x.reshape(x.size), n, _base(x, n), True)


@kernel
def fwht_columns(x):
    """Walsh-Hadamard transform of each column, in place; x: (n, batch), C order."""
    batch = x.shape[1]
    base = _base(x, x.size) if batch == 1 else batch
    _transform(x.reshape(x.size), x.size, base, batch == 1)
