"""Products with sparse factors: with one in CSR form, and with a chain of factors.

One factor S in CSR form (compressed sparse rows, as in scipy) is three arrays: `data`
(nnz,), `indices` (nnz,) and `indptr` (rows + 1,). The entries of row i are those from
indptr[i] to indptr[i + 1], and indices says their columns. Unsigned indices are the
fastest, because Numba then leaves out its test for negative ones.

A chain of J factors is packed in order of application, the rightmost factor first:
`data` and `indices` of all factors one after the other, and a table `layout` (J, 4)
with, for each factor, its rows, its slots, its first entry in `data`, and its first
place in `indptr`. With slots = 0 the factor is in CSR form, where `indptr` counts from
the start of `data`. With slots = k > 0 every row has k entries, stored slot by slot:
entry t of row i is at first + t * rows + i. The innermost loop is then over rows, and
vectorises. On a chain of 2-sparse factors (float32, n = 8192, one vector, Zen 4) slots
take 84 µs, CSR 198 µs and scipy 199 µs; `nbfact bench -k butterfly` measures it again.
"""

from typing import Any, NamedTuple

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
    n_rows, slots = np.uintp(entry[0]), np.uintp(entry[1])
    first, first_row = np.uintp(entry[2]), np.uintp(entry[3])
    t: Any  # NumPy's stubs take the sum of an unsigned and an int for a float
    for i in range(n_rows):
        t, step, count = first + i, n_rows, slots
        if slots == 0:
            t, step = np.uintp(indptr[first_row + i]), one
            count = np.uintp(indptr[first_row + i + one]) - t
        last = t + step * count
        o = out_stride * i + out_first
        if count % two == one:
            a, p = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            for j in range(width):
                out[o + j] = a * x[p + j]
            t += step
        elif count > 0:
            a, p = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            t += step
            b, q = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            for j in range(width):
                out[o + j] = a * x[p + j] + b * x[q + j]
            t += step
        else:
            for j in range(width):
                out[o + j] = 0
        while t < last:
            a, p = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            t += step
            b, q = scale * data[t], x_stride * np.uintp(indices[t]) + x_first
            for j in range(width):
                out[o + j] += a * x[p + j] + b * x[q + j]
            t += step


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
    entry = (out.shape[0], none, none, none)
    window = ColumnWindow(batch, zero, batch, zero, batch)
    one = data.real.dtype.type(1)
    flat_x, flat_out = x.ravel(), out.ravel()
    csr_multiply_window(data, indices, indptr, entry, one, flat_x, flat_out, window)


@kernel
def _apply_slots(data, indices, slots, scale, x, out):
    """Write scale * S @ x to out, for a factor S stored slot by slot.

    data, indices: (slots * rows,) or more; x: (columns,); out: (rows,). The innermost
    loop is over rows, and two slots are read in each pass.
    """
    rows = out.shape[0]
    d0, i0 = data[:rows], indices[:rows]
    slot = 2 - slots % 2
    if slot == 1:
        for i in range(rows):
            out[i] = scale * (d0[i] * x[i0[i]])
    else:
        d1, i1 = data[rows : 2 * rows], indices[rows : 2 * rows]
        for i in range(rows):
            out[i] = scale * (d0[i] * x[i0[i]] + d1[i] * x[i1[i]])
    while slot < slots:
        d0, i0 = data[slot * rows :], indices[slot * rows :]
        d1, i1 = data[(slot + 1) * rows :], indices[(slot + 1) * rows :]
        for i in range(rows):
            out[i] += scale * (d0[i] * x[i0[i]] + d1[i] * x[i1[i]])
        slot += 2


@kernel
def chain_apply(
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    layout: np.ndarray,
    scale: float,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of sparse factors with one vector.

    Parameters
    ----------
    data, indices, indptr, layout : ndarray
        The packed chain, with at least one factor, in order of application: see
        `nbfact.kernels.csr`. layout is of int64, shape (J, 4).
    scale : scalar of the real dtype of data
    x : ndarray, shape (columns,), of the dtype of data
        C-contiguous; only read.
    scratch : ndarray, shape (2, r), of the dtype of data
        r is at least the largest number of rows of a factor; overwritten.
    out : ndarray, shape (rows,), of the dtype of data
        C-contiguous; overwritten with scale * S[0] @ ... @ S[J-1] @ x.

    Notes
    -----
    x, scratch and out share no memory. The cost is one multiplication for each entry
    of a factor. The factors write to the two rows of scratch in turn.
    """
    n_factors = layout.shape[0]
    weight = data.real.dtype.type(1)
    source = x
    for j in range(n_factors):
        rows, slots, first = layout[j, 0], layout[j, 1], layout[j, 2]
        target = scratch[j % 2][:rows]
        if j == n_factors - 1:
            weight, target = scale, out
        if slots > 0:
            d, i = data[first : first + slots * rows], indices[first:]
            _apply_slots(d, i, slots, weight, source, target)
        else:
            first_row = layout[j, 3]
            csr_multiply_rows(data, indices, indptr, first_row, weight, source, target)
        source = target


@kernel
def apply_chain_tiles(chain, scale, x, scratch, out, begin, end):
    """Do as `chain_apply_columns` for the columns begin to end - 1.

    chain: `FourArrays`. Other columns of out are not written, and a tile of columns
    goes through all factors together.
    """
    data, indices, indptr, layout = chain
    n_factors, tile, batch = layout.shape[0], scratch.shape[2], np.uintp(x.shape[1])
    flat_x, flat_out = x.ravel(), out.ravel()
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    step, zero = np.uintp(tile), np.uintp(0)
    for start in range(begin, end, tile):
        here, width = np.uintp(start), np.uintp(min(tile, end - start))
        weight = data.real.dtype.type(1)
        source, x_stride, x_first = flat_x, batch, here
        for j in range(n_factors):
            e = layout[j]
            entry = (e[0], e[1], e[2], e[3])
            target, out_stride, out_first = even, step, zero
            if j % 2 == 1:
                target = odd
            if j == n_factors - 1:
                weight, target, out_stride, out_first = scale, flat_out, batch, here
            window = ColumnWindow(x_stride, x_first, out_stride, out_first, width)
            csr_multiply_window(
                data, indices, indptr, entry, weight, source, target, window
            )
            source, x_stride, x_first = target, out_stride, out_first


@kernel
def chain_apply_columns(
    data: np.ndarray,
    indices: np.ndarray,
    indptr: np.ndarray,
    layout: np.ndarray,
    scale: float,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of sparse factors with the columns of a matrix.

    Parameters
    ----------
    data, indices, indptr, layout : ndarray
        The packed chain, as in `chain_apply`.
    scale : scalar of the real dtype of data
    x : ndarray, shape (columns, batch), of the dtype of data
        C-contiguous; only read.
    scratch : ndarray, shape (2, r, tile), of the dtype of data
        r is at least the largest number of rows of a factor, and tile at least 1;
        overwritten. That many columns go through all factors together.
    out : ndarray, shape (rows, batch), of the dtype of data
        C-contiguous; overwritten with scale * S[0] @ ... @ S[J-1] @ x.

    Notes
    -----
    x, scratch and out share no memory. The cost is batch multiplications for each entry
    of a factor.
    """
    chain = (data, indices, indptr, layout)
    apply_chain_tiles(chain, scale, x, scratch, out, np.intp(0), x.shape[1])
