"""Explorations whose dense matrices give supports alone, with least-squares values.

This is the rule of the support exploration algorithm (SEA), carried from one sparse
vector to a product of sparse factors, which take turns.
"""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ...constraints import Constraint
from ..common.factors import Dense, Factor
from ..common.problem import Problem
from ..common.result import CallbackState
from .initial_factors import SweepStart
from .iterations import Iterate, SweepRecord, shifted_scale
from .least_squares import least_squares
from .sweep_options import SweepOptions

RIDGE = 1e-10
"""Number added to the normal equations, whose diagonal is 1; the precision of the
target where that is more. It acts on the change of the values, so that it moves no
solution, but without it values that supports leave free would grow and cancel."""


def explore_supports(
    problem: Problem, start: SweepStart, options: SweepOptions, record: SweepRecord
) -> Iterate:
    """Explore supports from a start, and return the best iterate.

    Parameters
    ----------
    problem : Problem
        A problem whose target is dense.
    start : SweepStart
        The factors to start from, in sets that limit supports alone.
    options : SweepOptions
        Number of sweeps, order, leak, and callback; the scaling is balanced.
    record : SweepRecord
        Gets the error of each sweep.
    """
    narrow = problem.dtype
    wide = np.result_type(narrow, np.float64)
    target = np.asarray(problem.shifted).astype(wide, copy=False)
    ridge = max(RIDGE, float(np.finfo(narrow).eps))
    factors = [factor.toarray().astype(wide, copy=False) for factor in start.factors]
    factors[0] = factors[0] * start.scale
    explored = [np.zeros_like(factor) for factor in factors]  # as in SEA
    places = range(len(factors))
    order = places if options.order == "left-to-right" else places[::-1]
    norm, best = float(np.linalg.norm(target)), Iterate([], 1.0, math.inf)
    for iteration in range(1, options.n_iter + 1):
        leak = options.leak((iteration - 1) / options.n_iter) if options.leak else 0.0
        entered = 0
        for j in order:
            before = factors[j] != 0
            _turn(target, factors, explored, start.constraints, j, leak, ridge)
            entered += int(np.count_nonzero((factors[j] != 0) & ~before))
        product = product_of(factors, len(target))
        error = float(np.linalg.norm(product - target)) / norm
        if not math.isfinite(error):
            break
        _balance(factors, explored)
        found = _iterate(factors, error)
        if narrow != wide:
            found = _rounded(found, narrow, target, norm)
            error = found.error
        scale = shifted_scale(found.scale, problem.exponent)
        record.add(error, scale, entered)
        best = min(best, found, key=lambda one: one.error)
        if options.callback is not None:
            parts: Callable[[], list[Factor]] = functools.partial(list, found.factors)
            if options.callback(CallbackState(iteration, error, scale, parts)):
                break
        if error == 0:
            break
    return best if best.factors else Iterate(list(start.factors), start.scale, 1.0)


def _turn(target, factors, explored, sets: Sequence[Constraint], j, leak, ridge):
    """Add the gradient of a factor to what it explores, and fit it to the support."""
    left = product_of(factors[:j], len(target))
    right = product_of(factors[j + 1 :], target.shape[1])
    residual = left @ factors[j] @ right - target
    modulus = (np.linalg.norm(left, 2) * np.linalg.norm(right, 2)) ** 2
    explored[j] = factors[j] + leak * (explored[j] - factors[j])
    if modulus > 0:
        explored[j] = explored[j] - left.conj().T @ residual @ right.conj().T / modulus
    support = np.asarray(sets[j].project(explored[j].copy())) != 0
    factors[j] = fitted(target, left, right, factors[j] * support, support, ridge)


def product_of(factors: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Return the product of dense factors: the identity of order n for none."""
    return functools.reduce(np.matmul, factors) if factors else np.eye(n)


def fitted(
    target: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    values: np.ndarray,
    support: np.ndarray,
    ridge: float = RIDGE,
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
    ridge : float
        What is added to the normal equations, whose diagonal is 1.

    Returns
    -------
    ndarray, (p, q)
    """
    rows, columns = np.nonzero(support)
    inner, outer = left.conj().T, right.conj().T
    gradient = (inner @ (target - left @ values @ right) @ outer)[rows, columns]
    found = values.copy()
    found[rows, columns] += least_squares(
        inner @ left, right @ outer, rows, columns, gradient, ridge
    )
    return found


def _balance(factors, explored):
    """Make the norms of the factors equal, and scale what they explore alike."""
    norms = [np.linalg.norm(factor) for factor in factors]
    if min(norms) > 0:
        middle = np.exp(np.mean(np.log(norms)))
        for j, norm in enumerate(norms):
            factors[j] = factors[j] * (middle / norm)
            explored[j] = explored[j] * (middle / norm)


def _iterate(factors, error) -> Iterate:
    """Return factors of norm 1, which their sets may ask for, and a scale."""
    scale, kept = 1.0, list[Factor]()
    for factor in factors:
        norm = float(np.linalg.norm(factor)) or 1.0
        scale *= norm
        kept.append(Dense(np.ascontiguousarray(factor / norm)))
    return Iterate(kept, scale, error)


def _rounded(
    found: Iterate, dtype: np.dtype, target: np.ndarray, norm: float
) -> Iterate:
    """Return an iterate in the dtype of the target, with its error after rounding."""
    kept = [factor.toarray().astype(dtype) for factor in found.factors]
    wide = [one.astype(target.dtype) for one in kept]
    product = found.scale * product_of(wide, len(target))
    error = float(np.linalg.norm(product - target)) / norm
    return Iterate([Dense(one) for one in kept], found.scale, error)
