"""Vectors and rows of a matrix in another order, with zeros where none is named."""

import numpy as np

from ._jit import kernel
from .squares import transpose_square
from .vectors import BYTES

ROW_BY_ROW = 4
"""Most rows besides whole squares that are read one after the other: to write the
columns that they become in order takes longer for so few."""


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
    The cost is one pass over both. Squares whose rows are a vector of 64 bytes are
    transposed in registers: that takes 0.05 to 0.6 times as
    long as ``np.copyto(out, x.T)`` while both are in a cache.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.kernels.transpose(np.array([[1.0, 2.0]]), out := np.empty((2, 1)))
    >>> out
    array([[1.],
           [2.]])
    """
    m, n = x.shape
    flat_x, flat_out, width = x.ravel(), out.ravel(), np.intp(BYTES // x.itemsize)
    top, left = m - m % width, n - n % width
    tall = m > n  # the long side is the inner loop, so that memory is read in order
    first, second = (left, top) if tall else (top, left)
    for p in range(0, first, width):
        for q in range(0, second, width):
            i, j = (q, p) if tall else (p, q)
            transpose_square(flat_x, i * n + j, n, flat_out, j * m + i, m)
    for j in range(left, n):
        for i in range(top):
            flat_out[j * m + i] = flat_x[i * n + j]
    if m - top <= ROW_BY_ROW:
        for i in range(top, m):
            for j in range(n):
                flat_out[j * m + i] = flat_x[i * n + j]
    else:
        for j in range(n):
            for i in range(top, m):
                flat_out[j * m + i] = flat_x[i * n + j]
