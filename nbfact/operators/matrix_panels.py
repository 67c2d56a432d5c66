"""Small dense matrices in panels: where a kernel takes less time than BLAS.

The constants are from a few timings on an Intel processor with AVX-512. The rows of
kind "matrix" that ``nbfact study rates`` prints show such products.
"""

import functools
from collections.abc import Callable

import numpy as np

from .._core import threads
from .._core.cache_lines import aligned
from ..kernels import dense_panels_apply
from ..kernels.entry_points import entry_point
from ..kernels.panels import MANY, lanes_of

LEAST_ENTRIES = 1 << 10
"""Least number of entries: with fewer BLAS takes no longer, and nothing is compiled."""
SMALL, TALL = {"f": 10**6, "d": 1 << 19}, 1 << 13
"""Real multiplications up to which OpenBLAS has kernels for small products, and entries
of the matrix up to which they take less time than the panels: one call of NumPy takes
less time around it."""
FULL = 16
"""Bytes of the numbers of one entry of each vector for which they take no longer."""
MOST_COLUMNS = 1 << 19
"""Most bytes of columns: in larger matrices each row of a tile competes with the others
for the same lines of the cache, because the kernel reads columns in place."""

CALL, TURNED_CALL = 500.0, 300.0
"""Nanoseconds of a product, and of columns that are turned to rows and back."""
READ = {"f": 0.02, "d": 0.03, "F": 0.04, "D": 0.08}
VECTOR = {"f": 0.012, "d": 0.026, "F": 0.056, "D": 0.115}
TURNED = 0.35
"""Nanoseconds for an entry of the matrix, for an entry and a vector, and for an entry
of columns that are turned."""


def panel_rows(dtype: np.dtype) -> int:
    """Return the number of rows of a panel, which fill four vectors with sums."""
    return lanes_of(dtype) * (2 if dtype.kind == "c" else 4)


def takes_panels(
    shape: tuple[int, int], dtype: np.dtype, batch: int, rows: bool
) -> bool:
    """Return whether the kernel multiplies, because it takes less time than BLAS.

    Parameters
    ----------
    shape : (int, int)
        That of the matrix.
    dtype : numpy.dtype
    batch : int
        Number of vectors.
    rows : bool
        Whether they are rows, or columns in Fortran order; columns in C order
        otherwise.
    """
    m, n = shape
    if not MANY or batch < 2 or m < panel_rows(dtype) or m * n < LEAST_ENTRIES:
        return False
    if batch > threads.part(m * n * dtype.itemsize):
        return False  # BLAS multiplies many vectors in parts, which threads share
    if dtype.kind != "c" and m * n * batch <= SMALL[dtype.char]:
        return m * n >= TALL and batch * dtype.itemsize != FULL
    return rows or _turns(dtype, batch) or n * batch * dtype.itemsize <= MOST_COLUMNS


def panels_cost(
    shape: tuple[int, int], dtype: np.dtype, batch: int, rows: bool
) -> float:
    """Return the expected time of the kernel in nanoseconds.

    The parameters are those of `takes_panels`.
    """
    m, n = shape
    panel, counted = panel_rows(dtype), batch + batch % 2
    entries = -(-m // panel) * panel * n
    found = CALL + (READ[dtype.char] + VECTOR[dtype.char] * counted) * entries
    if rows or not _turns(dtype, batch):
        return found
    return found + TURNED_CALL + TURNED * (m + n) * batch


def _turns(dtype, batch):
    """Return whether the kernel turns columns to rows."""
    return batch < panel_rows(dtype)


def packed_panels(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix with at least the rows of a panel as the kernel takes it."""
    (m, n), rows = matrix.shape, panel_rows(matrix.dtype)
    packed = aligned((-(-m // rows), n, rows), matrix.dtype)
    for number, panel in enumerate(packed):
        top = min(number * rows, m - rows)
        panel[:] = matrix[top : top + rows].T
    return packed


def panels_product(packed: np.ndarray) -> Callable[..., bool]:
    """Return the function (x, rows, out) of the kernel, without a look at types."""
    some = packed[0]
    call = entry_point(dense_panels_apply, packed, some, 0, some)
    return functools.partial(call, packed)
