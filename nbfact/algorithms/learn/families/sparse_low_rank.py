"""The family "sparse + low rank": S + U V, as the product [I U] [S; V]."""

from collections.abc import Callable, Iterator

import numpy as np

from ...coding.sparse_dictionary import largest_places
from ...common.result import never
from ...palm.iterations import SweepRecord
from ...palm.refinement import RefineOptions, refine_problem
from ..starts import Start, measured
from .family import Family, FamilyTask
from .low_rank import product_of, thin_factors

_RANKS, _LOOK, _LONG, _REFINED = 6, 15, 150, 40
"""Number of ranks that are tried, of alternations for each and for the best one, and of
sweeps of least squares after them."""

_FIRST, _GROWING = 0.2, 0.5
"""Share of its non-zeros that the sparse matrix begins with, and of the alternations in
which it grows. With all of them from the start, 18 of 20 matrices of order 32 with 102
Gaussian entries and rank two are found, with a fifth 20 of 20."""

_NEARLY, _MORE = 1e-4, 3000
"""Relative error from which the best one goes on, until it is exact, and the largest
number of alternations for that: the supports are found then."""

_LARGEST = 1 << 20
"""Largest number of entries of a target for which this family is tried."""


def sparse_and_low_rank(task: FamilyTask) -> Iterator[Start]:
    """Yield the best sum of a sparse matrix and one of low rank within the budget."""
    problem = task.problem
    (m, n), matrix = problem.shape, problem.wide.array
    ranks = {
        rank: kept
        for rank in range(1, min(m, n))
        if (kept := task.budget - min(m, n) - rank * (m + n - rank + 1)) > 0
    }
    if not ranks or m * n > _LARGEST or task.limit <= task.exact:
        return
    steps = np.linspace(0, len(ranks) - 1, min(_RANKS, len(ranks))).round().astype(int)
    tried = [list(ranks)[step] for step in np.unique(steps)]
    vectors = np.linalg.svd(matrix, full_matrices=False)[0]
    looked: dict[int, tuple[float, np.ndarray, np.ndarray]] = {}
    for rank in tried:
        if looked and task.over():
            break
        first = vectors[:, :rank]
        looked[rank] = alternate(matrix, first, ranks[rank], _LOOK, task.over)
    rank = min(looked, key=lambda one: looked[one][0])
    (_, first, _), kept = looked[rank], ranks[rank]
    error, left, sparse = alternate(matrix, first, kept, _LONG, task.over)
    if error <= _NEARLY * task.problem.wide.norm:
        error, left, sparse = alternate(matrix, left, kept, _MORE, task.over, sparse)
    product = _assembled(problem, left, sparse)
    found = measured(problem, product)
    enough = 2 * max(task.limit, task.exact) * problem.wide.norm
    if error <= enough and not task.over():
        options = RefineOptions(n_iter=_REFINED, callback=task.deadline.callback)
        found = refine_problem(problem, product, options, SweepRecord())
    words = f"sparse + rank {rank}"
    yield Start.of("sparse + low rank", found, words, keeps_shares=True)


def alternate(
    matrix: np.ndarray,
    left: np.ndarray,
    kept: int,
    n_iter: int,
    over: Callable[[], bool] = never,
    sparse: np.ndarray | None = None,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Fit a sparse matrix and one of low rank in turns (GoDec).

    The sparse matrix grows over the first part of the alternations, so that what is of
    low rank does not settle in it.

    Parameters
    ----------
    matrix : ndarray, (m, n)
    left : ndarray, (m, r)
        Columns to begin with, orthonormal.
    kept : int
        Number of non-zeros of the sparse matrix.
    n_iter : int
        Maximum number of alternations.
    over : callable
        Returns whether the time is over, which ends the alternations after the first.
    sparse : ndarray, (m, n), optional
        The sparse matrix to go on from, which does not grow; none by default.

    Returns
    -------
    error : float
        The norm of what is left over.
    left : ndarray, (m, r)
        The columns of the low-rank matrix, orthonormal.
    sparse : ndarray, (m, n)

    References
    ----------
    T. Zhou and D. Tao, GoDec: randomized low-rank & sparse matrix decomposition in
    noisy case, ICML 2011 [zhou2011].
    """
    early = max(1, round(_GROWING * n_iter)) if sparse is None else 0
    sparse = np.zeros_like(matrix) if sparse is None else sparse
    previous = np.inf
    for step in range(n_iter):
        rest = matrix - sparse
        left = np.linalg.qr(rest @ (rest.conj().T @ left))[0]
        outside = matrix - left @ (left.conj().T @ rest)
        share = _FIRST ** (1 - step / early) if step < early else 1.0
        sparse = largest(outside, max(1, round(kept * share)))
        error = float(np.linalg.norm(outside - sparse))
        if over() or (step > early and error >= previous * (1 - 1e-6)):
            break
        previous = error
    return error, left, sparse


def largest(matrix: np.ndarray, kept: int) -> np.ndarray:
    """Return a matrix with its largest entries alone."""
    chosen = largest_places(matrix, kept)
    found = np.zeros_like(matrix)
    found[chosen] = matrix[chosen]
    return found


def _assembled(problem, left, sparse):
    """Return [I U] [S; V], or [S U] [I; V] for more rows than columns."""
    m, n = problem.shape
    matrix = problem.wide.array
    thin, right = thin_factors(left, left.conj().T @ (matrix - sparse))
    if m <= n:
        factors = [np.hstack([np.eye(m), thin]), np.vstack([sparse, right])]
    else:
        factors = [np.hstack([sparse, thin]), np.vstack([np.eye(n), right])]
    return product_of(problem, factors)


SPARSE_LOW_RANK = Family("sparse + low rank", within=sparse_and_low_rank)
"""Sums of a sparse matrix and one of low rank."""
