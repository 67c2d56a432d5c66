"""The fast Walsh-Hadamard transform (natural order, not normalised), in place.

n must be a power of two. Applying a transform twice multiplies by n.

Three levels at a time go through the registers. Rows of a matrix are blocks of one long
vector, and its columns are one long vector whose first levels are left out: all three
transforms are made of the same passes, outermost levels first, then block by block.
"""

from .._jit import kernel
from .registers import BYTES, hadamard_tile

# Bytes of the blocks that stay in the first and second level of cache.
L1, L2 = 1 << 14, 1 << 19


@kernel
def _three_levels(x, start, stop, stride):
    """Levels of stride, 2 * stride, 4 * stride of x[start:stop], flat."""
    width = BYTES // x.itemsize
    for low in range(start, stop, 8 * stride):
        rest = low + stride - stride % width
        for i in range(low, rest, width):
            hadamard_tile(x, i, stride, 8, True, False)
        for i in range(rest, low + stride):
            hadamard_tile(x, i, stride, 8, False, False)


@kernel
def _two_levels(x, start, stop, stride):
    """Levels of stride and 2 * stride of x[start:stop], flat."""
    width = BYTES // x.itemsize
    for low in range(start, stop, 4 * stride):
        rest = low + stride - stride % width
        for i in range(low, rest, width):
            hadamard_tile(x, i, stride, 4, True, False)
        for i in range(rest, low + stride):
            hadamard_tile(x, i, stride, 4, False, False)


@kernel
def _one_level(x, start, stop, stride):
    """The level of one stride of x[start:stop], flat."""
    width = BYTES // x.itemsize
    for low in range(start, stop, 2 * stride):
        rest = low + stride - stride % width
        for i in range(low, rest, width):
            hadamard_tile(x, i, stride, 2, True, False)
        for i in range(rest, low + stride):
            hadamard_tile(x, i, stride, 2, False, False)


@kernel
def _levels(x, start, stop, stride, end):
    """Levels of stride, 2 * stride, ..., end / 2 of x[start:stop], flat."""
    while 8 * stride <= end:
        _three_levels(x, start, stop, stride)
        stride *= 8
    if 4 * stride <= end:
        _two_levels(x, start, stop, stride)
    elif 2 * stride <= end:
        _one_level(x, start, stop, stride)


@kernel
def _innermost(x, start, stop):
    """The levels that fit eight vectors of x[start:stop]; return the stride after."""
    width = BYTES // x.itemsize
    if stop - start < width:
        _levels(x, start, stop, 1, stop - start)
        return stop - start
    if stop - start >= 8 * width:
        for i in range(start, stop, 8 * width):
            hadamard_tile(x, i, width, 8, True, True)
        return 8 * width
    for i in range(start, stop, width):
        hadamard_tile(x, i, width, 1, True, True)
    return width


@kernel
def _cached(size, least, limit):
    """Return size / 8^k, the first that is at most limit or below 8 * least."""
    while size > limit and size >= 8 * least:
        size //= 8
    return size


@kernel
def _transform(x, start, stop, first):
    """Levels of first, 2 * first, ... of x[start:stop], flat; first = 1: all levels."""
    size = stop - start
    outer = _cached(size, first, L2 // x.itemsize)
    inner = _cached(outer, first, L1 // x.itemsize)
    _levels(x, start, stop, outer, size)
    for i in range(start, stop, outer):
        _levels(x, i, i + outer, inner, outer)
        for j in range(i, i + outer, inner):
            stride = first
            if first == 1:
                stride = _innermost(x, j, j + inner)
            _levels(x, j, j + inner, stride, inner)


@kernel
def fwht(x):
    """Walsh-Hadamard transform of one vector, in place; x: (n,), contiguous."""
    _transform(x, 0, x.size, 1)


@kernel
def fwht_rows(x):
    """Walsh-Hadamard transform of each row, in place; x: (batch, n), C-contiguous."""
    n = x.shape[1]
    for i in range(x.shape[0]):
        _transform(x, i * n, (i + 1) * n, 1)


@kernel
def fwht_columns(x):
    """Walsh-Hadamard transform of each column, in place; x: (n, batch), C order."""
    if x.size > 0:
        _transform(x, 0, x.size, x.shape[1])
