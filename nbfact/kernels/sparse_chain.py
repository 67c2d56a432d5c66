"""Products of a chain of sparse factors with one vector, and with columns.

For columns a chain is packed as in `nbfact.kernels.csr`, in order of application: the
rightmost factor first.

For one vector it is packed in slices, in the same order. The rows of a factor are cut
into slices of `SLICE` rows. The last slice begins earlier where it would not be full,
and what it computes replaces what the slice before has computed. A slice holds equally
many entries of each of its rows, and it holds them slot by slot: the first entry of
each row, then the second one, and so on. A shorter row has some entries twice, as two
halves, which is exact. All other entries are stored row by row, behind those of the
slices. So nothing is padded with zeros, and an entry of x that no row reads, which may
be infinite, changes nothing. `data` and `indices` hold these entries, factor by factor,
and ``table`` says how many belong together. It begins with

* the number J of factors, and the rows of the array that one factor writes and the next
  one reads: 0 where there is none.

Then follow, for each factor,

* the number of its rows; of runs, which are consecutive slices of equally long rows; of
  rows with other entries; and 1 if the rows are reordered, else 0;
* for each run, the number of its slices, and the entries in each of their rows;
* for each row with other entries, its number, and how many those are.

Only the factor that is applied last says that its rows are reordered. Behind its
entries `indices` then holds where its rows are: row r of the product is what the factor
computes as row ``indices[... + r]``. The others may have their rows in any order, if
the indices of the next factor are those of the reordered rows.
"""

from typing import Any

import numpy as np

from ._jit import REASSOC, kernel
from .gathers import SLICE, Entries, move_slice, multiply_columns, multiply_slice
from .vectors import BYTES

LEAST_BYTES = 16
"""Bytes of the fewest columns that `chain_apply_columns` multiplies."""

HALF = BYTES // 2
"""Bytes of columns that are multiplied together where `BYTES` are too many."""

WIDE = 4 * BYTES
"""Largest number of bytes of columns whose sums stay in registers: a load of an entry
and of its index then serves four vectors."""


@kernel(fastmath=REASSOC)
def _multiply_rest(data, indices, begin, end, scale, x):
    """Return scale times some entries of one row times x."""
    total = x.dtype.type(0)
    for t in range(begin, end):
        total += data[t] * x[indices[t]]
    return scale * total


@kernel
def _multiply_slices(entries, table, place, begin, scale, x, out):
    """Write scale * S @ x to out, with the rows of S as they are packed.

    The description of S begins at a place in table, and its entries at `begin`. What is
    returned is the place behind its rows with other entries, and the end of its
    entries.
    """
    row: Any = np.intp(0)  # NumPy's stubs take sums and minima for floats
    t: Any = begin
    rows, n_runs = np.intp(table[place]), np.intp(table[place + 1])
    n_rest = np.intp(table[place + 2])
    place += 4
    for r in range(place, place + 2 * n_runs, 2):
        length = np.intp(table[r + 1]) * SLICE
        for _ in range(np.intp(table[r])):
            first = min(row, rows - SLICE)
            multiply_slice(entries, t, t + length, scale, x, out, first)
            t += length
            row += SLICE
    out[row:rows] = 0
    place += 2 * n_runs
    for r in range(place, place + 2 * n_rest, 2):
        end = t + np.intp(table[r + 1])
        out[table[r]] += _multiply_rest(entries.data, entries.indices, t, end, scale, x)
        t = end
    return place + 2 * n_rest, t


