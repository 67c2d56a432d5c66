"""Steps of orthogonal matching pursuit, each for many signals at once."""

import numpy as np

from ._jit import REASSOC, kernel
from .select import modulus


@kernel
def largest_of_columns(x: np.ndarray, index: np.ndarray, largest: np.ndarray) -> None:
    """Find the entry of the largest modulus in each column of a matrix.

    Parameters
    ----------
    x : ndarray, shape (n, p), real or complex, C-contiguous
        Only read.
    index : ndarray of int, shape (p,)
        Overwritten with the row of that entry in each column: the first one among
        equals, and 0 in a column of zeros.
    largest : ndarray, shape (p,), real, of the precision of x
        Overwritten with the moduli of those entries. It is NaN where the column holds
        NaN.

    See Also
    --------
    add_atoms : Adds the atoms that are found.
    nbfact.omp : The function, which checks its arguments.

    Notes
    -----
    The cost is one pass over x, in the order of its memory.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x = np.array([[1.0, 2.0], [-3.0, 0.0]])
    >>> index, largest = np.empty(2, int), np.empty(2)
    >>> nf.kernels.largest_of_columns(x, index, largest)
    >>> index, largest
    (array([1, 0]), array([3., 2.]))
    """
    for j in range(x.shape[1]):
        largest[j] = modulus(x[0, j])
        index[j] = 0
    for i in range(1, x.shape[0]):
        for j in range(x.shape[1]):
            size = modulus(x[i, j])
            # What is NaN stays, and a later NaN is not below or equal to anything.
            if not size <= largest[j] and largest[j] == largest[j]:
                largest[j] = size
                index[j] = i


@kernel(fastmath=REASSOC)
def inner(x, y):
    """Return the inner product xᴴ y."""
    total = np.conj(x[0]) * y[0]
    for i in range(1, x.shape[0]):
        total += np.conj(x[i]) * y[i]
    return total


@kernel
def subtract(x, factor, y):
    """Subtract factor x from y, in place."""
    for i in range(x.shape[0]):
        y[i] -= factor * x[i]


@kernel(fastmath=REASSOC)
def length_of(x):
    """Return the norm of a vector whose squares neither overflow nor vanish."""
    total = np.float64(0)
    for i in range(x.shape[0]):
        total += np.float64(x[i].real) * x[i].real + np.float64(x[i].imag) * x[i].imag
    return np.sqrt(total)


@kernel
def add_atom(atom, step, tiny, basis, triangle, residual):
    """Add one atom to the span of one signal, as `add_atoms` does; return whether."""
    vector = basis[step]
    for i in range(vector.shape[0]):
        vector[i] = atom[i]
    before = length_of(vector)
    for _ in range(2):
        for i in range(step):
            along = inner(basis[i], vector)
            subtract(basis[i], along, vector)
            triangle[i, step + 1] += along
    length = length_of(vector)
    if length <= tiny * before:
        return False
    for i in range(vector.shape[0]):
        vector[i] /= length
    triangle[step, step + 1] = length
    along = inner(vector, residual)
    subtract(vector, along, residual)
    triangle[step, 0] = along
    return True


@kernel
def solve_triangle(triangle, count, values):
    """Solve one system of `solve_triangles`; values: right-hand side, overwritten."""
    for i in range(count - 1, -1, -1):
        rest = values[i]
        for l in range(i + 1, count):  # noqa: E741
            rest -= triangle[i, l + 1] * values[l]
        values[i] = rest / triangle[i, i + 1]


@kernel
def add_atoms(
    atoms: np.ndarray,
    active: np.ndarray,
    step: int,
    tiny: float,
    basis: np.ndarray,
    triangle: np.ndarray,
    residuals: np.ndarray,
) -> None:
    """Add one atom to the span of each active signal, and project the signal onto it.

    Parameters
    ----------
    atoms : ndarray, shape (a, m)
        The new atom of each active signal, of numbers whose squares neither overflow
        nor vanish; only read.
    active : ndarray of int, shape (a,)
        Which signals, of w, are active: an atom is added to no others.
    step : int
        Number t of atoms that each active signal has, less than k.
    tiny : float
        An atom whose part outside the span has at most this share of its norm counts as
        dependent.
    basis : ndarray, shape (w, k, m)
        Orthonormal bases Q of the spans, a vector in each row. Row t of the active ones
        is overwritten.
    triangle : ndarray, shape (w, k, k + 1)
        Columns 1 to k are the factors R of atoms = Q R, and column 0 is Qᴴ y of the
        signals y. Zero from row t and from column t + 1 on; column t + 1 and entry
        (t, 0) of the active ones are overwritten. The diagonal entry (t, t + 1) stays 0
        where the atom is dependent.
    residuals : ndarray, shape (w, m)
        What is left of the signals, of such numbers too. That of an active one loses
        its part along the new vector of the basis, unless the atom is dependent.

    See Also
    --------
    largest_of_columns : Finds the next atoms.
    solve_triangles : The coefficients, from the triangle.

    Notes
    -----
    Gram and Schmidt's process, in which each atom is made orthogonal twice, so that the
    basis is orthonormal to rounding. R is the Cholesky factor of the Gram matrix of the
    atoms, but for phases. The cost for each signal is 8 t m multiplications.

    Examples
    --------
    The signal (3, 4) loses its part along the atom (2, 0):

    >>> import numpy as np, nbfact as nf
    >>> atoms, rest = np.array([[2.0, 0.0]]), np.array([[3.0, 4.0]])
    >>> basis, triangle = np.zeros((1, 1, 2)), np.zeros((1, 1, 2))
    >>> nf.kernels.add_atoms(atoms, np.array([0]), 0, 1e-9, basis, triangle, rest)
    >>> rest, triangle.ravel()
    (array([[0., 4.]]), array([3., 2.]))
    """
    for s in range(active.shape[0]):
        j = active[s]
        add_atom(atoms[s], step, tiny, basis[j], triangle[j], residuals[j])


@kernel
def solve_triangles(triangle: np.ndarray, counts: np.ndarray) -> None:
    """Solve many upper triangular systems by back substitution, in place.

    Parameters
    ----------
    triangle : ndarray, shape (w, k, k + 1)
        Of each system, column 0 is the right-hand side and columns 1 to k are the
        matrix, without a zero on its diagonal. Column 0 is overwritten with the
        solution.
    counts : ndarray of int, shape (w,)
        Orders of the systems, at most k: the first rows and columns count.

    See Also
    --------
    add_atoms : Writes the triangles.

    Notes
    -----
    The cost of a system of order t is t² / 2 multiplications.

    Examples
    --------
    The system 2 x + y = 4, 4 y = 8:

    >>> import numpy as np, nbfact as nf
    >>> triangle = np.array([[[4.0, 2.0, 1.0], [8.0, 0.0, 4.0]]])
    >>> nf.kernels.solve_triangles(triangle, np.array([2]))
    >>> triangle[0, :, 0]
    array([1., 2.])
    """
    for j in range(triangle.shape[0]):
        solve_triangle(triangle[j], counts[j], triangle[j, :, 0])
