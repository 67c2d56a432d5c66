"""K-SVD: dense dictionaries, whose atoms are improved one by one."""

import numpy as np
import scipy.sparse as sp

from ...kernels import update_atoms
from .code_rule import CodeRule, residuals

FEWEST = 3
"""Fewest signals that an atom must serve in an iteration: another one is replaced by
the signal that is represented worst, because an atom of one or two signals copies
them, with their noise."""


def k_svd(
    signals: np.ndarray, start: np.ndarray, rule: CodeRule, n_iter: int
) -> np.ndarray:
    """Learn a dense dictionary of signals.

    Parameters
    ----------
    signals : ndarray, (m, p)
        Real and finite, one signal in each column.
    start : ndarray, (m, n)
        The first dictionary.
    rule : CodeRule
        When the code of a signal ends.
    n_iter : int
        Number of iterations.

    Returns
    -------
    ndarray, (m, n)
        The dictionary; its columns, the atoms, have norm 1, but for those of zeros.

    Notes
    -----
    Each iteration codes all signals by `omp` and then improves each atom with its
    coefficients, by one step of a power iteration instead of a singular value
    decomposition (approximate K-SVD). Atoms that hardly any signal uses are replaced
    by the signals that are represented worst.

    Cost of an iteration: that of the codes, and 4 m multiplications for each of their
    non-zeros.

    References
    ----------
    M. Aharon, M. Elad and A. Bruckstein, K-SVD: an algorithm for designing overcomplete
    dictionaries for sparse representation, IEEE Trans. Signal Process. 54(11), 2006.
    R. Rubinstein, M. Zibulevsky and M. Elad, Efficient implementation of the K-SVD
    algorithm using batch orthogonal matching pursuit, Technion, CS-2008-08, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> Y = rng.standard_normal((4, 2)) @ rng.standard_normal((2, 50))
    >>> D = k_svd(Y, rng.standard_normal((4, 6)), CodeRule(2), 5)
    >>> D.shape, np.allclose(np.linalg.norm(D, axis=0), 1)
    ((4, 6), True)
    """
    atoms = np.ascontiguousarray(unit_columns(start).T)
    for _ in range(n_iter):
        codes = rule.codes(atoms.T, signals)
        rest = residuals(atoms, codes, signals)
        update_atoms(atoms, codes.indptr, codes.indices, codes.data, rest)
        _replace(atoms, codes, rest, signals)
    return atoms.T


def _replace(
    atoms: np.ndarray, codes: sp.csr_array, rest: np.ndarray, signals: np.ndarray
) -> None:
    """Replace atoms that serve hardly any signal by those that are coded worst."""
    idle = np.flatnonzero(np.diff(codes.indptr) < FEWEST)
    errors = np.einsum("pm,pm->p", rest, rest)
    worst = np.argsort(-errors, kind="stable")[: idle.size]
    for atom, signal in zip(idle, worst, strict=False):
        norm = np.linalg.norm(signals[:, signal])
        if errors[signal] > 0 and norm > 0:
            atoms[atom] = signals[:, signal] / norm


def unit_columns(x: np.ndarray) -> np.ndarray:
    """Return a matrix whose columns are divided by their norms, if these are not 0.

    Columns are first multiplied by powers of two, because the squares of large entries
    overflow and those of small ones vanish.
    """
    x = np.ldexp(x, -np.frexp(np.abs(x).max(axis=0, initial=0))[1])
    return x / column_norms(x)


def column_norms(x: np.ndarray) -> np.ndarray:
    """Return the norms of columns, and 1 for those of zeros."""
    norms = np.linalg.norm(x, axis=0)
    norms[norms == 0] = 1
    return norms