@kernel
def chain_apply(
    data: np.ndarray,
    indices: np.ndarray,
    table: np.ndarray,
    scale: float,
    x: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the product of a chain of sparse factors with one vector.

    Parameters
    ----------
    data, indices, table : ndarray
        The chain, with at least one factor, packed in slices: see
        `nbfact.kernels.sparse_chain`. indices and table are unsigned.
    scale : float
        It is rounded to the real dtype of data.
    x : ndarray, shape (columns,), of the dtype of data
        C-contiguous; only read.
    out : ndarray, shape (rows,), of the dtype of data
        C-contiguous; overwritten with scale * S[0] @ ... @ S[J-1] @ x.

    See Also
    --------
    chain_apply_columns : The product with the columns of a matrix.
    block_chain_apply : The product of factors in blocks.
    nbfact.FactorProduct : The operator, which packs its factors.

    Notes
    -----
    x and out share no memory. The cost is one multiplication for each entry of a
    factor, and an array of two rows, to which the factors write in turn. The sum of a
    row may be added in any order.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.sparse as sp
    >>> from nbfact.operators.sparse_packing import pack_slices
    >>> chain = [sp.csr_array(2 * np.eye(20)), sp.csr_array(np.ones((20, 2)))]
    >>> packed, out = pack_slices(chain, np.dtype(float)), np.empty(20)
    >>> nf.kernels.chain_apply(*packed, 10.0, np.array([1.0, 2.0]), out)
    >>> out[:4]
    array([60., 60., 60., 60.])
    """
    place: Any = np.intp(2)  # NumPy's stubs take sums for floats
    i: Any
    entries, n_factors = Entries(data, indices), np.intp(table[0])
    spare, t = np.intp(table[1]), np.intp(0)
    weight, source, scratch = x.real.dtype.type(1), x, np.empty((2, spare), x.dtype)
    for j in range(n_factors):
        rows, ordered = np.intp(table[place]), table[place + 3] != 0
        target = scratch[j % 2][:rows]
        if j == n_factors - 1:
            weight = x.real.dtype.type(scale)
            if not ordered:
                target = out
        place, t = _multiply_slices(entries, table, place, t, weight, source, target)
        if ordered:
            for i in range(0, rows, SLICE):
                i = min(i, rows - SLICE)
                move_slice(indices, t + i, target, out, i)
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
            row, j = out_stride * i + out_first, np.intp(0)
            while j < whole:  # a range would divide by its step for each row
                places = (x_first + j, stride, row + j)
                multiply_columns(entries, span, scale, x, out, places, WIDE)
                j += wide
    if whole == width:
        return
    for i in range(rows):
        span = (np.intp(indptr[first_row + i]), np.intp(indptr[first_row + i + 1]))
        row, j = out_stride * i + out_first, whole
        if width >= vector:
            while j < width:
                here = min(j, width - vector)
                places = (x_first + here, stride, row + here)
                multiply_columns(entries, span, scale, x, out, places, BYTES)
                j += vector
        elif width >= half:
            while j < width:
                here = min(j, width - half)
                places = (x_first + here, stride, row + here)
                multiply_columns(entries, span, scale, x, out, places, HALF)
                j += half
        else:
            while j < width:
                here = min(j, width - least)
                places = (x_first + here, stride, row + here)
                multiply_columns(entries, span, scale, x, out, places, LEAST_BYTES)
                j += least


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
    scale = x.real.dtype.type(scale)
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
    out: np.ndarray,
) -> None:
    """Write the product of a chain of sparse factors with the columns of a matrix.

    Parameters
    ----------
    data, indices, indptr, layout : ndarray
        The chain in CSR form, with at least one factor, in order of application: see
        `nbfact.kernels.csr`. indices and indptr are unsigned, layout is of int64.
    scale : float
        It is rounded to the real dtype of data.
    x : ndarray, shape (columns, batch), of the dtype of data
        C-contiguous, with rows of 16 bytes or more; only read.
    out : ndarray, shape (rows, batch), of the dtype of data
        C-contiguous; overwritten with scale * S[0] @ ... @ S[J-1] @ x.

    See Also
    --------
    chain_apply : The product with one vector.
    csr_apply_columns : The product of one factor.

    Notes
    -----
    x and out share no memory. The cost is batch multiplications for each entry of a
    factor. Where there are several, some columns go through all of them together, in an
    array of their own.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.sparse as sp
    >>> from nbfact.operators.sparse_packing import pack_rows
    >>> chain = [sp.csr_array(np.diag([1.0, 5.0])), sp.csr_array(np.ones((2, 2)))]
    >>> packed, out = pack_rows(chain, np.dtype(float)), np.empty((2, 2))
    >>> nf.kernels.chain_apply_columns(*packed, 10.0, np.eye(2), out)
    >>> out
    array([[10., 10.],
           [50., 50.]])
    """
    chain, n_factors = (data, indices, indptr, layout), layout.shape[0]
    rows, tile, one = np.intp(0), np.intp(x.shape[1]), np.intp(1)
    if n_factors > 1:
        rows, tile = np.intp(x.shape[0]), min(tile, np.intp(WIDE // x.itemsize))
        for j in range(n_factors - one):
            rows = max(rows, np.intp(layout[j, 0]))
    scratch = np.empty((2, rows, tile), x.dtype)
    apply_chain_tiles(chain, scale, x, scratch, out, np.intp(0), np.intp(x.shape[1]))
