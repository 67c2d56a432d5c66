"""Projections onto sparse triangular and sparse symmetric matrices, in place.

The rules of `sparse_projections.py` hold: entries compare by modulus, the lowest index
is kept first among equal ones, and no result depends on the scale of ``x``.
"""

import numpy as np

from ._jit import kernel
from .select import kth_largest, modulus
from .sparse_projections import project_sp


@kernel
def project_sptriu(x: np.ndarray, k: int) -> None:
    """Keep the k entries of largest modulus of the upper triangle, diagonal included.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest upper triangular matrix of at most k
        entries.
    k : int
        At least 1.

    See Also
    --------
    project_sptril : The lower triangle.
    nbfact.constraints.SpTriu : The set, which checks its arguments.

    Notes
    -----
    Of entries that tie, the first in column-major order are kept. The cost is that of
    `project_sp`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [9.0, 2.0]])
    >>> nf.kernels.project_sptriu(x, 2)
    >>> x
    array([[ 0., -4.],
           [ 0.,  2.]])
    """
    for i in range(x.shape[0]):
        for j in range(min(i, x.shape[1])):
            x[i, j] = 0
    project_sp(x, k)


@kernel
def project_sptril(x: np.ndarray, k: int) -> None:
    """Keep the k entries of largest modulus of the lower triangle, diagonal included.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest lower triangular matrix of at most k
        entries.
    k : int
        At least 1.

    See Also
    --------
    project_sptriu : The upper triangle.
    nbfact.constraints.SpTril : The set, which checks its arguments.

    Notes
    -----
    Of entries that tie, the first in column-major order are kept. The cost is that of
    `project_sp`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [9.0, 2.0]])
    >>> nf.kernels.project_sptril(x, 2)
    >>> x
    array([[0., 0.],
           [9., 2.]])
    """
    for i in range(x.shape[0]):
        for j in range(i + 1, x.shape[1]):
            x[i, j] = 0
    project_sp(x, k)


@kernel
def project_spsymm(x: np.ndarray, k: int) -> None:
    """Make a matrix symmetric and sparse, by the rule of FAµST.

    Of two mirrored entries both get the value of the one of larger modulus (of the one
    below the diagonal if they tie). Then pairs are kept, those of the largest modulus
    first, until k entries are kept.

    Parameters
    ----------
    x : ndarray, shape (n, n), real or complex, in any memory layout
        Without NaN; overwritten with the result; not conjugated where it is complex.
    k : int
        At least 1.

    See Also
    --------
    project_sp : The nearest sparse matrix, symmetric or not.
    nbfact.constraints.SpSymm : The set, which checks its arguments.

    Notes
    -----
    This is not the nearest symmetric matrix. A pair is kept whole, so that k + 1
    entries are possible. Of pairs that tie, the first in the column-major order of the
    lower triangle are kept. The cost is a few passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [3.0, 2.0]])
    >>> nf.kernels.project_spsymm(x, 2)
    >>> x
    array([[ 0., -4.],
           [-4.,  0.]])
    """
    n = x.shape[0]
    moduli = np.empty(n * n, x.real.dtype)
    for i in range(n):
        for j in range(i + 1):
            if modulus(x[j, i]) > modulus(x[i, j]):
                x[i, j] = x[j, i]
            x[j, i] = x[i, j]
            moduli[i * n + j] = modulus(x[i, j])
            moduli[j * n + i] = modulus(x[i, j])
    if k >= n * n:
        return
    threshold, left = kth_largest(moduli, k)
    for j in range(n):  # column-major order of the lower triangle
        for i in range(j, n):
            value = modulus(x[j, i])
            tie = value == threshold and left > 0
            if tie:
                left -= 1 if i == j else 2
            if not (tie or value > threshold):
                x[i, j] = 0
                x[j, i] = 0
