"""Centers as the kernels that search the nearest of them take them."""

import itertools

import numpy as np
import scipy.sparse as sp

from ..kernels import DenseCenters, PackedCenters
from ..kernels.tiles import ROWS
from ..kernels.vectors import BYTES
from .factor_product import FactorProduct


def pack(
    operator: FactorProduct,
    bias: np.ndarray,
    offset: np.ndarray | None,
    dtype: np.dtype,
) -> tuple[PackedCenters, int, np.ndarray]:
    """Return factors as the kernel takes them, the rows of a tile, and the rows kept.

    The rows of a tile are as many as the factors need. Of equal rows of the product the
    first one is kept, so that the kernel does not find two that are equally near. The
    margin of the packed factors is zero. The offset is
    subtracted from the points by the kernel.
    """
    factors = [factor.astype(np.float64) for factor in reversed(operator.factors)]
    factors = _pruned(_merged(factors))
    factors[-1].sort_indices()
    kept = _first_of_equals(_entries(factors[-1]), bias)
    if kept is not None:
        factors[-1], bias = sp.csr_array(factors[-1][kept]), bias[kept]
    factors, order = _ordered(factors)
    kept, bias = order if kept is None else kept[order], bias[order]
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
            _in_their_place(offset, blocks, dtype),
        )
    return packed, max(factors[0].shape[1], *heights), kept


def pack_dense(
    rows: np.ndarray,
    bias: np.ndarray,
    offset: np.ndarray | None,
    dtype: np.dtype,
) -> tuple[DenseCenters, int, np.ndarray | None]:
    """Return dense rows as the kernel takes them, and the rest as `pack` does."""
    kept = _first_of_equals((row.tobytes() for row in rows), bias)
    if kept is not None:
        rows, bias = rows[kept], bias[kept]
    (count, n_columns), size = rows.shape, BYTES // dtype.itemsize
    blocks, places = _blocks_of(np.arange(n_columns), n_columns, size)
    length = len(blocks) * size if n_columns >= size else n_columns
    n_rows = -(-count // ROWS) * ROWS
    data, added = np.zeros((n_rows, length), dtype), np.full(n_rows, np.inf, dtype)
    with np.errstate(over="ignore"):  # what becomes infinite is settled exactly
        data[:count, places], added[:count] = -2 * rows.astype(dtype), bias
    groups = data.reshape(-1, ROWS, length).transpose(0, 2, 1)
    moved, margin = _in_their_place(offset, blocks, dtype), np.zeros(2, dtype)
    packed = DenseCenters(groups.ravel(), added, blocks, moved, margin)
    return packed, max(length, size), kept


def _in_their_place(offset, blocks, dtype):
    """Return the entries of an offset on the columns of all blocks, if there is one."""
    if offset is None:
        return np.zeros(0, dtype)
    columns = np.arange(min(BYTES // dtype.itemsize, len(offset)), dtype=np.uint64)
    return offset[(blocks[:, None] + columns).ravel()].astype(dtype)


def _entries(factor):
    """Yield what the rows of a sparse factor hold, their indices sorted."""
    for start, end in itertools.pairwise(factor.indptr):
        yield factor.indices[start:end].tobytes(), factor.data[start:end].tobytes()


def _first_of_equals(rows, bias):
    """Return the rows that equal no row before them, or None where all are different.

    Rows are equal where they hold the same entries and have the same bias.
    """
    seen: dict[tuple, int] = {}
    for i, row in enumerate(rows):
        seen.setdefault((row, bias[i]), i)
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


def _ordered(factors):
    """Return the factors with their rows in the order in which they are read fastest.

    Rows are in the order of their numbers of entries, the longest ones first: a loop
    over as many entries as before ends where the processor expects it, and a wrong
    guess takes as long as several entries. Rows of equal length are in the order of
    their first columns, so that some of what one reads is in cache for the next one.
    The order of the rows of the last factor is returned too.
    """
    ordered, columns = [], np.arange(factors[0].shape[1])
    for factor in factors:
        lengths, first = np.diff(factor.indptr), np.zeros(factor.shape[0], np.intp)
        indices, full = columns[factor.indices], lengths > 0
        if full.any():
            first[full] = np.minimum.reduceat(indices, factor.indptr[:-1][full])
        order = np.lexsort((first, -lengths)).astype(np.int32)
        columns = np.empty_like(order)
        columns[order] = np.arange(len(order))
        lengths = lengths[order]
        ends = np.concatenate([[0], lengths.cumsum()])
        moved = np.repeat(factor.indptr[:-1][order] - ends[:-1], lengths)
        places = np.arange(len(moved)) + moved
        arrays = factor.data[places], indices[places], ends
        ordered.append(sp.csr_array(arrays, shape=factor.shape))
    return ordered, order


def _in_blocks(factor, size):
    """Return the first factor on the blocks of columns that it reads, and the blocks.

    A block has `size` columns, and is given by its first column. The last block may
    overlap with the one before.
    """
    blocks, places = _blocks_of(factor.indices, factor.shape[1], size)
    shape = (factor.shape[0], max(len(blocks), 1) * size)
    return sp.csr_array((factor.data, places, factor.indptr), shape=shape), blocks


def _blocks_of(columns, n_columns, size):
    """Return the first column of each block, and where columns are in the blocks."""
    used = np.unique(columns // size)
    blocks = np.minimum(used * size, max(n_columns - size, 0))
    block = np.searchsorted(used, columns // size)
    return blocks.astype(np.uint64), block * size + columns - blocks[block]
