"""Products with one sparse factor in CSR form, alone or as one of a chain.

A factor S in CSR form (compressed sparse rows, as in scipy) is three arrays: `data`
(nnz,), `indices` (nnz,) and `indptr` (rows + 1,). The entries of row i are those from
indptr[i] to indptr[i + 1], and indices says their columns. Unsigned indices are the
fastest, because Numba then leaves out its test for negative ones.

A chain of J factors holds `data` and `indices` of all factors one after the other, the
pointers of each in `indptr`, which count from the start of `data`, and a table `layout`
(J, 2) with, for each factor, its rows and its first place in `indptr`.
"""

from typing import NamedTuple

import numpy as np

from ._jit import REASSOC, kernel


class PackedChain(NamedTuple):
    """The four arrays of a chain of sparse factors: see `nbfact.kernels.csr`."""

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
    indices : ndarray of int, shape (nnz,)
        Columns, from 0 to columns - 1, in any order within a row; equal ones add up.
    indptr : ndarray of int, shape (rows + 1,)
        Where each row begins in data and indices; it never decreases.
    x : ndarray, shape (columns,), of the dtype of data
        Only read.
    out : ndarray, shape (rows,), of the dtype of data
        Overwritten with S @ x; shares no memory with x.

    Notes
    -----
    The cost is nnz multiplications. The sum of a row may be added in any order.
    """
    csr_multiply_rows(data, indices, indptr, 0, data.real.dtype.type(1), x, out)


@kernel
def csr_multiply_window(data, indices, indptr, entry, scale, x, out, window):
    """Write scale * S @ x for some columns of x, where x and out are flat arrays.

    data, indices, indptr: those of S, or of a whole chain; entry: the row of `layout`
    that describes S, as a tuple; window: a `ColumnWindow`.

    Two entries of S are read in each pass, which halves the traffic on out. This is one
    kernel on flat arrays with unsigned places for speed (n = 8192, batch 16: 0.42 ms,
    0.93 ms with calls in the loop, 3.7 ms with views of rows), because a view costs two
    atomic operations, and a signed place a test for negative ones.
    """
    x_stride, x_first, out_stride, out_first, width = window
    one, two = np.uintp(1), np.uintp(2)
    n_rows, first_row = np.uintp(entry[0]), np.uintp(entry[1])
    for i in range(n_rows):
        t = np.uintp(indptr[first_row + i])
        last = np.uintp(indptr[first_row + i + one])
        o = out_stride * i + out_first
        if (last - t) % two == one:
            a, p = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            for j in range(width):
                out[o + j] = a * x[p + j]
            t += one
        elif t < last:
            a, p = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            t += one
            b, q = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            for j in range(width):
                out[o + j] = a * x[p + j] + b * x[q + j]
            t += one
        else:
            for j in range(width):
                out[o + j] = 0
        while t < last:
            a, p = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            t += one
            b, q = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            for j in range(width):
                out[o + j] += a * x[p + j] + b * x[q + j]
            t += one


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

    Notes
    -----
    The cost is nnz * batch multiplications. The innermost loop is over the columns.
    """
    batch, zero = np.uintp(x.shape[1]), np.uintp(0)
    none = np.intp(0)  # a literal 0 would compile the callee once more
    entry = (out.shape[0], none)
    window = ColumnWindow(batch, zero, batch, zero, batch)
    one = data.real.dtype.type(1)
    flat_x, flat_out = x.ravel(), out.ravel()
    csr_multiply_window(data, indices, indptr, entry, one, flat_x, flat_out, window)
