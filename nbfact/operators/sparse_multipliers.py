"""The functions that multiply vectors and columns by planned sparse factors."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._core.threads import current, share, shared_from
from ..kernels import block_chain_apply, chain_apply, chain_apply_columns
from ..kernels.entry_points import entry_point
from ..kernels.sparse_chain import HALF, LEAST_BYTES, WIDE, apply_chain_tiles
from ..kernels.vectors import BYTES
from .block_packing import Blocks, pack_blocks, planned_blocks
from .sparse_packing import Arranged, arranged, pack_rows, pack_slices, row_counts

CALLS = {"vector": 600.0, "columns": 2800.0}
"""Time of a product with very few entries, in nanoseconds."""
VECTOR = {4: (0.2, 0.2), 8: (0.2, 0.25), 16: (0.35, 0.35)}
"""Nanoseconds of an entry and of a row of a factor, for a vector, by the bytes of a
number."""
COLUMN_CALL = 700.0
"""Nanoseconds of a column that is copied and multiplied as a vector, besides that."""
PIECES = {LEAST_BYTES: 0.5, HALF: 0.45, BYTES: 0.7, WIDE: 2.15}
"""Nanoseconds of an entry of a factor, for columns, by the bytes of a row of them."""
PIECE_ROW = 3.5
"""Nanoseconds of a row of a factor, for any of these."""
UNEVEN = 250.0
"""Nanoseconds of a factor whose rows have different numbers of entries, for a vector:
the loops over its slices begin and end more often."""
BLOCKS = 0.2
"""Nanoseconds of a unit of the cost of blocks, see `nbfact.operators.block_packing`."""


class FactorSizes(NamedTuple):
    """The numbers of entries, of rows, and of uneven factors, of several factors.

    Beside them are the entries that uneven rows cost more. Where a vector is multiplied
    by full blocks, these and their cost are here too; elsewhere, how the rows of each
    factor lie in slices, which takes time to find.
    """

    nnz: int
    rows: int
    uneven: int
    extra: int = 0
    blocks: list[Blocks] | None = None
    in_blocks: float = np.inf
    slices: list[Arranged] | None = None


def sizes_of(factors: Sequence[sp.csr_array], dtype: np.dtype) -> FactorSizes:
    """Return the numbers by which `product_cost` counts."""
    counts = [row_counts(factor) for factor in factors]
    uneven = sum(int(one.min() < one.max()) for one in counts)
    nnz, rows = sum(factor.nnz for factor in factors), sum(map(len, counts))
    blocks, in_blocks = planned_blocks(factors, dtype)
    if blocks is not None:
        return FactorSizes(nnz, rows, uneven, 0, blocks, in_blocks)
    slices = [arranged(one, place == 0) for place, one in enumerate(counts)]
    extra = sum(one.cost for one in slices)
    return FactorSizes(nnz, rows, uneven, extra, slices=slices)


def product_cost(sizes: FactorSizes, dtype: np.dtype, batch: int) -> float:
    """Return the time that a product with factors is expected to take, in nanoseconds.

    The constants are of ``nbfact bench -k "sparse factors"`` on a Zen 4.

    Parameters
    ----------
    sizes : FactorSizes
        Those of the factors.
    dtype : numpy.dtype
    batch : int
        Number of columns; 1 for a vector.
    """
    if batch == 1:
        if sizes.blocks is not None:
            return CALLS["vector"] + BLOCKS * sizes.in_blocks
        entry, row = VECTOR[dtype.itemsize]
        found = CALLS["vector"] + entry * (sizes.nnz + sizes.extra) + row * sizes.rows
        return found + UNEVEN * sizes.uneven
    length = batch * dtype.itemsize
    if length < LEAST_BYTES:  # one by one
        return batch * (COLUMN_CALL + product_cost(sizes, dtype, 1))
    fit = [size for size in PIECES if size <= length] or [LEAST_BYTES]
    whole, rest = divmod(length, WIDE)
    entry, pieces = whole * PIECES[WIDE], whole
    if rest:
        size = min(fit[-1], BYTES)
        count = -(-rest // size)
        entry, pieces = entry + count * PIECES[size], pieces + count
    return CALLS["columns"] + entry * sizes.nnz + PIECE_ROW * pieces * sizes.rows


def vector_multiplier(
    factors: Sequence[sp.csr_array],
    scale: float,
    dtype: np.dtype,
    sizes: FactorSizes,
) -> Callable[..., np.ndarray]:
    """Return the function (x, out=None) that multiplies by scale times some factors.

    The vector x is C-contiguous and of the dtype, and so is `out`. sizes: what
    `sizes_of` returns for these factors.
    """
    if sizes.blocks is None:
        kernel = chain_apply
        data, indices, table = pack_slices(factors, dtype, sizes.slices)
    else:
        kernel = block_chain_apply
        data, indices, table = pack_blocks(factors, sizes.blocks, dtype)
    rows, scale, empty = factors[0].shape[0], float(scale), np.empty
    some = empty(0, dtype)
    multiply = entry_point(kernel, data, indices, table, scale, some, some)

    def vector(x, out=None):
        out = empty(rows, dtype) if out is None else out
        multiply(data, indices, table, scale, x, out)
        return out

    return vector


def columns_multiplier(
    factors: Sequence[sp.csr_array], scale: float, dtype: np.dtype
) -> Callable[..., np.ndarray]:
    """Return the function (x, out=None) that multiplies columns by scale times factors.

    The columns are C-contiguous and of the dtype, and their rows hold `LEAST_BYTES` of
    `nbfact.kernels.sparse_chain` or more.
    """
    chain, scale, empty = pack_rows(factors, dtype), float(scale), np.empty
    work = sum(factor.nnz for factor in factors) * dtype.itemsize
    rows, wide = max(max(each.shape) for each in factors), shared_from(work)
    m, some = factors[0].shape[0], empty((0, 0), dtype)
    multiply_all = entry_point(chain_apply_columns, *chain, scale, some, some)

    def columns(x, out=None):
        batch = x.shape[1]
        out = empty((m, batch), dtype) if out is None else out
        if batch < wide or current() == 1:
            multiply_all(*chain, scale, x, out)
            return out
        # One array for all threads, because new memory is slower in those that help,
        # and because several would be returned to the system after each product.
        tile = min(WIDE // dtype.itemsize, batch)
        spare = list(np.empty((current(), 2, rows, tile), dtype))

        def multiply(begin, end):
            apply_chain_tiles(chain, scale, x, spare.pop(), out, begin, end)

        share(work, batch, multiply)
        return out

    return columns
