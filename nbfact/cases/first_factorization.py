"""A first factorization of a user's matrix: what to time, in seconds not minutes."""

import numpy as np

from ..algorithms import hierarchical, palm4msa
from ..constraints import Sp
from ..operators import FactorProduct

HIERARCHICAL_MAX = 64
FACTORS, SWEEPS, GAIN = 3, 30, 4


def learn(target: np.ndarray) -> FactorProduct:
    """Return a fast approximation of a matrix, found quickly.

    Parameters
    ----------
    target : ndarray, shape (m, n)
        In one of the four dtypes.

    Returns
    -------
    FactorProduct
        Of `hierarchical` with the preset ``"hadamard"`` where that fits and n is at
        most 64; otherwise of 30 sweeps of `palm4msa` with three factors, which have
        together a quarter of the entries of `target`, or two a row and a column.

    Notes
    -----
    It is a starting point, whose error is shown beside its speed; ``nbfact factorize``
    has the choices.

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
