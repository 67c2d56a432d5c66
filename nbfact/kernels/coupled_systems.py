"""Many small positive definite systems, whose matrices are minors of Gram matrices."""

import numpy as np

from ._jit import REASSOC, kernel

MORE = 1e2
"""Number by which the ridge is multiplied, twice at most, where a system is not
positive definite."""


@kernel
def _read(gram, lines, system):
    """Multiply the lower half of a system by the entries of a minor of a matrix."""
    for i in range(lines.shape[0]):
        row = gram[lines[i]]
        for j in range(i + 1):
            system[i, j] *= row[lines[j]]


@kernel(fastmath=REASSOC)
def _before(triangle, i, j):
    """Return the inner product of the first j entries of two rows of a triangle."""
    total = triangle.dtype.type(0)
    for p in range(j):
        total += triangle[i, p] * np.conj(triangle[j, p])
    return total


@kernel
def _factor(system, order, added, triangle):
    """Write the Cholesky factor of a system whose diagonal is 1 + added.

    Returns whether there is one.
    """
    for i in range(order):
        for j in range(i):
            rest = system[i, j] - _before(triangle, i, j)
            triangle[i, j] = rest / triangle[j, j].real
        pivot = 1 + added - _before(triangle, i, i).real
        if not pivot > 0:
            return False
        triangle[i, i] = np.sqrt(pivot)
    return True


@kernel
def _substitute(triangle, order, values):
    """Solve a system, whose Cholesky factor is given, in place."""
    for i in range(order):
        for p in range(i):
            values[i] -= triangle[i, p] * values[p]
        values[i] /= triangle[i, i].real
    for i in range(order - 1, -1, -1):
        values[i] /= triangle[i, i].real
        for p in range(i):
            values[p] -= np.conj(triangle[i, p]) * values[i]


@kernel
def _subtract_image(system, order, x, rest):
    """Subtract the product of a system, whose diagonal is 1, and x from a vector."""
    for i in range(order):
        rest[i] -= x[i]
        for j in range(i):
            rest[i] -= system[i, j] * x[j]
            rest[j] -= np.conj(system[i, j]) * x[i]


@kernel
def solve_coupled(
    gram: np.ndarray,
    right_gram: np.ndarray,
    places: np.ndarray,
    starts: np.ndarray,
    ridge: float,
    values: np.ndarray,
) -> None:
    """Solve many small systems, whose entries are products of entries of two matrices.

    The entry of unknowns t and u of a system is gram[i, k] right_gram[j, l] for their
    places (i, j) and (k, l).

    Parameters
    ----------
    gram, right_gram : ndarray, shapes (p, p) and (q, q), C-contiguous
        Hermitian and positive semi-definite, with ones on their diagonals where
        unknowns are. An array of shape (0, 0) stands for a matrix of ones: then all
        unknowns of a system are in one row, or column. They have the dtype of values.
    places : ndarray of intp, shape (2, k)
        The row and the column of each unknown, system by system.
    starts : ndarray of int
        Where each system begins among the unknowns, and where the last one ends.
    ridge : float
        What is added to the diagonal of a system; 100 and 10000 times as much where it
        is not positive definite with less.
    values : ndarray, shape (k,)
        The right-hand sides, overwritten with the solutions. Those of a system which is
        not positive definite with any ridge are left as they are.

    See Also
    --------
    exchange_atoms : Codes whose supports are looked for too.

    Notes
    -----
    Each system is solved by Cholesky factorization, with one step of iterative
    refinement for what the ridge leaves out. That costs t³ / 6 multiplications for t
    unknowns.

    Examples
    --------
    One system of two unknowns in a column, and one of a single unknown:

    >>> import numpy as np, nbfact as nf
    >>> gram, ones = np.array([[1, 0.5], [0.5, 1]]), np.empty((0, 0))
    >>> places, starts = np.array([[0, 1, 0], [0, 0, 1]]), np.array([0, 2, 3])
    >>> values = np.array([2.0, 1.0, 5.0])
    >>> nf.kernels.solve_coupled(gram, ones, places, starts, 1e-10, values)
    >>> values.round(6)
    array([2., 0., 5.])
    """
    most = 1
    for b in range(starts.shape[0] - 1):
        most = max(most, starts[b + 1] - starts[b])
    scratch = np.empty((2 * most + 1, most), values.dtype)
    system, triangle, solution = scratch[:most], scratch[most:-1], scratch[-1]
    for b in range(starts.shape[0] - 1):
        first, order = starts[b], starts[b + 1] - starts[b]
        wanted = values[first : first + order]
        for i in range(order):
            for j in range(i + 1):
                system[i, j] = 1
        if gram.shape[0] > 0:
            _read(gram, places[0, first : first + order], system)
        if right_gram.shape[0] > 0:
            _read(right_gram, places[1, first : first + order], system)
        added, solved = ridge, False
        for _ in range(3):
            solved = _factor(system, order, added, triangle)
            if solved:
                break
            added *= MORE
        if solved:
            for i in range(order):
                solution[i] = wanted[i]
            _substitute(triangle, order, solution)
            _subtract_image(system, order, solution, wanted)
            _substitute(triangle, order, wanted)
            for i in range(order):
                wanted[i] += solution[i]
