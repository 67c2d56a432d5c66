"""The step of K-SVD that improves atoms and the coefficients on them, one by one."""

import numpy as np

from ._jit import kernel


@kernel
def update_atoms(
    atoms: np.ndarray,
    starts: np.ndarray,
    signals: np.ndarray,
    values: np.ndarray,
    residuals: np.ndarray,
) -> None:
    """Improve the atoms of a dictionary one after the other, with their coefficients.

    Parameters
    ----------
    atoms : ndarray, shape (n, m), real
        The atoms, one in each row. Those that a signal uses are overwritten with atoms
        of norm 1.
    starts : ndarray of int, shape (n + 1,)
        Where the coefficients of each atom begin, and where those of the last one end:
        the index pointers of a CSR matrix (n, p) of codes.
    signals : ndarray of int, shape (starts[n],)
        The signal, from 0 to p - 1, that each coefficient belongs to; the signals of an
        atom differ from one another.
    values : ndarray, shape (starts[n],)
        The coefficients; overwritten.
    residuals : ndarray, shape (p, m)
        What the codes leave of each signal; overwritten.

    See Also
    --------
    gram_pursuit : The codes that the atoms are improved for.
    nbfact.FastDictionary : The estimator that learns dictionaries.

    Notes
    -----
    For the atom d with the coefficients x, and with E the residuals of its signals to
    which their parts along d are added again, d becomes E x / ‖E x‖ and x becomes Eᵀ d:
    a step of the power iteration for the best approximation of E of rank one. No error
    increases. An atom stays as it is, with its coefficients, where E x is zero. The
    cost is 4 m multiplications for each coefficient.

    References
    ----------
    R. Rubinstein, M. Zibulevsky and M. Elad, Efficient implementation of the K-SVD
    algorithm using batch orthogonal matching pursuit, Technion, CS-2008-08, 2008.

    Examples
    --------
    Two signals (1, 1) are coded by the atom (1, 0), which turns to them:

    >>> import numpy as np, nbfact as nf
    >>> atoms, rest = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    >>> starts, signals, values = np.array([0, 2]), np.array([0, 1]), np.ones(2)
    >>> nf.kernels.update_atoms(atoms, starts, signals, values, rest)
    >>> atoms.round(3), values.round(3), bool(np.abs(rest).max() < 1e-12)
    (array([[0.707, 0.707]]), array([1.414, 1.414]), True)
    """
    n, m = atoms.shape
    new = np.empty(m, atoms.dtype)
    for j in range(n):
        total = values.dtype.type(0)
        for i in range(m):
            new[i] = 0
        for t in range(starts[j], starts[j + 1]):
            total += values[t] * values[t]
            for i in range(m):
                new[i] += values[t] * residuals[signals[t], i]
        square = values.dtype.type(0)
        for i in range(m):
            new[i] += total * atoms[j, i]
            square += new[i] * new[i]
        if square == 0:
            continue
        length = np.sqrt(square)
        for i in range(m):
            new[i] /= length
        for t in range(starts[j], starts[j + 1]):
            s = signals[t]
            along = values.dtype.type(0)
            for i in range(m):
                residuals[s, i] += values[t] * atoms[j, i]
                along += residuals[s, i] * new[i]
            for i in range(m):
                residuals[s, i] -= along * new[i]
            values[t] = along
        for i in range(m):
            atoms[j, i] = new[i]
