"""palm4MSA with passes of hard thresholding pursuit, which leave its supports.

Prior work that the study compares with: Q.-T. Le and R. Gribonval, Structured support
exploration for multilayer sparse matrix factorization, ICASSP 2021 (hal-03132013),
written anew here; pyfaust has it as ``palm4msa_mhtp``, which ``--peers`` runs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from ...algorithms import palm4msa
from ...algorithms.palm.support_values import fitted, product_of
from ...constraints import Constraint

PERIOD, PURSUIT = 50, 20
"""Number of sweeps of palm4MSA before each pass, and of steps on a factor in a pass."""


def pursued(
    target: np.ndarray,
    sets: Sequence[Constraint],
    n_iter: int,
    *,
    init: str | None = None,
    callback: Callable[[Any], bool] | None = None,
    random_state: int | np.random.Generator | None = None,
) -> Any:
    """Factor a matrix by sweeps of palm4MSA and passes of hard thresholding pursuit.

    Parameters
    ----------
    target : ndarray of float64, (m, n)
        The matrix to factor.
    sets : sequence of constraints
        The set of each factor, left to right: sets of sparse matrices.
    n_iter : int
        Number of sweeps of palm4MSA, of which each 50 are followed by a pass.
    init, callback, random_state
        Those of `nbfact.palm4msa`, for its first sweeps.

    Returns
    -------
    Factorization
        The best of what the sweeps of palm4MSA ended with.

    Notes
    -----
    A pass takes one factor S after the other, between the products L and R, sets it to
    zero, and makes steps of hard thresholding pursuit until the support is that of a
    step before:

        X = S - Lᴴ(L S R - A)Rᴴ / c,    S ← argmin ‖A - L S R‖ on the support of P(X).

    Examples
    --------
    >>> from nbfact import constraints, targets
    >>> sets = [constraints.SkPerm((4, 4), 2)] * 2
    >>> pursued(targets.hadamard(4), sets, 20).operator.nnz
    16
    """
    options: dict[str, Any] = {"keep": "best", "callback": callback}
    start: Any = init
    best: Any = None
    while n_iter > 0 and not (best is not None and callback and callback(None)):
        sweeps = min(PERIOD, n_iter)
        found = palm4msa(
            target,
            sets,
            n_iter=sweeps,
            init=start,
            random_state=random_state if isinstance(start, str) else None,
            **options,
        )
        if best is None or found.relative_error < best.relative_error:
            best = found
        n_iter -= sweeps
        factors = [factor.toarray() for factor in found.factors]
        factors[0] = factors[0] * found.scale
        start = [scipy.sparse.csr_array(one) for one in _passed(target, factors, sets)]
    return best


def _passed(target, factors, sets):
    """Return the factors after a pass of hard thresholding pursuit on each."""
    factors = list(factors)
    for j in reversed(range(len(factors))):
        left = product_of(factors[:j], len(target))
        right = product_of(factors[j + 1 :], target.shape[1])
        modulus = (np.linalg.norm(left, 2) * np.linalg.norm(right, 2)) ** 2
        if not modulus:
            continue
        one, seen = np.zeros_like(factors[j]), set()
        for _ in range(PURSUIT):
            step = one - left.T @ (left @ one @ right - target) @ right.T / modulus
            support = sets[j].project(step) != 0
            if (mark := support.tobytes()) in seen:
                break
            seen.add(mark)
            one = fitted(target, left, right, one * support, support)
        factors[j] = one
    return factors
