"""Projections onto spheres: matrices, rows or columns are scaled to a norm, in place.

No square overflows or vanishes, whatever the scale of ``x``. Zero is equally near to
all points of a sphere, and stays zero.
"""

import numpy as np

from ._jit import kernel
from .norms import frobenius_norm

BLOCK = 8
"""Number of columns that are scaled together, so that a C-ordered matrix is read by
whole cache lines."""

LARGEST = 1.797693134862314e308
"""The largest norm that is given to rows and columns, a few roundings below the largest
number in double precision, so that entries do not overflow by rounding."""


@kernel
def normalize_frobenius(x: np.ndarray) -> None:
    """Divide a matrix by its Frobenius norm, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, finite, in any memory layout
        Overwritten with the nearest matrix of norm 1. A zero matrix stays zero.

    See Also
    --------
    frobenius_norm : The norm alone.
    nbfact.constraints.Sp : A set whose option ``normalized`` uses this kernel.

    Notes
    -----
    The cost is two passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[3.0, 4.0]])
    >>> nf.kernels.normalize_frobenius(x)
    >>> x
    array([[0.6, 0.8]])
    """
    _scale_to_norm(x, 1.0)


@kernel
def project_normlin(x: np.ndarray, s: float) -> None:
    """Scale each row of a matrix to a norm, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, finite, in any memory layout
        Overwritten with the nearest matrix whose rows have Euclidean norm s. A zero row
        stays zero.
    s : float
        The norm, at least 0.

    See Also
    --------
    project_normcol : Norms of columns.
    nbfact.constraints.NormLin : The set, which checks its arguments.

    Notes
    -----
    The cost is two passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[3.0, 4.0], [0.0, 0.0]])
    >>> nf.kernels.project_normlin(x, 10.0)
    >>> x
    array([[6., 8.],
           [0., 0.]])
    """
    for i in range(x.shape[0]):
        _scale_to_norm(x[i : i + 1], s)


@kernel
def project_normcol(x: np.ndarray, s: float) -> None:
    """Scale each column of a matrix to a norm, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, finite, in any memory layout
        Overwritten with the nearest matrix whose columns have Euclidean norm s. A zero
        column stays zero.
    s : float
        The norm, at least 0.

    See Also
    --------
    project_normlin : Norms of rows.
    nbfact.constraints.NormCol : The set, which checks its arguments.

    Notes
    -----
    The cost is four passes over x, eight columns at a time.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[3.0, 0.0], [4.0, 2.0]])
    >>> nf.kernels.project_normcol(x, 10.0)
    >>> x
    array([[ 6.,  0.],
           [ 8., 10.]])
    """
    m, n = x.shape
    block = np.empty((BLOCK, m), x.dtype)
    for start in range(0, n, BLOCK):
        width = min(BLOCK, n - start)
        for i in range(m):
            for j in range(width):
                block[j, i] = x[i, start + j]
        project_normlin(block[:width], s)
        for i in range(m):
            for j in range(width):
                x[i, start + j] = block[j, i]


@kernel
def _scale_to_norm(x, s):
    """Scale x, (m, n), to Frobenius norm s; a zero matrix stays zero."""
    norm = frobenius_norm(x)
    if norm == 0.0:
        return
    # The inverse of a subnormal number overflows; that of a huge one is subnormal.
    if norm < 1e-290 or norm > 1e290:
        _multiply(x, 2.0**200 if norm < 1.0 else 2.0**-200)
        norm = frobenius_norm(x)
    if 1e-150 < norm < 1e150 and 1e-150 < s < 1e150:
        _multiply(x, s / norm)
    else:  # the factor could overflow or vanish, although the result does not
        _multiply(x, 1.0 / norm)
        _multiply(x, min(s, LARGEST))


@kernel
def _multiply(x, factor):
    """Multiply x, (m, n), by a float64 scalar, in place."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = x[i, j] * factor
