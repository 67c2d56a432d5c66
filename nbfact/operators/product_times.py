"""How long products are expected to take: with operators, and with dense matrices.

The model is stored here and in the plans of the operators, and measures nothing, so
that what is chosen by it is the same on every machine and in every run. The constants
are nanoseconds on a Zen 4 processor, with one thread, and are fitted to what
``python -m benchmarks.product_times`` prints.
"""

from collections.abc import Sequence

import numpy as np

from .block_packing import blocks_within
from .butterfly import Butterfly
from .fast_operator import FastOperator
from .planned_operator import PlannedOperator
from .product_plans import parts_time
from .sparse_multipliers import BLOCKS, CALLS, FactorSizes, product_cost

DENSE_CALL, BUTTERFLY_CALL = 750.0, 400.0
"""Time of the call of a product with a dense matrix, without its work, and how much
longer one with a butterfly takes than its plan says."""

READ = ((1 << 20, 0.011), (1 << 22, 0.014), (np.inf, 0.033))
"""Time of each byte of a matrix that is read once, for matrices of up to some bytes."""

DENSE_COLUMN = {"f": 0.022, "d": 0.045, "F": 0.088, "D": 0.17}
"""Time of an entry of a dense matrix for each column, by the letter of the dtype."""


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
    if isinstance(operator, PlannedOperator):
        return called + parts_time(operator, batch)
    return called + parts_time(operator.to_factors(), batch)


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
    rows, many = sum(shape[0] for shape in shapes), 1 << 20
    least, most = (
        product_cost(FactorSizes(nnz, rows, len(shapes)), dtype, batch)
        for nnz in (0, many)
    )
    return max(0, int((time - least) / (most - least) * many))


def column_blocks_within(
    time: float, shapes: Sequence[tuple[int, int]], dtype: np.dtype
) -> int:
    """Return how many blocks of eight rows factors have that multiply one vector.

    The parameters are those of `entries_within`.
    """
    return blocks_within((time - CALLS["vector"]) / BLOCKS, shapes, dtype)


def _read(size: float) -> float:
    """Return the time of each byte of a matrix of some bytes."""
    return next(rate for most, rate in READ if size <= most)
