"""Vectors and rows of a matrix in another order, with zeros where none is named."""

import numpy as np

from ._jit import kernel
from .squares import (
    transpose_eight,
    transpose_four,
    transpose_square,
    transpose_three_columns,
    transpose_three_rows,
    transpose_two_columns,
    transpose_two_rows,
)
from .vector_copies import AHEAD, move_vectors
from .vectors import BYTES

TILE, SHORT_LINE = 1 << 15, 512
"""Bytes of a matrix that are transposed together, so that they stay in the first level
of cache; bytes of a row above which tall matrices are not, because what is written to
each of many columns at once would be short."""

LONG = 256
"""Bytes of the columns of a row from which on they are copied by vectors, and rows are
fetched before."""


@kernel
def gather(x: np.ndarray, index: np.ndarray, out: np.ndarray) -> None:
    """Write the entries of a vector that an index names, in its order.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Only read.
    index : ndarray of int, shape (m,)
        ``out[i]`` becomes ``x[index[i]]``, and 0 where ``index[i]`` is negative.
        Entries are below n, and may repeat or be missing.
    out : ndarray, shape (m,), of a dtype that holds that of x
        Overwritten; shares no memory with x.

    See Also
    --------
    gather_rows : The rows of a matrix.
    nbfact.transforms.permutation : The operator.

    Notes
    -----
    The cost is one pass over out.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, out = np.array([5.0, 6.0, 7.0]), np.empty(3)
    >>> nf.kernels.gather(x, np.array([2, 0, -1]), out)
    >>> out
    array([7., 5., 0.])
    """
    for i in range(index.shape[0]):
        if index[i] >= 0:
            out[i] = x[index[i]]
        else:
            out[i] = 0


@kernel
def gather_rows(x: np.ndarray, index: np.ndarray, out: np.ndarray) -> None:
    """Write the rows of a matrix that an index names, in its order.

    Parameters
    ----------
    x : ndarray, shape (n, batch)
        Only read.
    index : ndarray of int, shape (m,)
        Row i of out becomes row ``index[i]`` of x, and zeros where ``index[i]`` is
        negative. Entries are below n, and may repeat or be missing.
    out : ndarray, shape (m, batch), of a dtype that holds that of x
        Overwritten; shares no memory with x.

    See Also
    --------
    gather : The entries of a vector.

    Notes
    -----
    The cost is one pass over out.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.kernels.gather_rows(np.eye(2), np.array([1, -1]), out := np.empty((2, 2)))
    >>> out
    array([[0., 1.],
           [0., 0.]])
    """
    for i in range(index.shape[0]):
        if index[i] >= 0:
            source = x[index[i]]
            for j in range(x.shape[1]):
                out[i, j] = source[j]
        else:
            for j in range(x.shape[1]):
                out[i, j] = 0


@kernel
def copy_columns(x: np.ndarray, out: np.ndarray, first: int, to: int) -> None:
    """Write columns of a matrix to those of another, of more or of fewer columns.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        C-contiguous; only read.
    out : ndarray, shape (m, k), of the dtype of x
        C-contiguous; shares no memory with x. Overwritten are as many columns as both
        matrices have, from the following ones on.
    first, to : int
        The first column of x that is read, and that of out that it is written to.

    See Also
    --------
    gather_rows : Some rows of a matrix.

    Notes
    -----
    The cost is one pass over the columns. Rows are fetched before they are copied,
    because the processor does not foresee where the next one begins.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.kernels.copy_columns(np.array([[1.0, 2.0]]), out := np.zeros((1, 3)), 0, 1)
    >>> out
    array([[0., 1., 2.]])
    """
    count = min(x.shape[1] - first, out.shape[1] - to)
    whole = 0
    if count * x.itemsize >= LONG:
        lanes = BYTES // x.itemsize
        whole = count - count % lanes
        source, target = (first, x.shape[1], lanes), (to, out.shape[1], lanes)
        size = x.shape[0], whole // lanes
        move_vectors(x.ravel(), source, out.ravel(), target, size, AHEAD)
    # Each signed place would be looked at: whether it counts from the end.
    here, there = np.uintp(first), np.uintp(to)
    for i in range(x.shape[0] if whole < count else 0):
        source, target = x[i], out[i]
        for j in range(np.uintp(whole), np.uintp(count)):
            target[there + j] = source[here + j]


@kernel
def transpose(x: np.ndarray, out: np.ndarray) -> None:
    """Write the transpose of a matrix.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        C-contiguous, of real or complex numbers; only read.
    out : ndarray, shape (n, m), of the dtype of x
        C-contiguous; overwritten; shares no memory with x.

    See Also
    --------
    adjoint_copy : The conjugate transpose, of any memory layout.

    Notes
    -----
    The cost is one pass over both. Squares of 64 bytes a row, or of eight or four
    entries where no more fit, are transposed in registers.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.kernels.transpose(np.array([[1.0, 2.0]]), out := np.empty((2, 1)))
    >>> out
    array([[1.],
           [2.]])
    """
    m, n = x.shape
    flat_x, flat_out, width = x.ravel(), out.ravel(), BYTES // x.itemsize
    if min(m, n) < 4:
        _turn_thin(flat_x, flat_out, m, n)
        return
    short, long = min(m, n), max(m, n)
    part, line = long, short * x.itemsize
    if m <= n or line <= SHORT_LINE:
        part = max(TILE // line // width, 1) * width
    for begin in range(0, long, part):
        end, done = min(begin + part, long), 0
        while done < short:
            # The last squares of a row of them are moved back to where they fit.
            rest = short - done
            side = width if rest >= width else 8 if 8 <= rest < width else 4
            p = min(done, short - side)
            for k in range(begin, end, side):
                q = min(k, long - side)
                i, j = (q, p) if m > n else (p, q)
                if side == width:
                    transpose_square(flat_x, i * n + j, n, flat_out, j * m + i, m)
                elif side == 8:
                    transpose_eight(flat_x, i * n + j, n, flat_out, j * m + i, m)
                else:
                    transpose_four(flat_x, i * n + j, n, flat_out, j * m + i, m)
            done += side


@kernel
def _turn_thin(x, out, m, n):
    """Transpose a flat matrix that has at most three rows or columns."""
    done = max((max(m, n) - 1) // 4 * 4, 0)  # four more entries fit behind those
    if m == 2:
        for j in range(0, done, 4):
            transpose_two_rows(x, j, n, out, 2 * j, 2)
    elif m == 3:
        for j in range(0, done, 4):
            transpose_three_rows(x, j, n, out, 3 * j, 3)
    elif n == 2:
        for i in range(0, done, 4):
            transpose_two_columns(x, 2 * i, 2, out, i, m)
    elif n == 3:
        for i in range(0, done, 4):
            transpose_three_columns(x, 3 * i, 3, out, i, m)
    else:
        for k in range(m * n):
            out[k] = x[k]
        return
    for k in range(done, max(m, n)):
        for few in range(min(m, n)):
            i, j = (few, k) if m < n else (k, few)
            out[j * m + i] = x[i * n + j]
