"""Small operators by their dense matrix: one call of BLAS, or of a kernel.

A call of other kernels, or of scipy.fft, takes longer than all operations of a small
product. BLAS multiplies a vector by the dense matrix in that time, and a kernel several
(`matrix_panels.py`).
"""

import functools
from collections.abc import Callable

import numpy as np

from .._core import threads
from .._core.cache_lines import aligned
from ..kernels import all_finite
from ..kernels.entry_points import entry_point
from .call_forms import turned_call
from .matrix_panels import (
    COLUMNS,
    FORTRAN,
    ROWS,
    PanelsProduct,
    packed_panels,
    panels_cost,
    takes_panels,
)

LARGEST = 1 << 20
"""Limit of the size of a matrix in bytes: the second level of cache of a Zen 4."""
CALL, SEVERAL = 350.0, 100.0
"""Time of a product with very few numbers, in nanoseconds, and how much longer one with
several vectors takes."""
VECTOR = {"f": 0.05, "d": 0.085, "F": 0.1, "D": 0.22}
"""Nanoseconds for each entry of the matrix and one vector, by the letter of the dtype.
``nbfact study rates`` prints them."""
READ = {"f": 0.02, "d": 0.03, "F": 0.6, "D": 0.4}
ROWS_READ = {"F": 0.3}
COLUMN = {"f": 0.013, "d": 0.0265, "F": 0.07, "D": 0.165}
"""Nanoseconds for each entry of the matrix, whatever the number of columns or of rows,
and for each entry and column."""
SLOW_FROM, SLOW_UNTIL, SLOW_READ = 48, 192, 0.15
"""Bytes of a row of columns for which BLAS takes more time, and the nanoseconds for
each entry that this costs."""
THREE = {"f": 4.5, "d": 4.0, "F": 8.0, "D": 5.0}
"""BLAS takes about as long for three columns as for this number of them."""
CHECKED = functools.partial
"""Type of the functions (x, out=None) of `watched` that refuse an `out` that does not
fit, with one of :data:`REFUSED`, and take one that shares memory with x."""
REFUSED = (TypeError, ValueError)
"""What the method `dot` of an array raises for an array that does not fit."""
FEW_ROWS, LITTLE = 4, 1 << 12
"""With a vector or rows, BLAS is faster if a complex matrix is in C order, and one in
double precision for fewer rows than the first number. In all other cases it is faster
with the other order. A matrix with no more entries than the second number is in C order
only if it is complex128."""
BY_COLUMNS = ((1 << 12, 8), (1 << 16, 3))
"""Entries of a matrix in double precision, and numbers of columns, from which on it is
held in C order for columns. A complex matrix is held so for any number of columns."""


def matrix_cost(
    shape: tuple[int, int], dtype: np.dtype, batch: int, rows: bool = False
) -> float:
    """Return the time that a product with the matrix is expected to take.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the matrix.
    dtype : numpy.dtype
        Dtype of the product.
    batch : int
        Number of columns; 1 for a vector.
    rows : bool
        Whether there are rows in place of columns.

    Returns
    -------
    float
        Nanoseconds; infinity above :data:`LARGEST`.
    """
    m, n = shape
    if m * n * dtype.itemsize > LARGEST:
        return np.inf
    if takes_panels(shape, dtype, batch, rows):
        return panels_cost(shape, dtype, batch, rows)
    letter = dtype.char
    if batch == 1:
        return CALL + VECTOR[letter] * m * n
    columns = batch if batch != 3 else THREE[letter]
    read = ROWS_READ.get(letter, READ[letter]) if rows else READ[letter]
    if not rows and SLOW_FROM <= batch * dtype.itemsize < SLOW_UNTIL:
        read += SLOW_READ
    return CALL + SEVERAL + (read + COLUMN[letter] * columns) * m * n


