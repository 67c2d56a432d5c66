"""The rule of the support exploration algorithm (SEA), for a product of sparse factors.

SEA recovers one sparse vector (M. Mohamed, F. Malgouyres, V. Emiya and C. Chaux,
Straight-through meets sparse recovery: the support exploration algorithm, ICML 2024).
A dense vector X adds up gradients, its k largest entries are the support, and the
gradient is taken at the least-squares values on this support. Here every factor of a
product has such a matrix X, and the factors take turns. The study compares `explore`
with it, whose values are those of X; to factor a matrix, use ``nbfact.explore``.
"""

from collections.abc import Sequence
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
            left, right = _product(factors[:j]), _product(factors[j + 1 :])
            left = np.eye(len(target)) if left is None else left
            right = np.eye(target.shape[1]) if right is None else right
            residual = left @ factors[j] @ right - target
            modulus = (np.linalg.norm(left, 2) * np.linalg.norm(right, 2)) ** 2
            if modulus > 0:
                explored[j] = explored[j] - left.T @ residual @ right.T / modulus
            support = sets[j].project(explored[j].copy()) != 0
            factors[j] = _fitted(target, left, right, factors[j] * support, support)
        error = float(np.linalg.norm(_product(factors) - target))
        if error < least:
            best, least = list(factors), error
        _balance(factors, explored)
    settled = palm4msa(
        target,
        sets,
        n_iter=max(1, round(SETTLING * n_iter)),
        init=[scipy.sparse.csr_array(factor) for factor in best],
        keep="best",
    )
    return refine(settled)


def _product(factors):
    """Return the product of dense factors, None where there are none."""
    found = None
    for factor in factors:
        found = factor if found is None else found @ factor
    return found


def _fitted(target, left, right, values, support):
    """Return the matrix on a support with the least ‖target - left S right‖."""
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
