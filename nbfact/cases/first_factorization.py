"""A first factorization of a user's matrix, for ``nbfact bench --matrix`` to time."""

import numpy as np

from ..algorithms import hierarchical, palm4msa
from ..constraints import Sp
from ..operators import FactorProduct

HIERARCHICAL_MAX = 64
"""Largest order that the hierarchical preset is used for, to end within seconds."""

FACTORS, SWEEPS, GAIN = 3, 30, 4
"""Number of factors and of sweeps of `palm4msa`, and the relative complexity gain: how
many times fewer entries the factors have than the matrix."""


def learn(target: np.ndarray) -> FactorProduct:
    """Return an approximation of a matrix that multiplies fast and is found in seconds.

    Parameters
    ----------
    target : ndarray, shape (m, n)
        The matrix, in float32, float64, complex64 or complex128.

    Returns
    -------
    FactorProduct
        The factors that `hierarchical` finds with the preset ``"hadamard"`` when the
        matrix is square and its order is a power of two of at most 64. Otherwise those
        of 30 sweeps of `palm4msa` with three factors. Together they have a quarter of
        the entries of `target`, but each at least two entries for each of its rows or
        columns, whichever are more.

    Notes
    -----
    The result is a starting point: the benchmark shows its error beside its speed. The
    command ``nbfact factorize`` offers all choices.

    Examples
    --------
    >>> from nbfact import targets
    >>> learn(targets.hadamard(4)).nnz
    16
    """
    m, n = target.shape
    if m == n and 2 <= n <= HIERARCHICAL_MAX and n & (n - 1) == 0:
        return hierarchical(target, "hadamard").operator
    inner = min(m, n)
    shapes = [(m, inner), *[(inner, inner)] * (FACTORS - 2), (inner, n)]
    budget = target.size // (GAIN * FACTORS)
    sets = [Sp(shape, max(budget, 2 * max(shape))) for shape in shapes]
    return palm4msa(target, sets, n_iter=SWEEPS).operator
