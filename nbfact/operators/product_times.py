"""How long products are expected to take: with operators, and with dense matrices.

The model is stored here and in the plans of the operators, and measures nothing, so
that what is chosen by it is the same on every machine and in every run. The constants
are nanoseconds on a Zen 4 processor, with one thread, and are fitted to what
``python -m benchmarks.product_times`` prints.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.dtypes import real_dtype
from ..kernels.block_entries import BLOCK
from .block_packing import cost_of_blocks
from .butterfly import Butterfly
from .factor_product import multiplies_by_blocks
from .fast_operator import FastOperator
from .planned_operator import PlannedOperator
from .product_plans import parts_time
from .sparse_multipliers import FactorSizes, product_cost

DENSE_CALL, BUTTERFLY_CALL = 750.0, 400.0
"""Time of the call of a product with a dense matrix, without its work, and how much
longer one with a butterfly takes than its plan says."""

READ = ((1 << 20, 0.011), (1 << 22, 0.014), (np.inf, 0.033))
"""Time of each byte of a matrix that is read once, for matrices of up to some bytes."""

DENSE_COLUMN = {"f": 0.022, "d": 0.045, "F": 0.088, "D": 0.17}
"""Time of an entry of a dense matrix for each column, by the letter of the dtype."""

NEAR, INDEX = 1 << 20, 2
"""Bytes of sparse factors that stay in the second level of cache from one vector to the
next, and bytes of the index of an entry."""
FAR = {"blocks": 0.018, "entries": 0.03}
"""Time of reading a byte of larger ones, by what a vector is multiplied by."""

GUARD_CALL = 300.0
GUARD_VECTOR = {
    4: {"blocks": 1.25, "entries": 1.45, "parts": 1.25},
    8: {"blocks": 1.15, "entries": 1.35, "parts": 1.15},
}
GUARD_COLUMNS = {
    4: {"blocks": 1.8, "entries": 1.8, "parts": 1.85},
    8: {"blocks": 1.2, "entries": 1.2, "parts": 1.45},
}
"""What a product loses beside the dense one, on a processor of Intel (Ice Lake) that
other programs used too: nanoseconds of a call with one vector; and how many times as
long it takes as the model says, with one vector and with columns, by the bytes of a
real number and by what it multiplies by. BLAS multiplies columns in single precision
in half of the time there."""


def dense_time(shape: tuple[int, int], dtype: np.dtype, batch: int) -> float:
    """Return the expected time of a product with a dense matrix, in nanoseconds.

    The matrix, of any size, is an array of the user, which ``@`` multiplies by. For the
    small matrix that an operator keeps there is `small_matrices.matrix_cost`.

    Parameters
    ----------
    shape : (int, int)
    dtype : numpy.dtype
    batch : int
        Number of columns; 1 for a vector.
    """
    size = shape[0] * shape[1] * dtype.itemsize
    found = DENSE_CALL + size * _read(size)
    if batch > 1:
        found += DENSE_COLUMN[dtype.char] * shape[0] * shape[1] * batch
    return found


def expected_time(operator: FastOperator, batch: int) -> float:
    """Return the expected time of a product with the parts of an operator.

    It is in nanoseconds, and never that of its dense matrix. The columns are of the
    dtype of the operator.

    Parameters
    ----------
    operator : FastOperator
    batch : int
        Number of columns; 1 for a vector.
    """
    called = BUTTERFLY_CALL if isinstance(operator, Butterfly) else 0.0
    product: PlannedOperator = (
        operator if isinstance(operator, PlannedOperator) else operator.to_factors()
    )
    found = called + parts_time(product, product.dtype, batch)
    if batch == 1 and product._by_factors:
        found += _far(product.nnz, _kind(product, batch), product.dtype)
    return found


def guarded_time(operator: FastOperator, batch: int) -> float:
    """Return the time that a product takes at most, on all machines that were measured.

    It is to be compared with `dense_time`: a product whose guarded time is half of that
    was twice as fast as the dense one on all of them.

    Parameters
    ----------
    operator : FastOperator
    batch : int
        Number of columns; 1 for a vector.

    Returns
    -------
    float
        Nanoseconds.
    """
    found = expected_time(operator, batch)
    return _guarded(found, _kind(operator, batch), operator.dtype, batch)


def _kind(operator: Any, batch: int) -> str:
    """Return what an operator multiplies by: a key of `GUARD_VECTOR`."""
    if not operator._by_factors:
        return "parts"
    return "blocks" if batch == 1 and multiplies_by_blocks(operator) else "entries"


def _far(nnz: int, kind: str, dtype: np.dtype) -> float:
    """Return the time of reading factors that do not stay in the near caches."""
    size = nnz * (dtype.itemsize + (INDEX if kind == "entries" else 0))
    return FAR[kind] * size if size > NEAR else 0.0


def _guarded(time: float, kind: str, dtype: np.dtype, batch: int) -> float:
    """Return the guarded time from the expected one."""
    size = real_dtype(dtype).itemsize
    if batch == 1:
        return GUARD_CALL + GUARD_VECTOR[size][kind] * time
    return GUARD_COLUMNS[size][kind] * time


def entries_within(
    time: float, shapes: Sequence[tuple[int, int]], dtype: np.dtype, batch: int
) -> int:
    """Return how many entries sparse factors have with some guarded time.

    Parameters
    ----------
    time : float
        Nanoseconds, see `guarded_time`.
    shapes : sequence of (int, int)
        Shapes of the factors.
    dtype : numpy.dtype
    batch : int
    """
    rows = sum(shape[0] for shape in shapes)

    def cost(nnz: int) -> float:
        found = product_cost(FactorSizes(nnz, rows, len(shapes)), dtype, batch)
        found += _far(nnz, "entries", dtype) if batch == 1 else 0.0
        return _guarded(found, "entries", dtype, batch)

    return _most(sum(map(math.prod, shapes)), cost, time)


def column_blocks_within(
    time: float, shapes: Sequence[tuple[int, int]], dtype: np.dtype
) -> int:
    """Return how many blocks of eight rows factors have that multiply one vector.

    The parameters are those of `entries_within`.
    """
    rows = sum(shape[0] for shape in shapes)

    def cost(count: int) -> float:
        in_blocks = cost_of_blocks(count, shapes, dtype)
        sizes = FactorSizes(BLOCK * count, rows, 0, 0, [], in_blocks)
        found = product_cost(sizes, dtype, 1) + _far(sizes.nnz, "blocks", dtype)
        return _guarded(found, "blocks", dtype, 1)

    return _most(sum(-(-m // BLOCK) * n for m, n in shapes), cost, time)


def _most(limit: int, cost: Callable[[int], float], time: float) -> int:
    """Return the largest number, up to a limit, whose cost is no more than a time."""
    found = bisect.bisect_right(range(limit + 1), time, key=cost)
    return max(0, found - 1)


def _read(size: float) -> float:
    """Return the time of each byte of a matrix of some bytes."""
    return next(rate for most, rate in READ if size <= most)
