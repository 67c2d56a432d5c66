"""Products of sparse factors as the kernel `nearest_rows` takes them."""

import itertools

import numpy as np
import scipy.sparse as sp

from ..kernels import PackedCenters
from ..kernels.vectors import BYTES
from .factor_product import FactorProduct


def pack(
    operator: FactorProduct, bias: np.ndarray, dtype: np.dtype
) -> tuple[PackedCenters, int, np.ndarray | None]:
    """Return factors as the kernel takes them, the rows of a tile, and the rows kept.

    The rows of a tile are as many as the factors need. Of equal rows of the product the
    first one is kept, so that the kernel does not find two that are equally near; None
    stands for all of them. The margin of the packed factors is zero.
    """
    factors = [factor.astype(np.float64) for factor in reversed(operator.factors)]
    factors = _pruned(_merged(factors))
    kept = _first_of_equals(factors[-1], bias)
    if kept is not None:
        factors[-1], bias = sp.csr_array(factors[-1][kept]), bias[kept]
    factors[-1] = factors[-1] * (-2 * operator.scale)
    factors[0], blocks = _in_blocks(factors[0], BYTES // dtype.itemsize)
    heights = [factor.shape[0] for factor in factors]
    ends = np.concatenate([[0], *(np.diff(factor.indptr) for factor in factors)])
    indices = np.concatenate([factor.indices for factor in factors])
    unsigned = np.uint32 if ends.sum() < 2**32 else np.uint64
    with np.errstate(over="ignore"):  # what becomes infinite is settled exactly
        packed = PackedCenters(
            np.concatenate([factor.data for factor in factors]).astype(dtype),
            indices.astype(unsigned),
            ends.cumsum().astype(unsigned),
            np.array(heights, np.int64),
            bias.astype(dtype),
            blocks,
            np.zeros(2, dtype),
        )
    return packed, max(factors[0].shape[1], *heights), kept


def _first_of_equals(factor, bias):
    """Return the rows that equal no row before them, or None where all are different.

    Rows are equal where they hold the same entries and have the same bias.
    """
    factor.sort_indices()
    seen: dict[tuple, int] = {}
    for i, (start, end) in enumerate(itertools.pairwise(factor.indptr)):
        row = factor.indices[start:end].tobytes(), factor.data[start:end].tobytes()
        seen.setdefault((*row, bias[i]), i)
    return np.array(list(seen.values()), np.int32) if len(seen) < len(bias) else None


def _merged(factors):
    """Return factors whose neighbours are multiplied out where that saves time.

    A row that is written costs about as much time as an entry that is read.
    """
    merged = factors[:1]
    for factor in factors[1:]:
        before = merged[-1]
        both = sp.csr_array(factor @ before)
        if both.nnz <= before.nnz + factor.nnz + before.shape[0]:
            merged[-1] = both
        else:
            merged.append(factor)
    return merged


def _pruned(factors):
    """Return the factors without rows between them that are empty or never read."""
    factors = list(factors)
    forward, backward = range(len(factors) - 1), reversed(range(len(factors) - 1))
    for j in [*forward, *backward]:
        read = np.bincount(factors[j + 1].indices, minlength=factors[j].shape[0]) > 0
        kept = np.flatnonzero(read & (np.diff(factors[j].indptr) > 0))
        factors[j] = sp.csr_array(factors[j][kept])
        factors[j + 1] = sp.csr_array(factors[j + 1][:, kept])
    return factors


def _in_blocks(factor, size):
    """Return the first factor on the blocks of columns that it reads, and the blocks.

    A block has `size` columns, and is given by its first column. The last block may
    overlap with the one before.
    """
    last = max(factor.shape[1] - size, 0)
    used = np.unique(factor.indices // size)
    blocks = np.minimum(used * size, last)
    block = np.searchsorted(used, factor.indices // size)
    places = block * size + factor.indices - blocks[block]
    shape = (factor.shape[0], max(len(blocks), 1) * size)
    packed = sp.csr_array((factor.data, places, factor.indptr), shape=shape)
    return packed, blocks.astype(np.uint64)
