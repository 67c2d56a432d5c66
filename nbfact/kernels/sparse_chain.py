"""Products of a chain of sparse factors with one vector, and with columns.

For columns a chain is packed as in `nbfact.kernels.csr`, in order of application: the
rightmost factor first.

For one vector it is packed in slices, in the same order. The rows of a factor are cut
into slices of `SLICE` rows, and the last rows are left over. If the shortest row of a
slice has k entries, the first k entries of its rows are stored slot by slot: the first
entry of each row, then the second one, and so on. All other entries are stored row by
row. So nothing is padded, and an entry of x that no row reads, which may be infinite,
changes nothing. `data` and `indices` hold these entries, and `table` and `layout` say
where. A row of ``layout``, (J, 4), belongs to one factor:

* its rows;
* a place in ``table``. From there on ``table`` holds where each slice begins in `data`,
  and where the last one ends; then a pair (row, first entry) for each row with other
  entries; then zero and the end of the last row;
* the number of such pairs;
* -1, or a place in ``table`` from which it holds an order of the rows: what the factor
  computes as row r is row table[place + r] of the product. Only the factor that is
  applied last has one; the other ones may have their rows in any order, if the indices
  of the next factor are those of the reordered rows.
"""

from typing import Any

import numpy as np

from ._jit import REASSOC, kernel
from .gathers import SLICE, Entries, multiply_columns, multiply_slice
from .vectors import BYTES

LEAST_BYTES = 16
"""Bytes of the fewest columns that `chain_apply_columns` multiplies."""

HALF = BYTES // 2
"""Bytes of columns that are multiplied together where `BYTES` are too many."""

WIDE = 4 * BYTES
"""Largest number of bytes of columns whose sums stay in registers: a load of an entry
and of its index then serves four vectors."""


@kernel(fastmath=REASSOC)
def _multiply_rest(data, indices, span, scale, x):
    """Return scale times some entries of one row times x."""
    total = x.dtype.type(0)
    for t in range(span[0], span[1]):
        total += data[t] * x[indices[t]]
    return scale * total


