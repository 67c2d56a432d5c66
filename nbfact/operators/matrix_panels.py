"""Small dense matrices in panels: where a kernel takes less time than BLAS.

The constants are from a few timings on an Intel processor with AVX-512. The rows of
kind "matrix" that ``nbfact study rates`` prints show such products.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import threads
from .._core.cache_lines import aligned
from ..kernels import (
    dense_panels_columns,
    dense_panels_fortran,
    dense_panels_rows,
)
from ..kernels.dense_panels import UNFIT
from ..kernels.entry_points import entry_point
from ..kernels.panels import MANY, lanes_of

LEAST_ENTRIES = 1 << 10
"""Least number of entries: with fewer BLAS takes no longer, and nothing is compiled."""
COLUMNS, ROWS, FORTRAN = 0, 1, 2
"""Columns and rows in C order, and columns in Fortran order."""
SMALL, TALL = {"f": 10**6, "d": 1 << 19}, 1 << 13
"""Real multiplications up to which OpenBLAS has kernels for small products, and entries
of the matrix up to which they take less time than the panels: one call of NumPy takes
less time around it."""
FULL, TWO, HIGH = 16, 2, 1 << 16
"""Bytes of the numbers of one entry of each vector, and number of vectors, for which
they take no longer up to this number of entries."""
MIDDLE, WASTED = {"f": 1 << 19, "d": 1 << 17}, 1.25
"""Real multiplications of rows from which on they take less time, as they do where BLAS
needs a look for infinity in x before and nothing is turned, and how many rows all
panels may have for each one of the matrix, and how many columns all tiles for each."""
MOST_COLUMNS = 1 << 19
"""Most bytes of columns: in larger matrices each row of a tile competes with the others
for the same lines of the cache, because the kernel reads columns in place."""

KERNELS = dense_panels_columns, dense_panels_rows, dense_panels_fortran
"""Those for the layouts, in the order of the three above."""

CALL, TURNED_CALL = 500.0, 300.0
"""Nanoseconds of a product, and of columns that are turned to rows and back."""
READ = {"f": 0.02, "d": 0.03, "F": 0.04, "D": 0.08}
VECTOR = {"f": 0.0105, "d": 0.0225, "F": 0.056, "D": 0.115}
TURNED = 0.35
"""Nanoseconds for an entry of the matrix, for an entry and a vector, and for an entry
of columns that are turned."""


def panel_rows(dtype: np.dtype) -> int:
    """Return the number of rows of a panel, which fill four vectors with sums."""
    return lanes_of(dtype) * (2 if dtype.kind == "c" else 4)


def takes_panels(
    shape: tuple[int, int],
    dtype: np.dtype,
    batch: int,
    rows: bool,
    watched: bool = False,
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
    watched : bool
        Whether products by BLAS would have to look for infinity in x.
    """
    m, n = shape
    if not MANY or batch < 2 or m < panel_rows(dtype) or m * n < LEAST_ENTRIES:
        return False
    if batch > threads.part(m * n * dtype.itemsize):
        return False  # BLAS multiplies many vectors in parts, which threads share
    if dtype.kind != "c" and m * n * batch <= SMALL[dtype.char]:
        many = rows and m * n * batch >= MIDDLE[dtype.char]
        direct = watched and (rows or not _turns(dtype, batch))
        if (many or direct) and _padded(m, dtype) <= WASTED * m:
            return True
        few = batch == TWO or batch * dtype.itemsize == FULL
        return m * n > (HIGH if few else TALL)
    if rows or _turns(dtype, batch):
        return True
    fits = n * batch * dtype.itemsize <= MOST_COLUMNS
    return fits and _padded(batch, dtype) <= WASTED * batch


def panels_cost(
    shape: tuple[int, int], dtype: np.dtype, batch: int, rows: bool
) -> float:
    """Return the expected time of the kernel in nanoseconds.

    The parameters are those of `takes_panels`.
    """
    m, n = shape
    # One vector that is left over from tiles of four goes with one from before.
    counted, entries = batch + (batch % 4 == 1), _padded(m, dtype) * n
    found = CALL + (READ[dtype.char] + VECTOR[dtype.char] * counted) * entries
    if rows or not _turns(dtype, batch):
        return found
    return found + TURNED_CALL + TURNED * (m + n) * batch


def _padded(m, dtype):
    """Return the number of rows of all panels of a matrix with m rows."""
    panel = panel_rows(dtype)
    return -(-m // panel) * panel


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


class PanelsProduct:
    """Function (x, out=None) that multiplies vectors by a matrix in panels.

    Parameters
    ----------
    packed : ndarray
        What `packed_panels` returns for a matrix of shape (m, n).
    m, batch : int
        Rows of the matrix, and number of vectors, at least 2.
    way : int
        `COLUMNS`, `ROWS` or `FORTRAN`.
    apart : callable, optional
        Called as ``apart(again, x, out)`` where a product is not finite, with columns
        or rows in C order; ``again(x, out)`` multiplies once more.

    Attributes
    ----------
    kernel : callable
        Function (packed, x, out), which returns 0 where out holds the product: it looks
        at the shapes and the strides of both, and whether they share memory, but not at
        their dtypes, nor whether `out` is writable.
    packed : ndarray
        The parameter.
    new : callable
        Returns an empty array for the product.
    """

    __slots__ = ("_apart", "_way", "kernel", "new", "packed")

    def __init__(
        self,
        packed: np.ndarray,
        m: int,
        batch: int,
        way: int,
        apart: Callable | None = None,
    ) -> None:
        dtype = packed.dtype
        order: Any = "F" if way == FORTRAN else "C"
        shape = (batch, m) if way == ROWS else (m, batch)
        some = np.empty((0, 0), dtype, order)
        self.kernel = entry_point(KERNELS[way], packed, some, some)
        self.packed = packed
        self.new = functools.partial(np.empty, shape, dtype, order)
        self._way, self._apart = way, apart

    def __call__(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the product with x, of the shape and the layout.

        Raises
        ------
        ValueError
            When shapes or layouts do not fit, or when x and out share memory.
        """
        if out is None:
            out = self.new()
        status = self.kernel(self.packed, x, out)
        if not status:
            return out
        if status == UNFIT:
            raise ValueError(
                f"x has shape {x.shape} and strides {x.strides}, out has shape "
                f"{out.shape} and strides {out.strides}: they do not fit, or share "
                "memory"
            )
        return self.finish(x, out)

    def finish(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Return the product where the kernel found that it is not finite."""
        if self._apart is not None:
            self._apart(self._again, self._in_rows(x), self._in_rows(out))
        return out

    def _again(self, x, out):
        """Multiply x, whatever the product is; rows stand for Fortran order."""
        self.kernel(self.packed, self._in_rows(x), self._in_rows(out))
        return out

    def _in_rows(self, array):
        """Return columns in Fortran order as rows, or such rows as these columns."""
        return array.T if self._way == FORTRAN else array
