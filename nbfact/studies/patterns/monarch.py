"""Monarch matrices: their exact projection, and permutations learned straight through.

A Monarch matrix of order n = p r is a product of two factors with the supports of
`nbfact.Chain.monarch`. It has p × p blocks of rank one, each of size r × r up to fixed
permutations, or with other sizes (Dao et al., Monarch: expressive structured matrices
for efficient and accurate training, ICML 2022), so that the best one is known.
"""

import numpy as np
import scipy.optimize

from ...operators import Chain
from .equal_compute import Approximation, Clock, in_turn

STEP = 1.001
"""Lipschitz constants are multiplied by it in STEAM, as its authors do."""

ITERATIONS = 100
"""Largest number of iterations of STEAM from one start."""


def monarch_projection(matrix: np.ndarray, p: int) -> np.ndarray:
    """Return the Monarch matrix that is nearest in Frobenius norm.

    Parameters
    ----------
    matrix : ndarray, (n, n)
    p : int
        Radix of the left factor, a divisor of n.

    Returns
    -------
    ndarray, (n, n)
        The product of two factors on ``Chain.monarch(n, p, p)``, with
        n p + n (n / p) entries.

    Examples
    --------
    >>> monarch_projection(np.ones((4, 4)), 2).round(12).tolist()[0]
    [1.0, 1.0, 1.0, 1.0]
    """
    n = len(matrix)
    blocks = matrix.reshape(p, n // p, p, n // p).transpose(1, 2, 0, 3)
    left, singular, right = np.linalg.svd(blocks, full_matrices=False)
    best = left[..., :1] * singular[..., :1, None] @ right[..., :1, :]
    return best.transpose(2, 0, 1, 3).reshape(n, n)


def radices(n: int, nnz: int) -> list[int]:
    """Return the radices of Monarch matrices of order n with at most `nnz` entries.

    Examples
    --------
    >>> radices(32, 384), radices(32, 383)
    ([4, 8], [])
    """
    divisors = [p for p in range(2, n) if n % p == 0]
    return [p for p in divisors if sum(map(np.prod, _sizes(n, p))) <= nnz]


def _sizes(n, p):
    """Return the patterns of the two factors."""
    return Chain.monarch(n, p, p).patterns


def random_monarch(
    target: np.ndarray, nnz: int, number: int, rng: np.random.Generator, clock: Clock
) -> Approximation | None:
    """Return the exact projection; after the first runs, with random permutations.

    Arguments and result are those of `nbfact.studies.patterns.equal_compute.Restart`;
    None where no Monarch matrix is within the budget.
    """
    n = len(target)
    allowed = radices(n, nnz)
    if not allowed:
        return None
    p = in_turn(allowed, number)
    if number < len(allowed):
        rows = columns = np.arange(n)
    else:
        rows, columns = rng.permutation(n), rng.permutation(n)
    found = np.empty_like(target)
    found[np.ix_(rows, columns)] = monarch_projection(target[np.ix_(rows, columns)], p)
    return Approximation(found, n * p + n * (n // p), 2, f"Monarch {p}")


def steam(
    target: np.ndarray, nnz: int, number: int, rng: np.random.Generator, clock: Clock
) -> Approximation | None:
    """Learn the permutations of a Monarch matrix by a straight-through estimator.

    Arguments and result are those of `nbfact.studies.patterns.equal_compute.Restart`.

    Notes
    -----
    The problem is min ‖P₂ M P₀ - A‖ over Monarch matrices M and permutations. Each
    permutation P has a dense matrix X, to which gradient steps are added, and P is the
    permutation nearest to X: a linear assignment. After each step M is the exact
    projection of P₂ᵀ A P₀ᵀ, and the best iterate is returned. The first runs start at
    identities, later ones at random permutations.

    References
    ----------
    M. Mohamed, V. Emiya and C. Chaux, Learning permutations in Monarch factorization,
    ICASSP 2025 (hal-04887483). Written anew from descriptions of its algorithm, not
    from the authors' code; they solve assignments by auction.
    """
    n = len(target)
    allowed = radices(n, nnz)
    if not allowed:
        return None
    p = in_turn(allowed, number)
    first = np.arange(n)
    left, right = first, first  # P₂ M P₀ = M[left][:, right]
    if number >= len(allowed):
        left, right = rng.permutation(n), rng.permutation(n)
    learned = [np.eye(n)[left], np.eye(n)[:, right]]
    best, least = target, np.inf
    for _ in range(ITERATIONS):
        for side in range(2):
            monarch = _nearest(target, left, right, p)
            residual = monarch[np.ix_(left, right)] - target
            error = float(np.linalg.norm(residual))
            if error < least:
                best, least = residual + target, error
            step = 1 / max(STEP * float(np.linalg.norm(monarch, 2)) ** 2, 1e-300)
            if side:
                learned[1] = learned[1] - step * monarch[left].T @ residual
                right = scipy.optimize.linear_sum_assignment(learned[1].T, True)[1]
            else:
                learned[0] = learned[0] - step * residual @ monarch[:, right].T
                left = scipy.optimize.linear_sum_assignment(learned[0], True)[1]
        if clock():
            break
    return Approximation(best, n * p + n * (n // p), 2, f"Monarch {p}, permuted")


def _nearest(target, left, right, p):
    """Return the projection of the target once its rows and columns are in order."""
    return monarch_projection(target[np.ix_(np.argsort(left), np.argsort(right))], p)
