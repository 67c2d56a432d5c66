"""The fast Walsh-Hadamard transform (natural order, not normalised), in place.

n must be a power of two. Applying a transform twice multiplies by n.

Three levels at a time go through the registers. Rows of a matrix are blocks of one long
vector, and its columns are one long vector whose first levels are left out: all three
transforms are made of the same passes over a flat array, in blocks that stay in a cache.
"""

from .._jit import kernel
from .registers import BYTES, hadamard_tile

# Bytes of the largest block that stays in the first level of cache.
L1 = 1 << 14


@kernel
def _three_levels(x, start, stop, stride):
    """Levels of stride, 2 * stride, 4 * stride of x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop, 8 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 8, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 8, False, False)


@kernel
def _two_levels(x, start, stop, stride):
    """Levels of stride and 2 * stride of x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop, 4 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 4, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 4, False, False)


@kernel
def _one_level(x, start, stop, stride):
    """The level of one stride of x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop, 2 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 2, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 2, False, False)


@kernel
def _levels(x, start, stop, stride, end):
    """Levels of stride, 2 * stride, ..., end / 2 of x[start:stop]."""
    while 8 * stride <= end:
        _three_levels(x, start, stop, stride)
        stride *= 8
    if 4 * stride <= end:
        _two_levels(x, start, stop, stride)
    elif 2 * stride <= end:
        _one_level(x, start, stop, stride)


@kernel
def _first_levels(x, start, stop, n):
    """First levels of vectors of n entries in x[start:stop]; return the next stride."""
    width = BYTES // x.itemsize
    if n >= 8 * width:
        for i in range(start, stop, 8 * width):
            hadamard_tile(x, i, width, 8, True, True)
        return 8 * width
    if n == 4 * width:
        for i in range(start, stop, 4 * width):
            hadamard_tile(x, i, width, 4, True, True)
        return n
    if n >= width:
        for i in range(start, stop, width):
            hadamard_tile(x, i, width, 1, True, True)
        return width
    return 1


@kernel
def _cached(x, start, stop, first, n):
    """Levels of first to n / 2 of x[start:stop], n entries a vector: in L1."""
    stride = _first_levels(x, start, stop, n) if first == 1 else first
    _levels(x, start, stop, stride, n)


@kernel
def _transform(x, start, first, n):
    """Levels of first to n / 2 of x[start:start + n]; first = 1 means all levels.

    Depth first: each block is finished while a cache holds it. The widest strides come
    first: they read memory in long runs, which the processor fetches ahead.
    """
    block = n
    while block * x.itemsize > L1 and block >= 8 * first:
        block //= 8
    for low in range(0, n, block):
        size = n
        while size > block:
            if low % size == 0:
                _three_levels(x, start + low, start + low + size, size // 8)
            size //= 8
        _cached(x, start + low, start + low + block, first, block)


@kernel
def fwht(x):
    """Walsh-Hadamard transform of one vector, in place; x: (n,), contiguous."""
    _transform(x, 0, 1, x.shape[0])


@kernel
def fwht_rows(x):
    """Walsh-Hadamard transform of each row, in place; x: (batch, n), C-contiguous."""
    n, flat = x.shape[1], x.reshape(x.size)
    if n * x.itemsize > L1:
        for i in range(0, x.size, n):
            _transform(flat, i, 1, n)
        return
    some = L1 // (n * x.itemsize) * n
    for i in range(0, x.size, some):
        _cached(flat, i, min(i + some, x.size), 1, n)


@kernel
def fwht_columns(x):
    """Walsh-Hadamard transform of each column, in place; x: (n, batch), C order."""
    if x.size > 0:
        _transform(x.reshape(x.size), 0, x.shape[1], x.size)
