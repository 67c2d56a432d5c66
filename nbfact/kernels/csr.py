"""Products with one sparse factor in CSR form, alone or as one of a chain.

A factor S in CSR form (compressed sparse rows, as in scipy) is three arrays: `data`
(nnz,), `indices` (nnz,) and `indptr` (rows + 1,). The entries of row i are those from
indptr[i] to indptr[i + 1], and indices says their columns. Unsigned indices are the
fastest, because Numba then leaves out its test for negative ones.

A chain of J factors holds `data` and `indices` of all factors one after the other, the
pointers of each in `indptr`, which count from the start of `data`, and a table `layout`
(J, 2) with, for each factor, its rows and its first place in `indptr`.
"""

from typing import Any, NamedTuple

import numpy as np

from ._jit import REASSOC, kernel
from .row_sums import ONE, sum_row
from .vectors import BYTES

WIDE = 4 * BYTES
"""Largest number of bytes of columns whose sums stay in registers."""


class PackedChain(NamedTuple):
    """The four arrays of a chain of sparse factors: see `nbfact.kernels.csr`.

    Attributes
    ----------
    data, indices : ndarray, shape (nnz,)
        The entries of all factors, one factor after the other, and their columns.
    indptr : ndarray
        Where each row begins in data, and where the last one of each factor ends.
    layout : ndarray of int64, shape (J, 2)
        The number of rows of each factor, and its first place in indptr.

    See Also
    --------
    csr_apply : The product with one factor.
    chain_apply_columns, chain_step : Kernels that take a chain.

    Examples
    --------
    A chain of one factor, the matrix diag(2, 1):

    >>> import numpy as np, nbfact as nf
    >>> data, indices, indptr = np.array([2.0, 1.0]), np.arange(2), np.arange(3)
    >>> S = nf.kernels.PackedChain(data, indices, indptr, layout=np.array([[2, 0]]))
    >>> nf.kernels.csr_apply(*S[:3], np.array([1.0, 5.0]), out := np.empty(2))
    >>> out
    array([2., 5.])
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    layout: np.ndarray


FourArrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""A `PackedChain`, or the same arrays in a plain tuple, which Python passes to a kernel
in half the time."""


class ColumnWindow(NamedTuple):
    """Where columns are in two flat arrays x and out, all numbers unsigned.

    Row r of the columns starts at x_stride * r + x_first in x, and at out_stride * r +
    out_first in out; ``width`` columns follow one another.
    """

    x_stride: np.uintp
    x_first: np.uintp
    out_stride: np.uintp
    out_first: np.uintp
    width: np.uintp


@kernel(fastmath=REASSOC)
def csr_multiply_rows(data, indices, indptr, first_row, scale, x, out):
    """Write scale * (some rows of S) @ x to out, the rows from first_row on.

    Rows are counted as in `indptr`, which may belong to a whole chain. x: (columns,);
    out: (rows,), which says how many rows.
    """
    for i in range(out.shape[0]):
        total = out.dtype.type(0)
        for p in range(indptr[first_row + i], indptr[first_row + i + 1]):
            total += data[p] * x[indices[p]]
        out[i] = scale * total


@kernel
def csr_apply(
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a sparse matrix in CSR form with one vector.

    Parameters
    ----------
    data : ndarray, shape (nnz,)
        The entries, row by row.
    indices : ndarray of int, shape (nnz,)
        Columns, from 0 to columns - 1, in any order within a row; equal ones add up.
    indptr : ndarray of int, shape (rows + 1,)
        Where each row begins in data and indices; it never decreases.
    x : ndarray, shape (columns,), of the dtype of data
        Only read.
    out : ndarray, shape (rows,), of the dtype of data
        Overwritten with S @ x; shares no memory with x.

    See Also
    --------
    csr_apply_columns : The product with the columns of a matrix.
    chain_apply : The product of a chain of factors.

    Notes
    -----
    The cost is nnz multiplications. The sum of a row may be added in any order.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> data, indices = np.array([1.0, 2.0, 5.0]), np.array([0, 2, 1])
    >>> indptr, out = np.array([0, 2, 3]), np.empty(2)  # rows (1, 0, 2) and (0, 5, 0)
    >>> nf.kernels.csr_apply(data, indices, indptr, np.array([1.0, 2.0, 3.0]), out)
    >>> out
    array([ 7., 10.])
    """
    csr_multiply_rows(data, indices, indptr, 0, data.real.dtype.type(1), x, out)


@kernel
def csr_multiply_window(data, indices, indptr, entry, scale, x, out, window):
    """Write scale * S @ x for some columns of x, where x and out are flat arrays.

    data, indices, indptr: those of S, or of a whole chain; entry: the row of `layout`
    that describes S, as a tuple; window: a `ColumnWindow`.

    The sums of up to `WIDE` bytes of columns stay in registers. Where the last columns
    do not fill a vector, it overlaps with another one; fewer than fill one are summed
    one by one.
    """
    item: Any = np.intp(data.itemsize)  # NumPy's stubs take a quotient for a float
    wide, vector = WIDE // item, BYTES // item
    x_stride, x_first = np.intp(window.x_stride), np.intp(window.x_first)
    width, form = np.intp(window.width), (data, indices)
    n_rows, first_row = np.intp(entry[0]), np.intp(entry[1])
    j: Any
    for i in range(n_rows):
        begin, end = np.intp(indptr[first_row + i]), np.intp(indptr[first_row + i + 1])
        row = np.intp(window.out_stride) * i + np.intp(window.out_first)
        j = np.intp(0)
        while j + wide <= width:
            places = (x_first + j, x_stride, row + j)
            sum_row(form, (begin, end), scale, x, out, places, WIDE)
            j += wide
        while j < width:
            if width < vector:
                sum_row(
                    form,
                    (begin, end),
                    scale,
                    x,
                    out,
                    (x_first + j, x_stride, row + j),
                    ONE,
                )
                j += 1
                continue
            here = min(j, width - vector)
            places = (x_first + here, x_stride, row + here)
            sum_row(form, (begin, end), scale, x, out, places, BYTES)
            j += vector


@kernel
def csr_apply_columns(
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a sparse matrix in CSR form with the columns of a matrix.

    Parameters
    ----------
    data, indices, indptr : ndarray
        The sparse matrix S, as in `csr_apply`.
    x : ndarray, shape (columns, batch), of the dtype of data
        C-contiguous; only read.
    out : ndarray, shape (rows, batch), of the dtype of data
        C-contiguous; overwritten with S @ x; shares no memory with x.

    See Also
    --------
    csr_apply : The product with one vector.
    chain_apply_columns : The product of a chain of factors.

    Notes
    -----
    The cost is nnz * batch multiplications. The innermost loop is over the columns.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> data, indices = np.array([1.0, 2.0, 5.0]), np.array([0, 2, 1])
    >>> indptr, out = np.array([0, 2, 3]), np.empty((2, 3))
    >>> nf.kernels.csr_apply_columns(data, indices, indptr, np.eye(3), out)
    >>> out
    array([[1., 0., 2.],
           [0., 5., 0.]])
    """
    batch, zero = np.uintp(x.shape[1]), np.uintp(0)
    none = np.intp(0)  # a literal 0 would compile the callee once more
    entry = (out.shape[0], none)
    window = ColumnWindow(batch, zero, batch, zero, batch)
    one = data.real.dtype.type(1)
    flat_x, flat_out = x.ravel(), out.ravel()
    csr_multiply_window(data, indices, indptr, entry, one, flat_x, flat_out, window)
