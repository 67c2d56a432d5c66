"""Copies of vectors, to and from rows that are far apart. All arrays are flat.

`blocks.py` says when they save more time than they take.
"""

import numpy as np

from ._jit import kernel
from .panels import WIDE, copy_vector, prefetch
from .vectors import BYTES

AHEAD = 8
"""Number of rows by which a row is fetched before it is copied. What the next block
reads is not fetched then: it would not keep its place in cache until then."""


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
def move_vectors(x, source, out, target, size, ahead):
    """Copy vectors of some rows of x to rows of out.

    source, target: the place of the first vector, and the distances of rows and of
    vectors; size: the numbers of rows, and of vectors in each; ahead: by how many rows
    a row of both is fetched before it is copied, or 0 where that only takes time.
    """
    (p, xn, xs), (o, on, os), (count, depth) = source, target, size
    for r in range(count):
        for k in range(depth if ahead > 0 and r + ahead < count else 0):
            prefetch(x, p + (r + ahead) * xn + k * xs)
            prefetch(out, o + (r + ahead) * on + k * os)
        for k in range(depth):
            copy_vector(x, p + r * xn + k * xs, out, o + r * on + k * os)


@kernel
def spread_entries(found, line, out, places, count, last):
    """Write `last` entries of each of some rows of `found` to their places in out.

    places: that of the first entry, and the distances of rows and of entries.
    """
    o, on, apart = places
    for r in range(count):
        for t in range(last):
            out[o + r * on + t * apart] = found[r * line + t]