@kernel
def chain_apply(
    data: np.ndarray,
    indices: np.ndarray,
    table: np.ndarray,
    layout: np.ndarray,
    scale: float,
    x: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of sparse factors with one vector.

    Parameters
    ----------
    data, indices, table, layout : ndarray
        The chain, with at least one factor, packed in slices: see
        `nbfact.kernels.sparse_chain`. indices and table are unsigned, layout is of
        int64.
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
    of a factor. The sum of a row may be added in any order. The factors write to the
    two rows of scratch in turn.
    """
    entries, n_factors = Entries(data, indices), layout.shape[0]
    weight, source = data.real.dtype.type(1), x
    for j in range(n_factors):
        rows, place, n_rest = layout[j, 0], layout[j, 1], layout[j, 2]
        order, n_slices = layout[j, 3], layout[j, 0] // SLICE
        target = scratch[j % 2][:rows]
        if j == n_factors - 1:
            weight = scale
            if order < 0:
                target = out
        for s in range(n_slices):
            first, last = np.intp(table[place + s]), np.intp(table[place + s + 1])
            multiply_slice(entries, first, last, weight, source, target, s * SLICE)
        target[n_slices * SLICE :] = 0
        place += n_slices + 1
        for r in range(place, place + 2 * n_rest, 2):
            span = (table[r + 1], table[r + 3])
            target[table[r]] += _multiply_rest(data, indices, span, weight, source)
        if order >= 0:
            for i in range(rows):
                out[table[order + i]] = target[i]
        source = target


@kernel
def _multiply_factor(chain, entry, scale, x, x_at, out, out_at, width):
    """Write scale * S @ x for some columns, of which there are `LEAST_BYTES` or more.

    chain: `FourArrays`; entry: the row of layout that describes S, as a tuple; x_at and
    out_at: where the columns begin in the first row of flat arrays, and the distance to
    the next row. Where the last columns do not fill a vector, it overlaps with another.
    """
    data, indices, indptr, _ = chain
    entries = Entries(data, indices)
    item: Any = np.intp(data.itemsize)  # NumPy's stubs take a quotient for a float
    wide, vector = WIDE // item, BYTES // item
    half, least = HALF // item, LEAST_BYTES // item
    (rows, first_row), (x_first, stride), (out_first, out_stride) = entry, x_at, out_at
    whole = width - width % wide
    if whole > 0:
        for i in range(rows):
            span = (np.intp(indptr[first_row + i]), np.intp(indptr[first_row + i + 1]))
            row = out_stride * i + out_first
            for j in range(0, whole, wide):
                places = (x_first + j, stride, row + j)
                multiply_columns(entries, span, scale, x, out, places, WIDE)
    if whole == width:
        return
    for i in range(rows):
        span = (np.intp(indptr[first_row + i]), np.intp(indptr[first_row + i + 1]))
        row = out_stride * i + out_first
        if width >= vector:
            for j in range(whole, width, vector):
                here = min(j, width - vector)
                places = (x_first + here, stride, row + here)
                multiply_columns(entries, span, scale, x, out, places, BYTES)
        elif width >= half:
            for j in range(0, width, half):
                here = min(j, width - half)
                places = (x_first + here, stride, row + here)
                multiply_columns(entries, span, scale, x, out, places, HALF)
        else:
            for j in range(0, width, least):
                here = min(j, width - least)
                places = (x_first + here, stride, row + here)
                multiply_columns(entries, span, scale, x, out, places, LEAST_BYTES)


@kernel
def _copy_columns(x, first, stride, out, rows, width):
    """Copy columns of a flat array, from the place first on, to rows of equal width."""
    for i in range(np.uintp(rows)):
        p, q = np.uintp(first) + np.uintp(stride) * i, np.uintp(width) * i
        for j in range(np.uintp(width)):
            out[q + j] = x[p + j]


@kernel
def apply_chain_tiles(chain, scale, x, scratch, out, begin, end):
    """Do as `chain_apply_columns` for the columns begin to end - 1.

    chain: `FourArrays`. A tile of columns goes through all factors together. Where
    fewer columns are left than 16 bytes hold, those before them are computed again, to
    equal values.
    """
    layout, batch, zero = chain[3], np.intp(x.shape[1]), np.intp(0)
    tile, least = np.intp(scratch.shape[2]), np.intp(LEAST_BYTES // x.itemsize)
    even, odd = scratch[0].ravel(), scratch[1].ravel()
    n_factors, flat_x, flat_out = layout.shape[0], x.ravel(), out.ravel()
    for start in range(begin, end, tile):
        width = max(least, min(tile, end - start))
        here = min(np.intp(start), end - width)
        source, source_at = flat_x, (here, batch)
        if n_factors > 1 and width < batch:
            _copy_columns(flat_x, here, batch, odd, x.shape[0], width)
            source, source_at = odd, (zero, width)
        weight = chain[0].real.dtype.type(1)
        for j in range(n_factors):
            entry = (layout[j, 0], layout[j, 1])
            target, target_at = odd if j % 2 else even, (zero, width)
            if j == n_factors - 1:
                weight, target, target_at = scale, flat_out, (here, batch)
            _multiply_factor(
                chain, entry, weight, source, source_at, target, target_at, width
            )
            source, source_at = target, target_at


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
        The chain in CSR form, with at least one factor, in order of application: see
        `nbfact.kernels.csr`. indices and indptr are unsigned, layout is of int64.
    scale : scalar of the real dtype of data
    x : ndarray, shape (columns, batch), of the dtype of data
        C-contiguous, with rows of 16 bytes or more; only read.
    scratch : ndarray, shape (2, r, tile), of the dtype of data
        r is at least the largest number of rows and of columns of a factor, and may be
        0 for one factor. tile * itemsize is at least 16. Overwritten. That many columns
        go through all factors together.
    out : ndarray, shape (rows, batch), of the dtype of data
        C-contiguous; overwritten with scale * S[0] @ ... @ S[J-1] @ x.

    Notes
    -----
    x, scratch and out share no memory. The cost is batch multiplications for each entry
    of a factor.
    """
    chain = (data, indices, indptr, layout)
    apply_chain_tiles(chain, scale, x, scratch, out, np.intp(0), np.intp(x.shape[1]))
