"""The functions that multiply vectors and columns by planned sparse factors."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp

from .._core.threads import current, share, shared_from
from ..kernels import block_chain_apply, chain_apply, chain_apply_columns
from ..kernels.sparse_chain import WIDE, apply_chain_tiles
from .block_packing import pack_blocks, planned_blocks
from .sparse_packing import pack_rows, pack_slices
from .sparse_plan import dense, has_zeros


def vector_multiplier(
    factors: Sequence[sp.csr_array], scale: float, dtype: np.dtype
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that multiplies a vector by scale times some factors.

    The vector is C-contiguous and of the dtype. A dense matrix takes the place of the
    factors where that is faster; what x holds where no row reads it changes nothing all
    the same.
    """
    blocks, total = planned_blocks(factors, dtype)
    matrix = dense(factors, scale, dtype, total)
    if matrix is None:
        return _chain_multiplier(factors, scale, dtype, blocks)
    product: Callable[[np.ndarray], np.ndarray] = matrix.dot
    if not has_zeros(matrix):
        return product
    zeros, chain = np.zeros(len(matrix), dtype), list[Callable]()

    def vector(x):
        out = product(x)
        if zeros.dot(out) == 0:
            return out
        # A zero times infinity is not zero: here only what a row reads may change it.
        if not chain:
            chain.append(_chain_multiplier(factors, scale, dtype, blocks))
        return chain[0](x)

    return vector


def _chain_multiplier(factors, scale, dtype, blocks):
    """Return the function that multiplies a vector by one factor after the other.

    blocks: the full blocks of all factors, where the product multiplies by them.
    """
    if blocks is None:
        apply, (data, indices, table) = chain_apply, pack_slices(factors, dtype)
    else:
        apply = block_chain_apply
        data, indices, table = pack_blocks(factors, blocks, dtype)
    rows, scale, empty = factors[0].shape[0], float(scale), np.empty

    def vector(x):
        out = empty(rows, dtype)
        apply(data, indices, table, scale, x, out)
        return out

    return vector


def columns_multiplier(
    factors: Sequence[sp.csr_array], scale: float, dtype: np.dtype
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that multiplies columns by scale times some factors.

    The columns are C-contiguous and of the dtype, and their rows hold `LEAST_BYTES` of
    `nbfact.kernels.sparse_chain` or more.
    """
    chain, scale, empty = pack_rows(factors, dtype), float(scale), np.empty
    work = sum(factor.nnz for factor in factors) * dtype.itemsize
    rows, wide = max(max(each.shape) for each in factors), shared_from(work)
    m = factors[0].shape[0]

    def columns(x):
        batch = x.shape[1]
        out = empty((m, batch), dtype)
        if batch < wide or current() == 1:
            chain_apply_columns(*chain, scale, x, out)
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
