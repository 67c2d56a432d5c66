"""Projections onto sets of sparse matrices, in place.

Entries compare by modulus. Among equal ones the lowest index is kept first: in a row
the lowest column, in a column the lowest row, in a matrix the first in column-major
order. A k beyond the number of entries keeps them all. What is kept is not changed. No
result depends on the scale of ``x``: moduli neither overflow nor vanish.
"""

import numpy as np

from ._jit import kernel
from .select import kth_largest, modulus
from .topk import bounds, column_bounds, end_of_ties, write_moduli


@kernel
def project_sp(x: np.ndarray, k: int, tie_tol: float = 0.0) -> None:
    """Keep the k entries of largest modulus of a matrix, and set the others to zero.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest matrix of at most k entries.
    k : int
        At least 1.
    tie_tol : float, default 0.0
        Moduli within ``tie_tol`` of the k-th largest, relatively, compare as equal to
        it: below 1.

    See Also
    --------
    project_splin, project_spcol : The limit holds in each row, or in each column.
    kth_largest : The threshold alone.
    nbfact.constraints.Sp : The set, which checks its arguments.

    Notes
    -----
    Of entries that tie, the first in column-major order are kept. The cost is a few
    passes over x, and memory for its moduli.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [3.0, 2.0]])
    >>> nf.kernels.project_sp(x, 2)
    >>> x
    array([[ 0., -4.],
           [ 3.,  0.]])
    """
    m, n = x.shape
    if k >= m * n:
        return
    flat = np.empty(m * n, x.real.dtype)
    for i in range(m):
        for j in range(n):
            flat[i * n + j] = modulus(x[i, j])
    threshold, _ = kth_largest(flat, k)
    flat[0] = threshold * (1.0 - tie_tol)
    flat[1] = threshold * (1.0 + tie_tol)  # there are two: k < m * n
    low, high = flat[0], flat[1]  # in the precision of x
    kinds = np.empty((m, n), np.int8)
    ties = np.empty(n, np.int64)
    for j in range(n):
        ties[j] = 0
    left = k
    for i in range(m):
        for j in range(n):
            value = modulus(x[i, j])
            above = value > high
            tie = (value >= low) & (value <= high)
            kinds[i, j] = 2 * above + tie
            ties[j] += tie
            left -= above
    for j in range(n):  # the first columns take what is left to keep
        ties[j] = min(ties[j], left)
        left -= ties[j]
    for i in range(m):
        for j in range(n):
            tie = kinds[i, j] == 1
            keep = (kinds[i, j] == 2) | (tie & (ties[j] > 0))
            ties[j] -= tie
            if not keep:
                x[i, j] = 0


@kernel
def project_splin(x: np.ndarray, k: int, tie_tol: float = 0.0) -> None:
    """Keep the k entries of largest modulus of each row, and set the others to zero.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest matrix of at most k entries a row.
    k : int
        At least 1.
    tie_tol : float, default 0.0
        Moduli within ``tie_tol`` of the k-th largest, relatively, compare as equal to
        it: below 1.

    See Also
    --------
    project_spcol : The limit holds in each column.
    project_splincol : Keeps what either of the two keeps.
    nbfact.constraints.SpLin : The set, which checks its arguments.

    Notes
    -----
    Of entries of a row that tie, those of the lowest columns are kept. The cost is a
    few passes over each row.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [3.0, 2.0]])
    >>> nf.kernels.project_splin(x, 1)
    >>> x
    array([[ 0., -4.],
           [ 3.,  0.]])
    """
    m, n = x.shape
    if k >= n:
        return
    moduli = np.empty(n)
    bits = moduli.view(np.int64)
    for i in range(m):
        write_moduli(x[i], moduli)
        low, high, left, surplus = bounds(moduli, bits, k, tie_tol)
        end = end_of_ties(moduli, low, high, left) if surplus else n
        for j in range(n):
            keep = (moduli[j] > high) | ((moduli[j] >= low) & (j < end))
            if not keep:
                x[i, j] = 0


@kernel
def project_spcol(x: np.ndarray, k: int, tie_tol: float = 0.0) -> None:
    """Keep the k entries of largest modulus of each column, and set the others to zero.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with the nearest matrix of at most k entries a column.
    k : int
        At least 1.
    tie_tol : float, default 0.0
        Moduli within ``tie_tol`` of the k-th largest, relatively, compare as equal to
        it: below 1.

    See Also
    --------
    project_splin : The limit holds in each row.
    nbfact.constraints.SpCol : The set, which checks its arguments.

    Notes
    -----
    Of entries of a column that tie, those of the lowest rows are kept. The cost is a
    few passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [3.0, 2.0]])
    >>> nf.kernels.project_spcol(x, 1)
    >>> x
    array([[ 0., -4.],
           [ 3.,  0.]])
    """
    m, n = x.shape
    if k >= m:
        return
    low = np.empty(n)
    high = np.empty(n)
    left = np.empty(n, np.int64)
    column_bounds(x, k, tie_tol, low, high, left)
    moduli = np.empty(n)
    for i in range(m):
        write_moduli(x[i], moduli)
        for j in range(n):
            above = moduli[j] > high[j]
            tie = (moduli[j] >= low[j]) & (moduli[j] <= high[j])
            keep = above | (tie & (left[j] > 0))
            left[j] -= tie
            if not keep:
                x[i, j] = 0


@kernel
def project_splincol(x: np.ndarray, k: int, tie_tol: float = 0.0) -> None:
    """Keep the entries that `project_splin` or `project_spcol` keeps, and no others.

    This is the union of the two supports, as in FAµST. It is not a projection onto a
    set, because a row or a column may keep more than k entries.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, in any memory layout
        Without NaN; overwritten with what is kept.
    k : int
        At least 1.
    tie_tol : float, default 0.0
        Moduli within ``tie_tol`` of the k-th largest, relatively, compare as equal to
        it: below 1.

    See Also
    --------
    project_skperm : The limit holds in each row and in each column.
    nbfact.constraints.SpLinCol : The set, which checks its arguments.

    Notes
    -----
    Ties are kept as by the two kernels. The cost is a few passes over x.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, -4.0], [2.0, 3.0]])
    >>> nf.kernels.project_splincol(x, 1)
    >>> x
    array([[ 0., -4.],
           [ 2.,  3.]])
    """
    m, n = x.shape
    if k >= m or k >= n:
        return
    low = np.empty(n)
    high = np.empty(n)
    left = np.empty(n, np.int64)
    column_bounds(x, k, tie_tol, low, high, left)
    moduli = np.empty(n)
    bits = moduli.view(np.int64)
    for i in range(m):
        write_moduli(x[i], moduli)
        row_low, row_high, row_left, surplus = bounds(moduli, bits, k, tie_tol)
        end = end_of_ties(moduli, row_low, row_high, row_left) if surplus else n
        for j in range(n):
            value = moduli[j]
            above = value > min(row_high, high[j])
            row_tie = (value >= row_low) & (j < end)
            tie = (value >= low[j]) & (value <= high[j])
            keep = above | row_tie | (tie & (left[j] > 0))
            left[j] -= tie
            if not keep:
                x[i, j] = 0
