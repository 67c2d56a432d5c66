"""What a product of sparse factors multiplies by: the factors, or some of them merged.

The plan depends on the supports, the dtype and the range of the values alone. Costs are
counted in entries that a kernel gathers (0.2 ns on a Zen 4); all constants are of
``nbfact bench -k "sparse factors"`` there.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from .multiplied_out import in_range
from .sparse_packing import row_counts

ROW_COST = 2
"""Cost of a row of a factor, beside its entries: loops, and what it writes."""

PAIRS = 4
"""Two factors are multiplied out if that takes no more than this times their cost, so
that a plan is made in little time."""

COUNTED = 32
"""Number of rows of a product whose entries are counted before it is made."""


def cost(factor: sp.csr_array) -> int:
    """Return what a product with a sparse factor costs."""
    return factor.nnz + ROW_COST * factor.shape[0]


def merged(factors: Sequence[sp.csr_array], dtype: np.dtype) -> list[sp.csr_array]:
    """Return factors of the same product, where two that cost more than theirs are one.

    The pair that saves most comes first. Sums that happen to be zero stay entries, so
    that each row reads the same entries of x as before. Factors whose values could
    leave the range of the dtype stay apart.
    """
    found = list(factors)
    saved = [_saving(a, b, dtype) for a, b in itertools.pairwise(found)]
    while saved and max(saved) > 0:
        place = max(range(len(saved)), key=lambda i: (saved[i], -i))
        left, right = found[place : place + 2]
        product = _product(left, right)
        if cost(product) >= cost(left) + cost(right):  # not all rows were counted
            saved[place] = 0
            continue
        found[place : place + 2] = [product]
        del saved[place]
        for i in (place - 1, place):
            if 0 <= i < len(saved):
                saved[i] = _saving(found[i], found[i + 1], dtype)
    return found


def _saving(left, right, dtype):
    """Return what the product of two factors saves, 0 where it saves nothing.

    The entries of a few of its rows are counted, and say how many all rows have.
    """
    both, rows = cost(left) + cost(right), left.shape[0]
    pairs = row_counts(right)[left.indices].sum()
    if pairs > PAIRS * both:
        return 0
    counted = np.arange(rows)
    if rows > COUNTED:
        counted = np.arange(COUNTED) * rows // COUNTED
    places = np.sort(_pairs(left, right, counted)[0])
    distinct = np.count_nonzero(places[1:] != places[:-1]) + (places.size > 0)
    saving = both - rows * (distinct / len(counted) + ROW_COST)
    return saving if saving > 0 and _in_range(left, right, dtype) else 0


def _pairs(left, right, rows):
    """Return the pairs of entries that add up to those of some rows of a product.

    They are given by their place in those rows, as if these were stored dense, and by
    the entries of the left and of the right factor.
    """
    lengths = row_counts(left)[rows]
    lefts = _ranges(left.indptr[rows], lengths)
    middle = left.indices[lefts]
    counts = row_counts(right)[middle]
    rights = _ranges(right.indptr[middle], counts)
    starts = np.arange(len(rows)) * right.shape[1]
    places = np.repeat(np.repeat(starts, lengths), counts) + right.indices[rights]
    return places, np.repeat(lefts, counts), rights


def _ranges(starts, lengths):
    """Return the numbers from each start on, as many as its length."""
    first = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(starts - first, lengths)


def _product(left, right):
    """Return the product in double precision, with the entries that happen to be 0."""
    rows, columns = left.shape[0], right.shape[1]
    wide = np.promote_types(left.dtype, np.float64)
    places, lefts, rights = _pairs(left, right, np.arange(rows))
    order = np.argsort(places, kind="stable")
    places = places[order]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    terms = left.data.astype(wide)[lefts] * right.data.astype(wide)[rights]
    data, places = np.add.reduceat(terms[order], first), places[first]
    ends = np.searchsorted(places, np.arange(rows + 1) * columns)
    return sp.csr_array((data, places % columns, ends), shape=(rows, columns))


def _in_range(left, right, dtype):
    """Return whether no product of entries comes near the limits of the dtype."""
    return in_range([left.data, right.data], left.shape[1:], dtype)
