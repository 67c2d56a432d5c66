"""The family "low rank": products U V of two dense factors."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.linalg

from ....operators import FactorProduct
from ...common.problem import Problem, shift
from ..starts import Start, measured
from .family import Family, FamilyTask


def low_rank(task: FamilyTask) -> Iterator[Start]:
    """Yield the best matrix of low rank within the budget, of the least exact rank.

    An exact one may fit a budget that one without zeros does not, as where rows of the
    matrix are the same, or zero.
    """
    (m, n), matrix = task.problem.shape, task.problem.wide.array
    u, sigma, v = np.linalg.svd(matrix, full_matrices=False)
    sizes = np.sqrt(np.cumsum(sigma[::-1] ** 2)[::-1])
    enough = int(np.count_nonzero(sizes > task.exact * sizes[0]))
    if enough < min(m, n):
        factors = _own_lines(matrix, u[:, :enough], v[:enough], task.exact)
        found = measured(task.problem, product_of(task.problem, factors))
        if found.relative_error <= task.exact and found.operator.nnz <= task.budget:
            yield Start.of("low rank", found, f"rank {enough}")
            return
    rank = min(largest_rank((m, n), task.budget), enough)
    if rank < 1:
        return
    left, right = thin_factors(u[:, :rank], sigma[:rank, None] * v[:rank])
    product = product_of(task.problem, [left, right])
    found = measured(task.problem, product)
    yield Start.of("low rank", found, f"rank {rank}")


def largest_rank(shape: tuple[int, int], budget: int) -> int:
    """Return the largest rank whose factors fit a budget of non-zeros.

    Those of rank r have r (m + n) - r² + r, because r rows of U are those of the
    identity.
    """
    m, n = shape
    ranks = np.arange(min(m, n) + 1)
    return int(np.count_nonzero(ranks * (m + n - ranks + 1) <= budget)) - 1


def thin_factors(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two factors of the same product, r rows of the left one of the identity.

    These are rows that are far from dependent, so that no entry becomes large.
    """
    thin, rows = _of_own_rows(left)
    return thin, left[rows] @ right


def _of_own_rows(left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return T and r rows of a matrix X (m, r), far from dependent: X = T X[rows]."""
    rank = left.shape[1]
    _, _, order = scipy.linalg.qr(left.conj().T, mode="economic", pivoting=True)
    rows = order[:rank]
    thin = np.linalg.solve(left[rows].T, left.T).T
    thin[rows] = np.eye(rank)
    return thin, rows


def _own_lines(
    matrix: np.ndarray, left: np.ndarray, right: np.ndarray, exact: float
) -> list[np.ndarray]:
    """Return two factors of which one holds rows of a matrix, or columns, as they are.

    They are those with fewer non-zeros. left, right: bases of columns and of rows.
    """
    thin, rows = _of_own_rows(left)
    wide, columns = _of_own_rows(right.T)
    for one in (thin, wide):
        one[np.abs(one) <= exact * np.abs(one).max(initial=0)] = 0
    pairs = [thin, matrix[rows]], [matrix[:, columns], wide.T]
    return min(pairs, key=lambda pair: sum(np.count_nonzero(one) for one in pair))


def product_of(problem: Problem, factors: Sequence[np.ndarray]) -> FactorProduct:
    """Return the product of factors of `problem.wide`, in the units of the target."""
    *others, last = factors
    factors = [*others, shift(last, problem.wide.exponent)]
    return FactorProduct([one.astype(problem.dtype) for one in factors])


LOW_RANK = Family("low rank", within=low_rank, dense_parts=True)
"""Matrices of low rank."""
