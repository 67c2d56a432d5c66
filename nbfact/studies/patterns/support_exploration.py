"""The rule of the support exploration algorithm (SEA), for a product of sparse factors.

SEA recovers one sparse vector (M. Mohamed, F. Malgouyres, V. Emiya and C. Chaux,
Straight-through meets sparse recovery: the support exploration algorithm, ICML 2024).
A dense vector X adds up gradients, its k largest entries are the support, and the
gradient is taken at the least-squares values on this support. Here every factor of a
product has such a matrix X, and the factors take turns. The study compares `explore`
with it, whose values are those of X; to factor a matrix, use ``nbfact.explore``.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from ...algorithms import palm4msa, refine
from ...algorithms.common.problem import problem_of
from ...algorithms.palm.initial_factors import checked_start
from ...algorithms.palm.sweep_options import SweepOptions
from ...constraints import Constraint

RIDGE = 1e-10
"""Number added to the normal equations, relative to their mean diagonal entry. It acts
on the change of the values, so that it moves no solution."""

SETTLING = 0.1
"""Number of sweeps of palm4MSA that follow, as a share of the exploration's: as many as
`explore` makes after it has explored."""


def support_exploration(
    target: np.ndarray,
    sets: Sequence[Constraint],
    n_iter: int,
    random_state: int | np.random.Generator | None = None,
    callback: Callable[[Any], bool] | None = None,
) -> Any:
    """Factor a matrix with supports that are explored, and least-squares values.

    Parameters
    ----------
    target : ndarray of float64, (m, n)
        The matrix to factor.
    sets : sequence of constraints
        The set of each factor, left to right: sets of sparse matrices.
    n_iter : int
        Number of sweeps over all factors.
    random_state : None, int or numpy.random.Generator
        Seed of the start, which is that of ``explore(..., init="random")``.
    callback : callable, optional
        Called with None after each sweep; returning True ends the exploration.

    Returns
    -------
    Factorization
        The best iterate, after sweeps of `palm4msa` and `refine`, as `explore` has.

    Notes
    -----
    For the factor S between the products L and R, with c = ‖L‖² ‖R‖² and X that of
    this factor,

        X ← X - Lᴴ(L S R - A)Rᴴ / c,    S ← argmin ‖A - L S R‖ on the support of P(X),

    where P is the projection onto the set of the factor. The norms of the factors are
    made equal after each sweep, and each X is scaled with its factor.

    Examples
    --------
    >>> from nbfact import constraints, targets
    >>> sets = [constraints.SkPerm((4, 4), 2)] * 2
    >>> found = support_exploration(targets.hadamard(4), sets, 20, random_state=0)
    >>> found.operator.nnz
    16
    """
    start = checked_start(
        problem_of(target, len(sets)), sets, "random", SweepOptions(), random_state
    )
    factors = [factor.toarray() for factor in start.factors]
    explored = [np.zeros_like(factor) for factor in factors]  # as in SEA
    best, least = list(factors), np.inf
    for _ in range(n_iter):
        for j in reversed(range(len(factors))):
            left = product_of(factors[:j], len(target))
            right = product_of(factors[j + 1 :], target.shape[1])
            residual = left @ factors[j] @ right - target
            modulus = (np.linalg.norm(left, 2) * np.linalg.norm(right, 2)) ** 2
            if modulus > 0:
                explored[j] = explored[j] - left.T @ residual @ right.T / modulus
            support = sets[j].project(explored[j].copy()) != 0
            factors[j] = fitted(target, left, right, factors[j] * support, support)
        error = float(np.linalg.norm(product_of(factors, 0) - target))
        if error < least:
            best, least = list(factors), error
        _balance(factors, explored)
        if callback is not None and callback(None):
            break
    settled = palm4msa(
        target,
        sets,
        n_iter=max(1, round(SETTLING * n_iter)),
        init=[scipy.sparse.csr_array(factor) for factor in best],
        keep="best",
    )
    return refine(settled)


def product_of(factors: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Return the product of dense factors: the identity of order n for none."""
    return functools.reduce(np.matmul, factors) if factors else np.eye(n)


def fitted(
    target: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    values: np.ndarray,
    support: np.ndarray,
) -> np.ndarray:
    """Return the matrix S on a support with the least ‖target - left S right‖.

    Parameters
    ----------
    target : ndarray, (m, n)
    left, right : ndarray, (m, p), (q, n)
        The products of the factors beside S.
    values : ndarray, (p, q)
        What S is near to, zero outside the support; it is kept where nothing is gained.
    support : ndarray of bool, (p, q)

    Returns
    -------
    ndarray, (p, q)
    """
    rows, columns = np.nonzero(support)
    gradient = (left.T @ (target - left @ values @ right) @ right.T)[rows, columns]
    gram = (left.T @ left)[np.ix_(rows, rows)]
    gram *= (right @ right.T)[np.ix_(columns, columns)]
    gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / len(gram) + 1e-300
    found = values.copy()
    found[rows, columns] += np.linalg.solve(gram, gradient)
    return found


def _balance(factors, explored):
    """Make the norms of the factors equal, and scale what they explore alike."""
    norms = [np.linalg.norm(factor) for factor in factors]
    if min(norms) > 0:
        middle = np.exp(np.mean(np.log(norms)))
        for j, norm in enumerate(norms):
            factors[j] = factors[j] * (middle / norm)
            explored[j] = explored[j] * (middle / norm)
