"""Products of several vectors with a small dense matrix whose values are in panels.

BLAS copies the matrix in each call, or has no kernel for a few vectors. Here the values
are packed once, and rows and columns have the same bits, whatever stands beside them.
`panels.py` has the instructions.
"""

import numpy as np

from ._jit import kernel
from .lines import is_split, on_lines
from .panels import add_outer_products
from .permute import transpose
from .vector_copies import move_vectors
from .vectors import BYTES

DEPTH = 128
"""Number of products that are added up before they are added to the others: a panel of
this length stays in the first level of cache."""
FINITE, NOT_FINITE, UNFIT = 0, 1, 2
"""What the kernels that Python calls return."""
TILE, THREE, FEW = 4, 3, 2
"""Numbers of vectors that are multiplied together: four while four are left, then what
is left, of which one alone goes with a vector from before."""
COPIED, FAR = 128, 1024
"""Number of rows of the matrix, and bytes of a row of x, from either of which on
columns are copied first where vectors of them are parts of two lines of the cache."""


@kernel
def panels_by_rows(values, shape, x, out, places, step, batch):
    """Multiply rows of flat arrays, at least two, by a matrix in panels.

    The last rows of several are multiplied again with those that are left over.

    values: the panels, flat; shape: (m, n, rows of a panel); places: those of the
    first value, of the first entry of x and of out, and the distances of their rows;
    step: the distance of the entries of a row of x.
    """
    (m, n, panel), (v0, x0, o0, xs, os) = shape, places
    lanes, full = BYTES // values.itemsize, batch - batch % TILE
    for group in range((m + panel - 1) // panel):
        top, v, i = o0 + min(group * panel, m - panel), v0 + group * n * panel, full
        for k in range(0, n, DEPTH):
            depth, first = min(DEPTH, n - k), 1 if k == 0 else 0
            for j in range(0, full, TILE):
                p, w, o = x0 + j * xs + k * step, v + k * panel, top + j * os
                at = (p, step, xs, w, panel, o, os, lanes, depth, first)
                add_outer_products(x, values, out, at, (), TILE, 4)
        if i < batch:
            i = min(i, batch - FEW)
            for k in range(0, n, DEPTH):
                depth, first = min(DEPTH, n - k), 1 if k == 0 else 0
                p, w, o = x0 + i * xs + k * step, v + k * panel, top + i * os
                at = (p, step, xs, w, panel, o, os, lanes, depth, first)
                if batch - i > FEW:
                    add_outer_products(x, values, out, at, (), THREE, 4)
                else:
                    add_outer_products(x, values, out, at, (), FEW, 4)


@kernel
def panels_by_columns(values, shape, x, out, places, batch):
    """Multiply columns, at least as many as a panel has rows, by a matrix in panels.

    The arguments are those of `panels_by_rows`, but for the step.
    """
    (m, n, panel), (v0, x0, o0, xs, os) = shape, places
    lanes, full = BYTES // values.itemsize, batch - batch % panel
    for group in range((m + panel - 1) // panel):
        top, v = o0 + min(group * panel, m - panel) * os, v0 + group * n * panel
        for last in range(2 if full < batch else 1):
            begin, end = (batch - panel, batch) if last else (0, full)
            for k in range(0, n, DEPTH):
                depth, first = min(DEPTH, n - k), 1 if k == 0 else 0
                for j in range(begin, end, panel):
                    w, p, o = v + k * panel, x0 + k * xs + j, top + j
                    for r in range(0, panel, TILE):
                        y = o + r * os
                        at = (w + r, panel, 1, p, xs, y, os, lanes, depth, first)
                        add_outer_products(values, x, out, at, (), TILE, 4)


@kernel
def dense_panels_rows(values: np.ndarray, x: np.ndarray, out: np.ndarray) -> int:
    """Multiply rows by a matrix in panels; return whether all products are finite.

    Parameters
    ----------
    values : ndarray, shape (panels, n, rows)
        A matrix of shape (m, n) in panels of some rows, each transposed: of
        256 / itemsize rows where it is real, half as many where it is complex, and at
        most m. Panel i begins with row ``i * rows``, and the last one ends with row m.
        Only read. All arrays are of one dtype and C-contiguous.
    x : ndarray, shape (batch, n)
        The vectors, at least two; only read.
    out : ndarray, shape (batch, m)
        Overwritten.

    Returns
    -------
    int
        0; 1 where the first entry of a product is not finite, which is so where an
        entry of the vector is not, even where the matrix is zero: zero times infinity
        is NaN; 2, and nothing is written, where the shapes do not fit, the strides are
        those of another order, or out shares memory with x.

    See Also
    --------
    dense_panels_columns, dense_panels_fortran : The same for columns.
    blocks_rows : The same with many blocks.

    Notes
    -----
    The cost is m n batch multiplications. A product has the same bits in rows and in
    columns, whatever the other vectors are.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = np.arange(64.0).reshape(32, 2)
    >>> out = np.empty((2, 32))
    >>> nf.kernels.dense_panels_rows(A.T.copy()[None], np.eye(2), out)
    0
    >>> bool((out == A.T).all())
    True
    """
    _, n, panel = values.shape
    batch, m = out.shape
    if x.shape != (batch, n) or not _fits(values, x, out, m, batch):
        return UNFIT
    places, fo = (0, 0, 0, n, m), out.reshape(-1)
    flat, shape = values.reshape(-1), (m, n, panel)
    panels_by_rows(flat, shape, x.reshape(-1), fo, places, 1, batch)
    return _status(fo, m, batch)


@kernel
def dense_panels_fortran(values: np.ndarray, x: np.ndarray, out: np.ndarray) -> int:
    """Multiply columns in Fortran order by a matrix in panels.

    Parameters
    ----------
    values : ndarray, shape (panels, n, rows)
        The matrix, as `dense_panels_rows` takes it.
    x : ndarray, shape (n, batch)
        The vectors, at least two, in Fortran order; only read.
    out : ndarray, shape (m, batch)
        Overwritten, in Fortran order.

    Returns
    -------
    int
        As `dense_panels_rows`.

    See Also
    --------
    dense_panels_rows, dense_panels_columns : The same for other layouts.

    Notes
    -----
    The cost is m n batch multiplications.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A, out = np.arange(64.0).reshape(32, 2), np.empty((32, 2), order="F")
    >>> x = np.eye(2, order="F")
    >>> nf.kernels.dense_panels_fortran(A.T.copy()[None], x, out)
    0
    >>> bool((out == A).all())
    True
    """
    return dense_panels_rows(values, x.T, out.T)


@kernel
def dense_panels_columns(values: np.ndarray, x: np.ndarray, out: np.ndarray) -> int:
    """Multiply columns by a matrix in panels; return whether all products are finite.

    Parameters
    ----------
    values : ndarray, shape (panels, n, rows)
        The matrix, as `dense_panels_rows` takes it. All arrays are C-contiguous.
    x : ndarray, shape (n, batch)
        The vectors, at least two; only read.
    out : ndarray, shape (m, batch)
        Overwritten.

    Returns
    -------
    int
        As `dense_panels_rows`.

    See Also
    --------
    dense_panels_rows, dense_panels_fortran : The same for other layouts.
    blocks_columns : The same with many blocks.

    Notes
    -----
    The cost is m n batch multiplications, and for few columns copies of both, or of
    more columns where x does not begin with a line of the cache.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A, out = np.arange(64.0).reshape(32, 2), np.empty((32, 2))
    >>> nf.kernels.dense_panels_columns(A.T.copy()[None], np.eye(2), out)
    0
    >>> bool((out == A).all())
    True
    """
    _, n, panel = values.shape
    m, batch = out.shape
    if x.shape != (n, batch) or not _fits(values, x, out, m, batch):
        return UNFIT
    flat, shape = values.reshape(-1), (m, n, panel)
    fx, fo = x.reshape(-1), out.reshape(-1)
    if batch < panel:  # their products are rows at first
        found = np.empty((batch, m), x.dtype)
        places = (0, 0, 0, 1, m)
        panels_by_rows(flat, shape, fx, found.reshape(-1), places, batch, batch)
        transpose(found, out)
        return _status(fo, 1, batch)
    copied = is_split(x, batch) and (m >= COPIED or batch * x.itemsize >= FAR)
    width, copy = panel if copied else batch, on_lines(n * panel if copied else 0, x)
    given, lanes = copy if copied else fx, BYTES // x.itemsize
    for start in range(0, batch, width):
        j = min(start, batch - width)  # the last ones end with the columns
        if copied:
            source, target = (j, batch, lanes), (0, panel, lanes)
            move_vectors(fx, source, copy, target, (n, panel // lanes), 0)
        panels_by_columns(flat, shape, given, fo, (0, 0, j, width, batch), width)
    return _status(fo, 1, batch)


@kernel
def _fits(values, x, out, m, batch):
    """Return whether out can hold products of x with m rows in panels.

    Python may have taken arrays with other strides for contiguous ones.
    """
    panels, _, panel = values.shape
    if batch < FEW or m < panel or (m + panel - 1) // panel != panels:
        return False
    for one in (x, out):
        (rows, columns), (row, entry) = one.shape, one.strides
        if rows > 1 and row != columns * one.itemsize:
            return False
        if columns > 1 and entry != one.itemsize:
            return False
    start, begin = x.ctypes.data, out.ctypes.data
    return start >= begin + out.nbytes or begin >= start + x.nbytes


@kernel
def _status(out, apart, batch):
    """Return whether the first entries of some products are finite, as a status."""
    for i in range(batch):
        if not np.isfinite(out[i * apart]):
            return NOT_FINITE
    return FINITE
