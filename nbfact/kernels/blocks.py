"""Product of one vector with a factor of pattern (a, b, c, d) that has large blocks.

`kronecker.py` explains the pattern. Here the values are packed as (a, d, b, c), so that
each row of a block is contiguous. Columns need no kernel: BLAS multiplies them by
blocks of this order in place.
"""

import numpy as np

from ._jit import REASSOC, kernel

WIDTH = 16
"""Number of blocks whose entries of x are gathered at a time: a line of the cache holds
16 entries in single precision."""

CACHED = 1 << 23
"""Number of bytes of values from which on they come from memory, and rows are read one
by one: one stream is up to 1.6 times as fast as several (16 blocks of 1024 x 1024,
float32, Zen 4: 17 GFLOP/s, against 8 with two rows at a time, and 10 with BLAS). In
cache two rows at a time, which share x, are 1.1 to 1.3 times as fast as one."""

LONG = 2048
"""Length of a row in bytes from which on it is read alone: two long rows compete for
the same lines of the cache."""


@kernel(fastmath=REASSOC)
def _multiply_rows(values, x, out, pairs):
    """Multiply blocks (count, b, c) by vectors, x (count * c,) and out (count * b,).

    The first `pairs` rows of each block are read two at a time, and the others alone.
    """
    count, b, c = values.shape
    v, b, c = values.ravel(), np.uintp(b), np.uintp(c)
    one, two = np.uintp(1), np.uintp(2)
    for i in range(np.uintp(count)):
        q = i * c
        for j in range(np.uintp(0), pairs, two):
            p = (i * b + j) * c
            r, s, t = p + c, out.dtype.type(0), out.dtype.type(0)
            for k in range(c):
                s += v[p + k] * x[q + k]
                t += v[r + k] * x[q + k]
            out[i * b + j], out[i * b + j + one] = s, t
        for j in range(pairs, b):
            p, s = (i * b + j) * c, out.dtype.type(0)
            for k in range(c):
                s += v[p + k] * x[q + k]
            out[i * b + j] = s


@kernel
def _gather(x, place, d, count, c, out):
    """Write entries of x for `count` blocks, one block after the other."""
    place, d, count, c = np.uintp(place), np.uintp(d), np.uintp(count), np.uintp(c)
    for k in range(c):
        for m in range(count):
            out[m * c + k] = x[place + k * d + m]


@kernel
def _scatter(x, place, d, count, b, out):
    """Write the results of `count` blocks to their places: the inverse of `_gather`."""
    place, d, count, b = np.uintp(place), np.uintp(d), np.uintp(count), np.uintp(b)
    for j in range(b):
        for m in range(count):
            out[place + j * d + m] = x[m * b + j]


@kernel
def blocks_apply(
    values: np.ndarray, x: np.ndarray, scratch: np.ndarray, out: np.ndarray
) -> None:
    """Write the product of a Kronecker-sparse factor with one vector, row by row.

    Parameters
    ----------
    values : ndarray, shape (a, d, b, c)
        Values of a factor of pattern (a, b, c, d), with d as the second axis; only
        read. All arrays have one dtype and are C-contiguous.
    x : ndarray, shape (a * c * d,)
        Only read.
    scratch : ndarray, shape (2, r)
        r is at least ``min(d, 16) * max(b, c)``, or any where d is 1; overwritten.
    out : ndarray, shape (a * b * d,)
        Overwritten with the product. x, scratch and out share no memory.

    Notes
    -----
    The cost is a b c d multiplications. It is for blocks so large that the gathered
    entries of x are few beside them; `kronecker_apply` is for small ones.
    """
    a, d, b, c = values.shape
    pairs = np.uintp(b - b % 2)
    if values.size * values.itemsize > CACHED or c * values.itemsize > LONG:
        pairs = np.uintp(0)
    for i in range(a):
        for first in range(0, d, WIDTH):
            count = min(WIDTH, d - first)
            source, target = x[i * c : (i + 1) * c], out[i * b : (i + 1) * b]
            if d > 1:
                source, target = scratch[0], scratch[1]
                _gather(x, i * c * d + first, d, count, c, source)
            _multiply_rows(values[i, first : first + count], source, target, pairs)
            if d > 1:
                _scatter(target, i * b * d + first, d, count, b, out)
