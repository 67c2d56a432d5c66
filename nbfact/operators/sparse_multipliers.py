"""The functions that multiply vectors and columns by planned sparse factors."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp

from .._core.threads import current, share, shared_from
from ..kernels import block_chain_apply, chain_apply, chain_apply_columns
from ..kernels.entry_points import entry_point
from ..kernels.sparse_chain import WIDE, apply_chain_tiles
from .block_packing import pack_blocks, planned_blocks
from .sparse_packing import pack_rows, pack_slices
from .sparse_plan import cost

CALL = 900.0
"""Time of a product with very few entries, in nanoseconds."""
VECTOR = {"f": 0.205, "d": 0.23, "F": 0.27, "D": 0.39}
BLOCKS = 0.2
"""Nanoseconds of a unit of `nbfact.operators.sparse_plan.cost` with one vector, by the
letter of the dtype; and of a unit of `nbfact.operators.block_packing`."""
READ, COLUMN = 0.55, {"f": 0.037, "d": 0.062, "F": 0.08, "D": 0.165}
"""Nanoseconds of a unit with columns, and for each column. ``python -m
benchmarks.product_times`` prints them all."""


def product_cost(factors: Sequence[sp.csr_array], dtype: np.dtype, batch: int) -> float:
    """Return the time that a product with factors is expected to take, in nanoseconds.

    They are those that `nbfact.operators.sparse_plan.merged` returns.
    """
    if batch == 1:
        blocks, total = planned_blocks(factors, dtype)
        return CALL + total * (VECTOR[dtype.char] if blocks is None else BLOCKS)
    work = sum(map(cost, factors))
    return 2 * CALL + work * (READ + COLUMN[dtype.char] * batch)


def vector_multiplier(
    factors: Sequence[sp.csr_array], scale: float, dtype: np.dtype
) -> Callable[..., np.ndarray]:
    """Return the function (x, out=None) that multiplies by scale times some factors.

    The vector x is C-contiguous and of the dtype, and so is `out`.
    """
    blocks, _ = planned_blocks(factors, dtype)
    if blocks is None:
        kernel, (data, indices, table) = chain_apply, pack_slices(factors, dtype)
    else:
        kernel = block_chain_apply
        data, indices, table = pack_blocks(factors, blocks, dtype)
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
