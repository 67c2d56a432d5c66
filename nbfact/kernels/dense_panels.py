"""Products of several vectors with a small dense matrix whose values are in panels.

BLAS copies the matrix in each call, or has no kernel for a few vectors. Here the values
are packed once, and rows and columns have the same bits, whatever stands beside them.
`panels.py` has the instructions.
"""

import numpy as np

from ._jit import kernel
from .panels import add_outer_products
from .permute import transpose
from .vectors import BYTES

DEPTH = 128
"""Number of products that are added up before they are added to the others: a panel of
this length stays in the first level of cache."""
TILE, THREE, FEW = 4, 3, 2
"""Numbers of vectors that are multiplied together: four, and three or two at the end."""


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
def dense_panels_apply(
    values: np.ndarray, x: np.ndarray, rows: int, out: np.ndarray
) -> bool:
    """Multiply rows or columns by a matrix in panels; return whether all are finite.

    Parameters
    ----------
    values : ndarray, shape (panels, n, rows)
        A matrix of shape (m, n) in panels of some rows, each transposed: of
        256 / itemsize rows where it is real, half as many where it is complex, and at
        most m. Panel i begins with row ``i * rows``, and the last one ends with row m.
        Only read. All arrays are C-contiguous and of one dtype.
    x : ndarray, shape (n, batch), or (batch, n) where `rows` is 1
        The vectors, at least two; only read.
    rows : int
        0 or 1.
    out : ndarray, shape (m, batch), or (batch, m)
        Overwritten; it shares no memory with x.

    Returns
    -------
    bool
        Whether the first entry of each product is finite. It is not where an entry of
        the vector is not, even where the matrix is zero: zero times infinity is NaN.

    See Also
    --------
    blocks_rows, blocks_columns : The same with many blocks.

    Notes
    -----
    The cost is m n batch multiplications. A product has the same bits in rows and in
    columns, whatever the other vectors are.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = np.arange(64.0).reshape(32, 2)
    >>> out = np.empty((2, 32))
    >>> bool(nf.kernels.dense_panels_apply(A.T.copy()[None], np.eye(2), 1, out))
    True
    >>> bool((out == A.T).all())
    True
    """
    _, n, panel = values.shape
    batch, m = out.shape if rows else out.shape[::-1]
    flat, fx, fo = values.reshape(-1), x.reshape(-1), out.reshape(-1)
    shape, finite, apart = (m, n, panel), 0, m if rows else 1
    if rows or batch < panel:  # the products of few columns are rows at first
        found = np.empty((0 if rows else batch, m), x.dtype)
        target = fo if rows else found.reshape(-1)
        step, row = (1, n) if rows else (batch, 1)
        panels_by_rows(flat, shape, fx, target, (0, 0, 0, row, m), step, batch)
        if not rows:
            transpose(found, out)
    else:
        panels_by_columns(flat, shape, fx, fo, (0, 0, 0, batch, batch), batch)
    for i in range(batch):
        finite += np.isfinite(fo[i * apart])
    return finite == batch
