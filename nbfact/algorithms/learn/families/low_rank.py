"""The family "low rank": products U V of two dense factors."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.linalg

from ....operators import FactorProduct
from ...common.problem import Problem, shift
from ..starts import Start, measured
from .family import Family, FamilyTask


def low_rank(task: FamilyTask) -> Iterator[Start]:
    """Yield the best matrix of low rank within the budget, of the least exact rank."""
    m, n = task.problem.shape
    most = largest_rank((m, n), task.budget)
    if most < 1:
        return
    u, sigma, v = np.linalg.svd(task.problem.wide.array, full_matrices=False)
    sizes = np.sqrt(np.cumsum(sigma[::-1] ** 2)[::-1])
    enough = int(np.count_nonzero(sizes > task.exact * sizes[0]))
    rank = min(most, enough)
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
    rank = left.shape[1]
    _, _, order = scipy.linalg.qr(left.conj().T, mode="economic", pivoting=True)
    rows = order[:rank]
    core = left[rows]
    thin = np.linalg.solve(core.T, left.T).T
    thin[rows] = np.eye(rank)
    return thin, core @ right


def product_of(problem: Problem, factors: Sequence[np.ndarray]) -> FactorProduct:
    """Return the product of factors of `problem.wide`, in the units of the target."""
    *others, last = factors
    factors = [*others, shift(last, problem.wide.exponent)]
    return FactorProduct([one.astype(problem.dtype) for one in factors])


LOW_RANK = Family("low rank", within=low_rank, dense_parts=True)
"""Matrices of low rank."""
