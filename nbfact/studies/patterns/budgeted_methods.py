"""The methods that the approximation part of the study of patterns compares.

Each may spend a number of non-zeros on a square matrix, and returns an operator.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse

from ... import algorithms
from ...cases.rivals import faust
from ...constraints import Constraint, Sp, SpLinCol
from ...operators import Butterfly, FactorProduct
from .instances import Instance, Solve


def _learn(target, instance, seed):
    return algorithms.learn_transform(target, nnz=instance.nnz, random_state=seed)


def fixed_butterfly(target: np.ndarray, instance: Instance | None, seed: int) -> Any:
    """Return a butterfly whose permutation is searched for, with refined values.

    Parameters
    ----------
    target : ndarray, (n, n)
        The matrix to factor.
    instance, seed : Instance or None, int
        Unused: they are here because every method is called with them.

    Returns
    -------
    Factorization
    """
    found = algorithms.butterfly_factorize(target, permutation="search").operator
    factors = list(Butterfly(found.chain, found.values).to_factors().factors)
    if found.rows is not None:
        factors[0] = factors[0][np.argsort(found.rows)]
    if found.columns is not None:
        factors[-1] = factors[-1][:, np.argsort(found.columns)]
    return algorithms.refine(factors, target)


def _svd(target, instance, seed):
    """Return the truncated SVD that stores at most the allowed number of values."""
    rank = max(instance.nnz // sum(target.shape), 1)
    left, singular, right = np.linalg.svd(target, full_matrices=False)
    kept = left[:, :rank] * singular[:rank], right[:rank]
    return FactorProduct([scipy.sparse.csr_array(part) for part in kept])


def _largest(target, instance, seed):
    """Return the largest entries of the target as one sparse factor."""
    kept = Sp(target.shape, instance.nnz, normalized=False).project(target.copy())
    return FactorProduct([scipy.sparse.csr_array(kept)])


def sets(kind: str, n: int, nnz: int) -> tuple[list[Constraint], list[Constraint]]:
    """Return sets for `hierarchical` with log2(n) factors.

    Parameters
    ----------
    kind : {"sp", "splincol"}
        With "sp", the kind of sets of Le Magoarou and Gribonval (2016), the factors
        share the budget evenly, and the residual of level l may have n² / 2^l entries.
        With "splincol", as in FAµST's preset for the Hadamard matrix, each factor keeps
        the 2 largest entries of every row and column, whatever the budget.
    n, nnz : int
        Order of the matrix, and largest number of non-zeros.

    Returns
    -------
    factors, residuals : list of constraints
        One of each for every split, in the order in which factors are split off.

    Examples
    --------
    >>> [one.k for part in sets("sp", 8, 50) for one in part]
    [16, 16, 32, 18]
    """
    shape, n_factors = (n, n), n.bit_length() - 1
    entries = [n >> level for level in range(1, n_factors)]
    factors: list[Constraint]
    residuals: list[Constraint]
    if kind == "splincol":
        factors = [SpLinCol(shape, 2)] * (n_factors - 1)
        residuals = [SpLinCol(shape, k) for k in entries]
        return factors, residuals
    each = nnz // n_factors
    last = nnz - each * (n_factors - 1)
    factors = [Sp(shape, each)] * (n_factors - 1)
    residuals = [Sp(shape, max(n * k, each)) for k in entries[:-1]]
    return factors, [*residuals, Sp(shape, last)]


def _hierarchical(kind, side, n_iter, target, instance, seed):
    lists = sets(kind, instance.n, instance.nnz)
    return algorithms.refine(
        algorithms.hierarchical(
            target, *lists, n_iter=(n_iter, n_iter), residual_side=side
        )
    )


def _pyfaust_hierarchical(kind, side, n_iter, target, instance, seed):
    lists = sets(kind, instance.n, instance.nnz)
    found = faust.levels(target, *lists, n_iter, side, 2020)()
    return algorithms.refine([scipy.sparse.csr_array(part) for part in found], target)


def _palm(n_factors, target, instance, seed):
    """Run `palm4msa` with few factors, and refine its values."""
    n, each = instance.n, instance.nnz // n_factors
    found = algorithms.palm4msa(
        target, [Sp((n, n), each)] * n_factors, n_iter=1000, keep="best"
    )
    return algorithms.refine(found)


KINDS = (("splincol", "right"), ("sp", "left"), ("sp", "right"))
"""Sets, and side of the residual, of the hierarchical baselines."""


def baselines(
    n_iter: Sequence[int], solve: Callable[..., Any], prefix: str
) -> dict[str, Solve]:
    """Return runs of a hierarchical factorization: three for each number of iterations.

    Parameters
    ----------
    n_iter : sequence of int
        Numbers of iterations of each split and each refinement.
    solve : callable
        ``solve(kind, side, n_iter, target, instance, seed)``.
    prefix : str
        Beginning of the names of the runs.

    Returns
    -------
    dict of str to callable
        The methods, by name.
    """
    return {
        f"{prefix} {kind} {side} {count}": functools.partial(solve, kind, side, count)
        for (kind, side), count in itertools.product(KINDS, n_iter)
    }


OURS, FEW_FACTORS = "learn_transform", "palm4msa, factors:"
HIERARCHICAL, PYFAUST = "hierarchical", "pyfaust hierarchical"


def methods(n_iter: Sequence[int], peers: bool) -> dict[str, Solve]:
    """Return the methods to compare, by name. To try another method, add a line here.

    Parameters
    ----------
    n_iter : sequence of int
        Numbers of iterations of the hierarchical runs.
    peers : bool
        Whether pyfaust runs too.

    Returns
    -------
    dict of str to callable
    """
    few = {
        f"{FEW_FACTORS} {count}": functools.partial(_palm, count) for count in (2, 3)
    }
    return {
        OURS: _learn,
        **baselines(n_iter, _hierarchical, HIERARCHICAL),
        **few,
        "fixed butterfly, search, refined": fixed_butterfly,
        "largest entries": _largest,
        "truncated SVD": _svd,
        **(baselines(n_iter, _pyfaust_hierarchical, PYFAUST) if peers else {}),
    }
