"""Copies of what large blocks read and write, where it is far apart or scattered.

`blocks.py` says when they save more time than they take. All arrays are flat.
"""

import numpy as np

from ._jit import kernel
from .panels import WIDE, copy_vector, prefetch
from .vectors import BYTES

AHEAD = 8
"""Number of rows of x by which a row is fetched before it is copied. What the next
block reads is not fetched then: it would not keep its place in cache until then."""


@kernel
def panel_width(values):
    """Return the number of columns that a panel of values multiplies together."""
    lanes = BYTES // values.itemsize
    return max(WIDE * lanes // 2, lanes) if np.iscomplexobj(values) else WIDE * lanes


@kernel
def copy_columns_ahead(x, packed, p, xs, c, size):
    """Copy `size` columns of a block of x in the order in which panels read them."""
    lanes, wide = BYTES // x.itemsize, panel_width(x)
    whole = size - size % wide
    for k in range(c):
        row = p + k * xs
        for n in range(0, size if k + AHEAD < c else 0, lanes):
            prefetch(x, row + AHEAD * xs + n)
        for n in range(0, whole, lanes):
            to = n // wide * wide * c + k * wide + n % wide
            copy_vector(x, row + n, packed, to)
        to = whole * c + k * lanes
        for n in range(whole, size, lanes):
            copy_vector(x, row + min(n, size - lanes), packed, to)
            to += c * lanes


@kernel
def copy_rows(x, places, packed, size):
    """Copy vectors of some rows: those of each row one after the other.

    places: that of the first vector, and the distances of rows and of vectors; size:
    the numbers of rows and of vectors, and the distance of copied rows in vectors.
    """
    (p, xn, xs), (count, depth, line) = places, size
    lanes = BYTES // x.itemsize
    for r in range(count):
        for k in range(depth):
            copy_vector(x, p + r * xn + k * xs, packed, (r * line + k) * lanes)


@kernel
def spread_vectors(found, out, places, count, size):
    """Write `size` vectors of each of some rows, one after the other, to their places.

    places: that of the first vector in `found` and in out, and the distances of rows
    and of vectors in out.
    """
    p, o, on, os = places
    lanes = BYTES // out.itemsize
    for r in range(count):
        for t in range(size):
            copy_vector(found, p + (r * size + t) * lanes, out, o + r * on + t * os)


@kernel
def spread_entries(found, line, out, places, count, last):
    """Write `last` entries of each of some rows of `found` to their places in out.

    places: that of the first entry, and the distances of rows and of entries.
    """
    o, on, apart = places
    for r in range(count):
        for t in range(last):
            out[o + r * on + t * apart] = found[r * line + t]
