"""The nearest matrix with at most k_row entries per row and k_col per column.

The support of largest energy (sum of squared moduli) is a maximum-weight b-matching of
rows and columns, an integral linear programme (Le and Gribonval, ICASSP 2021). Where
one support is the only best one, `matching.py` finds it and proves that. Where others
are as good, or nearly so, the one that is kept is that of the successive shortest
augmenting paths of `augmenting_paths.py`.
"""

import numpy as np

from ._jit import kernel
from .augmenting_paths import best_of_column, take_along_paths
from .matching import match
from .select import modulus


@kernel
def project_skperm(x: np.ndarray, k_row: int, k_col: int, tie_tol: float = 0.0) -> None:
    """Keep the support of largest energy with k_row entries a row and k_col a column.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, finite, in any memory layout
        Overwritten with the nearest matrix that has at most k_row entries in each row
        and at most k_col in each column.
    k_row, k_col : int
        At least 1; beyond the size of x they keep all. They bound the numbers of
        entries: entries that add no energy are not kept.
    tie_tol : float, default 0.0
        Energies relative to the largest one are rounded to its multiples, so that noise
        does not choose among supports; 0 for none. It is below 1.

    See Also
    --------
    project_skperm_warm : The same, sooner for a matrix like the last one.
    project_skperm_greedy : A faster kernel, which is not exact.
    nbfact.constraints.SkPerm : The set, which checks its arguments.

    Notes
    -----
    Energies are squared moduli relative to the largest, in double precision. Where
    several supports are as good, the one that is kept depends on the values alone, not
    on earlier calls. Where many supports are as good, the cost is up to min(m k_row,
    n k_col) (m + n)² operations; where one is the only best one, a small part of that.

    References
    ----------
    Q.-T. Le and R. Gribonval, Structured support exploration for multilayer sparse
    matrix factorization, ICASSP, 2021 [le2021].

    Examples
    --------
    The largest entry is given up, because the two others have more energy together:

    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[5.0, 4.0], [4.0, 0.0]])
    >>> nf.kernels.project_skperm(x, 1, 1)
    >>> x
    array([[0., 4.],
           [4., 0.]])
    """
    potential = np.zeros(x.shape[0] + x.shape[1])
    project_skperm_warm(x, k_row, k_col, potential, tie_tol)


@kernel
def project_skperm_warm(
    x: np.ndarray,
    k_row: int,
    k_col: int,
    potential: np.ndarray,
    tie_tol: float = 0.0,
) -> None:
    """Do what `project_skperm` does, in less time after a similar matrix.

    Parameters
    ----------
    x, k_row, k_col, tie_tol
        As in `project_skperm`.
    potential : ndarray of float64, shape (m + n,)
        Zeros at first, then what the last call left; overwritten. The result is the
        same whatever it holds, infinity and NaN included.

    See Also
    --------
    project_skperm : The projection without a start.

    Notes
    -----
    The cost is at most that of `project_skperm`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> potential = np.zeros(4)
    >>> for corner in (5.0, 5.1):
    ...     x = np.array([[corner, 4.0], [4.0, 0.0]])
    ...     nf.kernels.project_skperm_warm(x, 1, 1, potential)
    >>> x
    array([[0., 4.],
           [4., 0.]])
    """
    m, n = x.shape
    k_row = min(k_row, n)
    k_col = min(k_col, m)
    energy = np.empty((m, n))
    _relative_energies(x, energy)
    if tie_tol > 1e-300:  # the inverse of a smaller one may overflow
        _round_to_multiples(energy, tie_tol)
    _take_best(energy, k_row, k_col, potential)
    _keep_taken(x, energy)


@kernel
def _take_best(energy, k_row, k_col, potential):
    """Take the support of largest energy: make the energies that are taken negative.

    energy: (m, n), at least 0; k_row <= n, k_col <= m; potential: (m + n,).
    """
    m, n = energy.shape
    work, prices = energy, potential
    # Rows bid. Where they might hold more than columns, the matrix is transposed.
    turned = m * k_row > n * k_col
    if turned:
        work, prices = np.empty((n, m)), np.empty(m + n)
        for j in range(n):
            for i in range(m):
                work[j, i] = energy[i, j]
        for node in range(m + n):
            prices[node] = potential[(node + m) % (m + n)]
        k_row, k_col = k_col, k_row
    only = match(work, k_row, k_col, prices)
    for i in range(m if turned else 0):
        for j in range(n):
            energy[i, j] = work[j, i]
    for node in range(m + n if turned else 0):
        potential[(node + m) % (m + n)] = prices[node]
    if only:
        return
    for i in range(m):
        for j in range(n):
            energy[i, j] = abs(energy[i, j])
    if turned:
        k_row, k_col = k_col, k_row
    take_along_paths(energy, k_row, k_col)


@kernel
def project_skperm_greedy(x: np.ndarray, k_row: int, k_col: int) -> None:
    """Keep entries, the largest first, while their row and their column have room.

    Parameters
    ----------
    x : ndarray, shape (m, n), real or complex, finite, in any memory layout
        Overwritten: at most k_row entries in each row and k_col in each column are
        kept, and the others set to zero.
    k_row, k_col : int
        At least 1; beyond the size of x they keep all.

    See Also
    --------
    project_skperm : The support of largest energy.

    Notes
    -----
    The entries that are kept have at least half the energy (sum of squared moduli) of
    those that `project_skperm` keeps, in a fraction of the time. Of entries that tie,
    the first in column-major order is kept first. The cost is a pass over a few columns
    for each entry that is kept.

    Examples
    --------
    The largest entry is kept, although the two others have more energy together:

    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[5.0, 4.0], [4.0, 0.0]])
    >>> nf.kernels.project_skperm_greedy(x, 1, 1)
    >>> x
    array([[5., 0.],
           [0., 0.]])
    """
    m, n = x.shape
    energy = np.empty((m, n))  # minus infinity once taken
    _relative_energies(x, energy)
    left = np.empty(m + n, np.int64)
    for node in range(m + n):
        left[node] = k_row if node < m else k_col
    best = np.empty(n)
    best_row = np.empty(n, np.int64)
    for j in range(n):
        best_of_column(energy, left, j, best, best_row)
    for _ in range(min(m * min(k_row, n), n * min(k_col, m))):
        column = 0
        for j in range(1, n):
            if best[j] > best[column]:
                column = j
        if best[column] <= 0.0:
            break
        row = best_row[column]
        energy[row, column] = -np.inf
        left[row] -= 1
        left[m + column] -= 1
        for j in range(n):
            if best_row[j] == row:
                best_of_column(energy, left, j, best, best_row)
        if left[m + column] == 0:
            best[column] = -np.inf
            best_row[column] = -1
    _keep_taken(x, energy)


@kernel
def _relative_energies(x, energy):
    """Write the squared moduli of x divided by the largest; zeros where x is zero.

    x: (m, n); energy: (m, n) float64.
    """
    largest = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            energy[i, j] = modulus(x[i, j])
            largest = max(largest, energy[i, j])
    if largest > 0.0:
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                energy[i, j] = (energy[i, j] / largest) ** 2


@kernel
def _round_to_multiples(energy, unit):
    """Round energies to the nearest multiples of unit; energy: (m, n)."""
    for i in range(energy.shape[0]):
        for j in range(energy.shape[1]):
            energy[i, j] = np.rint(energy[i, j] / unit) * unit


@kernel
def _keep_taken(x, energy):
    """Set the entries that were not taken to zero.

    x: (m, n); energy: (m, n), negative where taken.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if energy[i, j] >= 0.0:
                x[i, j] = 0
