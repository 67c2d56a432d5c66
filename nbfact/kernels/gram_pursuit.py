"""Orthogonal matching pursuit of many signals with the Gram matrix of their atoms."""

import numpy as np

from ._jit import kernel
from .pursuit import add_atom, inner, length_of, solve_triangle, subtract
from .select import modulus

LOST = 16.0
"""How many times as large as after a product with the atoms the bound of the rounding
errors of correlations may be before they are computed anew: four bits."""


@kernel
def _largest(x):
    """Return the index of the largest modulus, the first among equals, and that."""
    index, largest = 0, modulus(x[0])
    for i in range(1, x.shape[0]):
        size = modulus(x[i])
        if size > largest:
            index, largest = i, size
    return index, largest


@kernel
def _choose(atoms, residual, correlations, norm, lost, tiny):
    """Return the atom of the largest correlation, and the bound of their errors.

    lost: the bound, in units of rounding, which is `norm` after a product with the
    atoms. The correlations are computed anew where it is too large.
    """
    index, size = _largest(correlations)
    if lost > LOST * norm or (lost > norm and size <= tiny * lost):
        for i in range(atoms.shape[0]):
            correlations[i] = inner(residual, atoms[i])
        return _largest(correlations)[0], norm
    return index, lost


@kernel
def _update(gram, support, count, change, correlations):
    """Update correlations after a change of a code of `count` atoms.

    Returns what that adds to the bound of their errors.
    """
    lost = 0.0
    for i in range(count):
        row = gram[support[i]]
        lost += modulus(change[i]) * np.sqrt(row[support[i]].real)
        subtract(row, np.conj(change[i]), correlations)
    return lost


@kernel
def gram_pursuit(
    gram: np.ndarray,
    atoms: np.ndarray,
    correlations: np.ndarray,
    residuals: np.ndarray,
    floors: np.ndarray,
    tiny: float,
    support: np.ndarray,
    values: np.ndarray,
) -> None:
    """Find the codes of many signals by orthogonal matching pursuit.

    Parameters
    ----------
    gram : ndarray, shape (n, n), C-contiguous
        The inner products Aᴴ A of the atoms; only read.
    atoms : ndarray, shape (n, m), C-contiguous
        Row j is atom j, of numbers whose squares neither overflow nor vanish; only
        read.
    correlations : ndarray, shape (w, n), C-contiguous
        The inner products of each signal and the atoms, yᴴ A; overwritten.
    residuals : ndarray, shape (w, m), C-contiguous
        The signals y, of such numbers too. Overwritten with what their codes leave.
    floors : ndarray of float64, shape (w,)
        A code ends when the norm of its residual is at most this.
    tiny : float
        A code ends when the part of its next atom outside the span of the others has at
        most this share of the norm of the atom.
    support : ndarray of int, shape (w, k)
        Overwritten with the atoms of each code in the order in which they were chosen,
        and -1 behind the last one; k is at most m and n.
    values : ndarray, shape (w, k)
        Overwritten with the entries of the codes on the support, and 0.

    See Also
    --------
    add_atoms, solve_triangles : The steps without the Gram matrix.
    nbfact.omp : The function, which checks its arguments.

    Notes
    -----
    A step that changes the code by d changes the correlations by -dᴴ times the rows of
    the Gram matrix on the support: t n multiplications instead of m n, for t atoms.
    This adds rounding errors of at most the sum of the moduli of d, each times the norm
    of its atom. Where the sum of all, and of the norm of the signal, exceeds `LOST`
    times the norm of the residual, the correlations are computed from the residual and
    the atoms. That is so when little is left of a signal, and when atoms nearly depend
    on one another. Atoms are made orthonormal, and residuals and values are computed
    from them, as by `add_atoms` and `solve_triangles`.
    The cost of a code of k atoms is that of k steps, and k² m multiplications for the
    basis; the Gram matrix and the correlations are computed before.

    Examples
    --------
    The atoms are unit vectors, so that the code has the largest entry of the signal:

    >>> import numpy as np, nbfact as nf
    >>> gram = atoms = np.eye(3)
    >>> y = np.array([[1.0, -5.0, 2.0]])
    >>> support, values = np.empty((1, 1), int), np.empty((1, 1))
    >>> limits = np.zeros(1), 1e-6
    >>> nf.kernels.gram_pursuit(gram, atoms, y @ atoms.T, y, *limits, support, values)
    >>> support, values, y
    (array([[1]]), array([[-5.]]), array([[1., 0., 2.]]))
    """
    k = support.shape[1]
    basis = np.empty((k, atoms.shape[1]), atoms.dtype)
    triangle = np.empty((k, k + 1), atoms.dtype)
    for j in range(residuals.shape[0]):
        norm = length_of(residuals[j])
        lost = norm
        count = 0
        for step in range(k):
            if norm <= floors[j]:
                break
            index, lost = _choose(
                atoms, residuals[j], correlations[j], norm, lost, tiny
            )
            for i in range(step + 1):
                triangle[i, step + 1] = 0
            if correlations[j, index] == 0 or not add_atom(
                atoms[index], step, tiny, basis, triangle, residuals[j]
            ):
                break
            support[j, step] = index
            for i in range(step):
                values[j, i] = 0
            values[j, step] = triangle[step, 0]
            count = step + 1
            solve_triangle(triangle, count, values[j])
            norm = length_of(residuals[j])
            lost += _update(gram, support[j], count, values[j], correlations[j])
        for i in range(count):
            values[j, i] = triangle[i, 0]
        solve_triangle(triangle, count, values[j])
        for i in range(count, k):
            support[j, i], values[j, i] = -1, 0
