"""The fast Walsh-Hadamard transform (natural order, not normalised), in place.

It is a product with the n × n matrix H[i, j] = (-1)**(number of ones in i & j), for n a
power of two, by log2(n) levels of sums and differences.

Three levels at a time go through the registers. The rows of a matrix are blocks of one
long vector, and its columns are one long vector whose first levels are left out. All
three transforms are therefore the same passes over a flat array, in blocks that stay in
a cache.
"""

import numpy as np

from ._jit import kernel
from .registers import hadamard_tile
from .vectors import BYTES

L1 = 1 << 14
"""Bytes of the largest block that goes through all its levels at once, so that it stays
in the first level of cache."""


@kernel
def _three_levels(x, start, stop, stride):
    """Apply the levels of stride, 2 * stride and 4 * stride to x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop - 8 * stride + 1, 8 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 8, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 8, False, False)


@kernel
def _two_levels(x, start, stop, stride):
    """Apply the levels of stride and 2 * stride to x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop - 4 * stride + 1, 4 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 4, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 4, False, False)


@kernel
def _one_level(x, start, stop, stride):
    """Apply the level of one stride to x[start:stop]."""
    width = BYTES // x.itemsize
    wide = stride - stride % width
    for low in range(start, stop - 2 * stride + 1, 2 * stride):
        for i in range(low, low + wide, width):
            hadamard_tile(x, i, stride, 2, True, False)
        for i in range(low + wide, low + stride):
            hadamard_tile(x, i, stride, 2, False, False)


@kernel
def _lanes(x, start, stop, base):
    """Apply the levels of 1, 2, ..., base / 2 to x[start:stop].

    These are the levels within the tile of registers that base entries fill.
    """
    width = BYTES // x.itemsize
    if base == 16 * width:
        for i in range(start, stop - base + 1, base):
            hadamard_tile(x, i, width, 16, True, True)
    elif base == 8 * width:
        for i in range(start, stop - base + 1, base):
            hadamard_tile(x, i, width, 8, True, True)
    elif base == width:
        for i in range(start, stop - base + 1, base):
            hadamard_tile(x, i, width, 1, True, True)


@kernel
def entries_of_tile(x, n):
    """Return how many entries of a vector of n entries a tile of registers holds.

    It is 8 registers, one register, or 1 entry where n is smaller than a register. It
    is 16 registers where one level would be left beside those that go three by three:
    a pass over memory for one level takes as long as one for three.
    """
    width = BYTES // x.itemsize
    if n >= 8 * width:
        rest = n // (8 * width)
        while rest >= 8:
            rest //= 8
        return 16 * width if rest == 2 else 8 * width
    return width if n >= width else 1


@kernel
def transform_blocks(x, n, base, lanes):
    """Apply the levels of base to n / 2 to each n entries of x, and those in lanes.

    x: flat; lanes: whether the levels below base are applied as well. Each block is
    finished while a cache holds it. The widest strides come first, because they read
    memory in long runs, which the processor fetches ahead.
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
def fwht(x: np.ndarray) -> None:
    """Replace a vector by its Walsh-Hadamard transform, in place.

    Parameters
    ----------
    x : ndarray, shape (n,), contiguous and writable
        Real, complex or integer numbers; overwritten with H x. n has to be a power of
        two. For any other n the numbers that are left are no transform at all, and no
        error is raised; nothing outside x is written.

    See Also
    --------
    fwht_rows, fwht_columns : The transform of each row, or of each column.
    nbfact.transforms.hadamard : The operator, which is orthogonal.

    Notes
    -----
    The order is natural, H[i, j] = (-1)**(number of ones in i & j), as in
    ``scipy.linalg.hadamard``. The transform is not normalised: applying it twice
    multiplies x by n, and dividing by √n makes it orthogonal. The cost is n log2(n)
    additions, and no memory is allocated. Sums of integers are exact in every dtype, as
    long as they fit.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> nf.kernels.fwht(x)
    >>> x
    array([10., -2., -4.,  0.])
    """
    transform_blocks(x, x.size, entries_of_tile(x, x.size), True)


@kernel
def fwht_rows(x: np.ndarray) -> None:
    """Replace each row of a matrix by its Walsh-Hadamard transform, in place.

    Parameters
    ----------
    x : ndarray, shape (batch, n), C-contiguous and writable
        Real, complex or integer numbers; overwritten with x H. n has to be a power of
        two: as in `fwht`, for any other n the result is no transform.

    See Also
    --------
    fwht : The transform of one vector.
    fwht_columns : The transform of each column.

    Notes
    -----
    Order and scale are those of `fwht`. The cost is batch n log2(n) additions.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> nf.kernels.fwht_rows(x)
    >>> x
    array([[ 3., -1.],
           [ 7., -1.]])
    """
    n = x.shape[1]
    transform_blocks(x.reshape(x.size), n, entries_of_tile(x, n), True)


@kernel
def fwht_columns(x: np.ndarray) -> None:
    """Replace each column of a matrix by its Walsh-Hadamard transform, in place.

    Parameters
    ----------
    x : ndarray, shape (n, batch), C-contiguous and writable
        Real, complex or integer numbers; overwritten with H x. n has to be a power of
        two: as in `fwht`, for any other n the result is no transform. batch is any
        number.

    See Also
    --------
    fwht : The transform of one vector.
    fwht_rows : The transform of each row.

    Notes
    -----
    Order and scale are those of `fwht`. The cost is batch n log2(n) additions.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> nf.kernels.fwht_columns(x)
    >>> x
    array([[ 4.,  6.],
           [-2., -2.]])
    """
    batch = x.shape[1]
    base = entries_of_tile(x, x.size) if batch == 1 else batch
    transform_blocks(x.reshape(x.size), x.size, base, batch == 1)
