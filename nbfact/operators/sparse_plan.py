"""What a product of sparse factors multiplies by: the factors, or some of them merged.

The plan depends on the supports, the dtype and the range of the values alone. Costs are
counted in entries that a kernel gathers (0.25 ns on a Zen 4); all constants are of
``nbfact bench -k "sparse factors"`` there.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from .._core.dtypes import real_dtype

ROW_COST = 2
"""Cost of a row of a factor, beside its entries: loops, and what it writes."""

PAIRS = 4
"""Two factors are multiplied out if that takes no more than this times their cost, so
that a plan is made in little time."""

DENSE_COST = 0.055
"""Cost of each byte of a dense matrix that stays in cache."""

DENSE_BYTES = 2**19
"""Largest size of a dense matrix, half of the second level of cache of a Zen 4: larger
ones are not read at the speed that `DENSE_COST` says."""


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
    saved = [_merge(a, b, dtype) for a, b in itertools.pairwise(found)]
    while saved and max(saving for saving, _ in saved) > 0:
        place = max(range(len(saved)), key=lambda i: (saved[i][0], -i))
        product = saved[place][1]
        assert product is not None
        found[place : place + 2] = [product]
        del saved[place]
        for i in (place - 1, place):
            if 0 <= i < len(saved):
                saved[i] = _merge(found[i], found[i + 1], dtype)
    return found


def dense(
    factors: Sequence[sp.csr_array], scale: float, dtype: np.dtype
) -> np.ndarray | None:
    """Return scale times the product as a dense matrix, where that is faster, or None.

    Every row of it reads the whole vector, because a zero times infinity is not zero.
    """
    (m, n), item = (factors[0].shape[0], factors[-1].shape[1]), dtype.itemsize
    size = m * n * item
    if size > DENSE_BYTES or DENSE_COST * size > sum(map(cost, factors)):
        return None
    product = factors[0]
    for factor in factors[1:]:
        if not _in_range(product, factor, dtype):
            return None
        product = _product(product, factor)
    wide = np.promote_types(product.dtype, np.float64)
    values = product.toarray().astype(wide) * float(scale)
    low, high = _limits(dtype)
    largest, least = np.abs(values).max(), np.abs(values).min()
    if product.nnz < m * n or not low < least <= largest < high:
        return None
    return values.astype(dtype)


def _merge(left, right, dtype):
    """Return what the product of two factors saves, and the product; 0 and None."""
    both = cost(left) + cost(right)
    pairs = np.diff(right.indptr)[left.indices].sum()
    if pairs > PAIRS * both or not _in_range(left, right, dtype):
        return 0, None
    product = _product(left, right)
    return both - cost(product), product


def _product(left, right):
    """Return the product in double precision, with the entries that happen to be 0."""
    wide = np.promote_types(left.dtype, np.float64)
    product = sp.csr_array(left.astype(wide) @ right.astype(wide))
    ones = [each.astype(bool).astype(np.int64) for each in (left, right)]
    support = sp.csr_array(ones[0] @ ones[1])
    if product.nnz == support.nnz:
        return product
    product, support = product.tocoo(), support.tocoo()
    places = (
        np.concatenate([product.row, support.row]),
        np.concatenate([product.col, support.col]),
    )
    data = np.concatenate([product.data, np.zeros(support.nnz)])
    return sp.coo_array((data, places), shape=product.shape).tocsr()


def _in_range(left, right, dtype):
    """Return whether no product of two entries comes near the limits of the dtype."""
    if not (left.nnz and right.nnz):
        return False
    least, largest = 1.0, float(left.shape[1])
    with np.errstate(over="ignore", under="ignore"):
        for factor in (left, right):
            sizes = np.abs(factor.data)
            least, largest = least * float(sizes.min()), largest * float(sizes.max())
    low, high = _limits(dtype)
    return low < least and largest < high


def _limits(dtype):
    """Return between which sizes values keep their precision, with room to spare."""
    limits = np.finfo(real_dtype(dtype))
    return float(limits.tiny / limits.eps), float(limits.max * limits.eps)
