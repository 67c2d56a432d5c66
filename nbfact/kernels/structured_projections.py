"""Projections onto structured matrices, in place, nearest in the Frobenius norm.

Circulant, anti-circulant, Toeplitz and Hankel matrices are constant on classes of
entries; the projection replaces each entry by the mean of its class. Means are taken in
double precision, so that a projected matrix is its own projection up to rounding. The
sum of the entries of a class must not overflow. There are no ties: the nearest matrix
is the only one. Arrays may have any memory layout.
"""

import numpy as np

from ._jit import kernel


@kernel
def project_blockdiag(
    x: np.ndarray, row_ends: np.ndarray, col_ends: np.ndarray
) -> None:
    """Set the entries outside some diagonal blocks to zero, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Overwritten with its projection.
    row_ends, col_ends : ndarray of int, shape (n_blocks,)
        The row and the column after each block; neither decreases. The first block
        begins at row 0 and column 0, the others where the one before ends. Rows and
        columns after the last block become zero.

    See Also
    --------
    project_supp : Any support.
    nbfact.constraints.BlockDiag : The set, which checks its arguments.

    Notes
    -----
    The cost is one pass over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, ends = np.ones((3, 3)), np.array([1, 3])
    >>> nf.kernels.project_blockdiag(x, ends, ends)
    >>> x
    array([[1., 0., 0.],
           [0., 1., 1.],
           [0., 1., 1.]])
    """
    block = 0
    start = 0
    for i in range(x.shape[0]):
        while block < row_ends.size and i >= row_ends[block]:
            start = col_ends[block]
            block += 1
        for j in range(x.shape[1]):
            if block == row_ends.size or j < start or j >= col_ends[block]:
                x[i, j] = 0


@kernel
def project_circ(x: np.ndarray) -> None:
    """Replace a matrix by the nearest circulant one, in place.

    Parameters
    ----------
    x : ndarray, shape (n, n), with at least one entry
        Overwritten with its projection, which is constant where (j - i) mod n is.

    See Also
    --------
    project_anticirc, project_toeplitz : Other structures.
    nbfact.constraints.Circ : The set, which checks its arguments.

    Notes
    -----
    The cost is two passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 0.0]])
    >>> nf.kernels.project_circ(x)
    >>> x
    array([[1., 2., 0.],
           [0., 1., 2.],
           [2., 0., 1.]])
    """
    _average_classes(x, -1, x.shape[1])


@kernel
def project_anticirc(x: np.ndarray) -> None:
    """Replace a matrix by the nearest anti-circulant one, in place.

    Parameters
    ----------
    x : ndarray, shape (n, n), with at least one entry
        Overwritten with its projection, which is constant where (i + j) mod n is.

    See Also
    --------
    project_circ, project_hankel : Other structures.
    nbfact.constraints.AntiCirc : The set, which checks its arguments.

    Notes
    -----
    The cost is two passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 0.0]])
    >>> nf.kernels.project_anticirc(x)
    >>> x
    array([[3., 0., 0.],
           [0., 0., 3.],
           [0., 3., 0.]])
    """
    _average_classes(x, 1, x.shape[1])


@kernel
def project_toeplitz(x: np.ndarray) -> None:
    """Replace a matrix by the nearest Toeplitz one, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), with at least one entry
        Overwritten with its projection, which is constant where j - i is.

    See Also
    --------
    project_hankel, project_circ : Other structures.
    nbfact.constraints.Toeplitz : The set, which checks its arguments.

    Notes
    -----
    The cost is two passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, 4.0], [6.0, 3.0]])
    >>> nf.kernels.project_toeplitz(x)
    >>> x
    array([[2., 4.],
           [6., 2.]])
    """
    _average_classes(x, -1, x.shape[0] + x.shape[1] - 1)


@kernel
def project_hankel(x: np.ndarray) -> None:
    """Replace a matrix by the nearest Hankel one, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), with at least one entry
        Overwritten with its projection, which is constant where i + j is.

    See Also
    --------
    project_toeplitz, project_anticirc : Other structures.
    nbfact.constraints.Hankel : The set, which checks its arguments.

    Notes
    -----
    The cost is two passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, 4.0], [6.0, 3.0]])
    >>> nf.kernels.project_hankel(x)
    >>> x
    array([[1., 5.],
           [5., 3.]])
    """
    _average_classes(x, 1, x.shape[0] + x.shape[1] - 1)


@kernel
def _average_classes(x, step, period):
    """Replace each entry by the mean over its class, (step * i + j) mod period.

    x: (m, n), with n <= period; step: 1 or -1.
    """
    m, n = x.shape
    # The sums are in double precision, and real or complex as x is.
    means = np.full(period, x[0, 0] * np.float64(0.0))
    counts = np.zeros(period, np.int64)
    for i in range(m):
        first = (step * i) % period
        before = min(n, period - first)  # columns before the class wraps to 0
        for j in range(before):
            means[first + j] += x[i, j]
            counts[first + j] += 1
        for j in range(before, n):
            means[first + j - period] += x[i, j]
            counts[first + j - period] += 1
    for c in range(period):
        if counts[c] > 0:
            means[c] /= counts[c]
    for i in range(m):
        first = (step * i) % period
        before = min(n, period - first)
        for j in range(before):
            x[i, j] = means[first + j]
        for j in range(before, n):
            x[i, j] = means[first + j - period]