class SmallMatrix:
    """A dense matrix, in the orders in memory with which BLAS takes the least time.

    Parameters
    ----------
    matrix : ndarray, shape (m, n)

    Attributes
    ----------
    zeros : bool
        Whether an entry is zero, which `watched` is for.
    dtype : numpy.dtype
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.zeros = bool(np.count_nonzero(matrix) < matrix.size)
        self.dtype = matrix.dtype
        self._matrix = matrix
        self._ordered: dict[str, np.ndarray] = {}
        self._packed: np.ndarray | None = None

    def multipliers(self, batch: int) -> tuple[Callable[..., np.ndarray], ...]:
        """Return functions (x, out=None) that multiply, of the dtype of x.

        The first one takes a vector, or `batch` columns, in C order; the second one
        `batch` rows in C order; and the third one columns in Fortran order. Products
        have the order of x, and so has `out`. Many vectors are shared among threads.
        """
        matrix = self.whole(batch)
        if matrix is None:
            return _shared(self._ordered_for(batch))
        turned = self._ordered_for(batch, ROWS).T
        dot = matrix.dot  # a method: numpy.matmul takes longer

        def rows(x, out=None):
            return x.dot(turned, out)

        def fortran(x, out=None):
            return x.T.dot(turned, out if out is None else out.T).T

        calls = dot, rows, fortran
        return tuple(
            self.kernel(batch, way) if self.by_panels(batch, way) else call
            for way, call in enumerate(calls)
        )

    def by_panels(self, batch: int, way: int) -> bool:
        """Return whether a kernel multiplies by the matrix in panels, not BLAS.

        `way` is `COLUMNS`, `ROWS` or `FORTRAN`.
        """
        shape, rows = self._matrix.shape, way != COLUMNS
        return takes_panels(shape, self.dtype, batch, rows, self.zeros)

    def kernel(
        self, batch: int, way: int, apart: Callable | None = None
    ) -> PanelsProduct:
        """Return the function (x, out=None) that multiplies by the matrix in panels.

        The parameters are those of `PanelsProduct`.
        """
        if self._packed is None:
            self._packed = packed_panels(self._matrix)
        return PanelsProduct(self._packed, len(self._matrix), batch, way, apart)

    def whole(self, batch: int, way: int = COLUMNS) -> np.ndarray | None:
        """Return the matrix in the order for `batch` vectors, None where they are many.

        It is not to be written to. Many vectors are shared among threads.
        """
        together = batch <= threads.part(self._matrix.nbytes)
        return self._ordered_for(batch, way) if together else None

    def _ordered_for(self, batch, way=COLUMNS):
        return self._in_order(_order(self._matrix, batch, way))

    def _in_order(self, order):
        """Return the matrix in an order of memory, copied only once."""
        if order not in self._ordered:
            matrix = self._matrix if order == "C" else self._matrix.T
            copied = aligned(matrix.shape, matrix.dtype)
            copied[:] = matrix
            self._ordered[order] = copied if order == "C" else copied.T
        return self._ordered[order]


def _shared(matrix):
    """Return the functions of `SmallMatrix.multipliers` for more vectors than a part.

    A serial call multiplies the same parts one by one, because BLAS may round parts of
    another size differently.
    """
    turned, dtype, m = matrix.T, matrix.dtype, len(matrix)
    work = matrix.nbytes
    part = threads.part(work)

    def columns(x, out=None):
        out = np.empty((m, x.shape[1]), dtype) if out is None else out

        def some(i, j):
            with np.errstate(all="ignore"):  # as the method dot, which warns of nothing
                np.matmul(matrix, x[:, i:j], out=out[:, i:j])

        in_parts(x.shape[1], some)
        return out

    def rows(x, out=None):
        out = np.empty((len(x), m), dtype) if out is None else out
        in_parts(len(x), lambda i, j: x[i:j].dot(turned, out[i:j]))
        return out

    def fortran(x, out=None):
        return rows(x.T, None if out is None else out.T).T

    def in_parts(batch, some):
        def run(begin, end):
            for first in range(begin, end, part):
                some(first, min(first + part, end))

        threads.share(work, batch, run, part)

    return columns, rows, fortran


def _order(matrix, batch, way):
    """Return the order of a matrix in memory with which BLAS takes the least time."""
    letter, size = matrix.dtype.char, matrix.size
    if letter == "f":
        return "F"
    if way == COLUMNS and batch > 1:
        if letter != "d":
            return "C"
        many = (size >= least and batch >= columns for least, columns in BY_COLUMNS)
        return "C" if any(many) else "F"
    if letter != "D" and size <= LITTLE:
        return "F"
    few = batch < (FEW_ROWS if way != COLUMNS else 2)
    return "F" if letter == "d" and not few else "C"


def watched(
    matrix: SmallMatrix, batch: int, way: int, parts: Callable[[], Callable]
) -> Callable[..., np.ndarray]:
    """Return the function (x, out=None) of a `SmallMatrix` that holds zeros.

    Zero times infinity is not zero, so that BLAS would spread infinity to all entries
    of a product. Here it changes those alone that are not finite where the function
    that ``parts()`` returns multiplies, which reads fewer entries of x. A look at all
    of x before takes less time than BLAS itself. Where panels multiply, the first
    entry of a product tells, because it is not finite either.

    Parameters
    ----------
    matrix : SmallMatrix
    batch : int
        Number of vectors.
    way : int
        `COLUMNS`, which a vector is too, `ROWS` or `FORTRAN`.
    parts : callable
        It returns a function that multiplies as `COLUMNS` or as `ROWS`.
    """
    if matrix.by_panels(batch, way):
        return matrix.kernel(
            batch, way, lambda again, x, out: _apart(again, parts, x, out)
        )
    call = matrix.multipliers(batch)[COLUMNS if way == COLUMNS else ROWS]
    finite = entry_point(all_finite, np.empty((1,) * min(batch, 2), matrix.dtype))
    apart = functools.partial(_apart, call, parts)
    whole = matrix.whole(batch, way)
    if whole is not None:
        turned = whole.T
        if way == COLUMNS:
            return CHECKED(_columns, finite, call, apart)
        return CHECKED(_rows if way == ROWS else _fortran, finite, turned, apart)

    def multiply(x, out=None):
        return call(x, out) if finite(x) else apart(x, out)

    return turned_call(multiply) if way == FORTRAN else multiply


def _columns(finite, dot, apart, x, out=None):
    """Multiply columns by the method dot of a matrix, as `watched` says."""
    return dot(x, out) if finite(x) else apart(x, out)


def _rows(finite, turned, apart, x, out=None):
    """Multiply rows by the transpose of a matrix, as `watched` says."""
    return x.dot(turned, out) if finite(x) else apart(x, out)


def _fortran(finite, turned, apart, x, out=None):
    """Multiply columns in Fortran order, as `watched` says."""
    rows = x.T
    if out is None:
        return (rows.dot(turned) if finite(rows) else apart(rows)).T
    if finite(rows):
        rows.dot(turned, out.T)
    else:
        apart(rows, out.T)
    return out


def _apart(call, parts, x, out=None):
    """Return the product of x that is not finite, as `watched` says."""
    with np.errstate(all="ignore"):
        out = call(np.where(np.isfinite(x), x, x.dtype.type(0)), out)
        found = parts()(x)
        np.copyto(out, found, where=~np.isfinite(found))
    return out
