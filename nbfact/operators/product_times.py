"""How long products are expected to take: with operators, and with dense matrices.

The model is stored here and in the plans of the operators, and measures nothing, so
that what is chosen by it is the same on every machine and in every run. The constants
are nanoseconds on a Zen 4 processor, with one thread, and are fitted to what
``python -m benchmarks.product_times`` prints.
"""

from collections.abc import Sequence

import numpy as np

from . import plan as plans
from .block_packing import blocks_within, planned_blocks
from .butterfly import Butterfly
from .factor_product import FactorProduct
from .fast_operator import FastOperator
from .named_transform import GATHER, PERMUTED, NamedTransform
from .sparse_plan import DENSE_BYTES, ROW_COST, merged

CALL, SPARSE_CALL = 750.0, 300.0
"""Time of the call of a product, without its work, and how much more that of sparse
factors takes."""

READ = ((1 << 20, 0.011), (1 << 22, 0.014), (np.inf, 0.033))
"""Time of each byte of a matrix that is read once, for matrices of up to some bytes."""

BLOCKS = 0.2
"""Time of a unit of cost of factors in blocks, see `block_packing`, and one vector."""

ENTRY = {"float32": 0.205, "float64": 0.23, "complex64": 0.27, "complex128": 0.39}
"""Time of a unit of cost of other sparse factors, see `sparse_plan.cost`."""

ENTRY_READ = 0.55
"""Time of an entry of a sparse factor that multiplies columns, without them."""

ENTRY_COLUMN = {
    "float32": 0.037,
    "float64": 0.062,
    "complex64": 0.08,
    "complex128": 0.165,
}
"""Time of an entry of a sparse factor for each column."""

DENSE_COLUMN = {
    "float32": 0.022,
    "float64": 0.045,
    "complex64": 0.088,
    "complex128": 0.17,
}
"""Time of an entry of a dense matrix for each column."""


def dense_time(shape: tuple[int, int], dtype: np.dtype, batch: int) -> float:
    """Return the expected time of a product with a dense matrix, in nanoseconds.

    Parameters
    ----------
    shape : (int, int)
    dtype : numpy.dtype
    batch : int
        Number of columns; 1 for a vector.
    """
    size = shape[0] * shape[1] * dtype.itemsize
    found = CALL + size * _read(size)
    if batch > 1:
        found += DENSE_COLUMN[dtype.name] * shape[0] * shape[1] * batch
    return found


def expected_time(operator: FastOperator, batch: int) -> float:
    """Return the expected time of a product with an operator, in nanoseconds.

    The columns are of the dtype of the operator. An operator that is neither sparse
    factors nor a butterfly counts as its sparse factors.

    Parameters
    ----------
    operator : FastOperator
    batch : int
        Number of columns; 1 for a vector.
    """
    dtype = operator.dtype
    if isinstance(operator, NamedTransform):
        return CALL + min(operator.costs(dtype, batch).values())
    if isinstance(operator, Butterfly):
        planned = plans.columns_planned(batch)
        plan = plans.best(operator.chain, dtype, planned)
        found = (
            CALL + plans.cost(operator.chain, plan, dtype, planned) * batch / planned
        )
        for index in (operator.rows, operator.columns):
            if index is not None:
                found += PERMUTED + GATHER * len(index) * batch
        return found
    return _sparse_time(operator.to_factors(), batch)


def _sparse_time(product: FactorProduct, batch: int) -> float:
    """Return the expected time of a product with sparse factors."""
    dtype = product.dtype
    factors = merged(product.factors, dtype)
    if batch > 1:
        nnz = sum(factor.nnz for factor in factors)
        each = ENTRY_READ + ENTRY_COLUMN[dtype.name] * batch
        return CALL + SPARSE_CALL + nnz * each
    blocks, total = planned_blocks(factors, dtype)
    unit = ENTRY[dtype.name] if blocks is None else BLOCKS
    found = CALL + SPARSE_CALL + total * unit
    size = product.shape[0] * product.shape[1] * dtype.itemsize
    whole = dense_time(product.shape, dtype, 1)
    return min(found, whole) if size <= DENSE_BYTES else found


def entries_within(
    time: float, shapes: Sequence[tuple[int, int]], dtype: np.dtype, batch: int
) -> int:
    """Return how many entries sparse factors have whose product takes some time.

    Parameters
    ----------
    time : float
        Nanoseconds.
    shapes : sequence of (int, int)
        Shapes of the factors.
    dtype : numpy.dtype
    batch : int
    """
    if batch > 1:
        each = ENTRY_READ + ENTRY_COLUMN[dtype.name] * batch
        return max(0, int((time - CALL - SPARSE_CALL) / each))
    rows = ROW_COST * sum(shape[0] for shape in shapes)
    return max(0, int((time - CALL - SPARSE_CALL) / ENTRY[dtype.name]) - rows)


def column_blocks_within(
    time: float, shapes: Sequence[tuple[int, int]], dtype: np.dtype
) -> int:
    """Return how many blocks of eight rows factors have that multiply one vector.

    The parameters are those of `entries_within`.
    """
    return blocks_within((time - CALL - SPARSE_CALL) / BLOCKS, shapes, dtype)


def _read(size: float) -> float:
    """Return the time of each byte of a matrix of some bytes."""
    return next(rate for most, rate in READ if size <= most)
