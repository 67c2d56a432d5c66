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

DEPTH = 64
"""Number of products that are added up before they are added to the others: a panel of
this length stays in the first level of cache."""
TILE, FEW = 4, 2
"""Number of vectors that are multiplied together, and where there are fewer."""


@kernel
def _by_rows(values, x, out):
    """Multiply the rows of x, (batch, n), at least two, as `dense_panels_apply` does.

    The last rows of several are multiplied again with those that are left over.
    """
    (groups, n, panel), (batch, m) = values.shape, out.shape
    flat, fx, fo = values.reshape(-1), x.reshape(-1), out.reshape(-1)
    lanes, full = BYTES // values.itemsize, batch - batch % TILE
    for group in range(groups):
        top, v = min(group * panel, m - panel), group * n * panel
        for k in range(0, n, DEPTH):
            depth, first = min(DEPTH, n - k), 1 if k == 0 else 0
            for i in range(0, full, TILE):
                p, w, o = i * n + k, v + k * panel, i * m + top
                at = (p, 1, n, w, panel, o, m, lanes, depth, first)
                add_outer_products(fx, flat, fo, at, (), TILE, 4)
        i = full
        while i < batch:
            size = TILE if batch >= TILE and batch - i > FEW else FEW
            i = min(i, batch - size)
            for k in range(0, n, DEPTH):
                depth, first = min(DEPTH, n - k), 1 if k == 0 else 0
                p, w, o = i * n + k, v + k * panel, i * m + top
                at = (p, 1, n, w, panel, o, m, lanes, depth, first)
                if size == TILE:
                    add_outer_products(fx, flat, fo, at, (), TILE, 4)
                else:
                    add_outer_products(fx, flat, fo, at, (), FEW, 4)
            i += size


@kernel
def _by_columns(values, x, out):
    """Multiply the columns of x, (n, batch), at least as many as a panel has rows."""
    (groups, n, panel), (m, batch) = values.shape, out.shape
    flat, fx, fo = values.reshape(-1), x.reshape(-1), out.reshape(-1)
    lanes, full = BYTES // values.itemsize, batch - batch % panel
    for group in range(groups):
        top, v = min(group * panel, m - panel), group * n * panel
        for last in range(2 if full < batch else 1):
            begin, end = (batch - panel, batch) if last else (0, full)
            for k in range(0, n, DEPTH):
                depth, first = min(DEPTH, n - k), 1 if k == 0 else 0
                for j in range(begin, end, panel):
                    w, p, o = v + k * panel, k * batch + j, top * batch + j
                    for r in range(0, panel, TILE):
                        y = o + r * batch
                        at = (w + r, panel, 1, p, batch, y, batch, lanes, depth, first)
                        add_outer_products(flat, fx, fo, at, (), TILE, 4)


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
        Whether the first entry of each product is finite, see `dense_apply`.

    See Also
    --------
    dense_apply : The same by BLAS, for a matrix in any order.
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
    finite, batch = 0, out.shape[0] if rows else out.shape[1]
    if rows:
        _by_rows(values, x, out)
        for i in range(batch):
            finite += np.isfinite(out[i, 0])
        return finite == batch
    if batch < values.shape[2]:
        turned = np.empty((batch, len(x)), x.dtype)
        found = np.empty((batch, len(out)), x.dtype)
        transpose(x, turned)
        _by_rows(values, turned, found)
        transpose(found, out)
    else:
        _by_columns(values, x, out)
    for i in range(batch):
        finite += np.isfinite(out[0, i])
    return finite == batch
