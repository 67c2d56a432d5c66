"""explore: PALM whose projections remember what they drop, to find better supports."""

import math
import numbers
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..._core.checks import size
from ..._core.jobs import each
from ...constraints import (
    Constraint,
    SkPerm,
    Sp,
    SpCol,
    SpLin,
    SpLinCol,
    SpTril,
    SpTriu,
    Supp,
)
from ...operators import FactorProduct
from ..common.result import Factorization, SweepState
from ..common.target import checked_target
from .palm4msa import check_options, checked_constraints, descend, start_of
from .refine import refine

Leak = float | tuple[float, float] | Callable[[float], float]

# Sets that limit supports and no values.
_SUPPORTS = {Sp, SpLin, SpCol, SpLinCol, SkPerm, SpTriu, SpTril, Supp}

# Sweeps without a leak after the exploration, as a share of its own.
_SETTLING = 0.1


def explore(
    target: Any,
    constraints: Sequence[Constraint],
    *,
    leak: Leak = (0.99, 0.9),
    n_iter: int = 300,
    init: Factorization | FactorProduct | Sequence[Any] | str | None = None,
    order: str = "right-to-left",
    step: float = 1.0,
    n_restarts: int = 0,
    n_jobs: int = 1,
    safeguard: bool = True,
    refine_values: bool = True,
    callback: Callable[[SweepState], Any] | None = None,
    random_state: int | np.random.Generator | None = None,
) -> Factorization:
    """Factor a matrix as `palm4msa` does, but leave bad supports: leaky exploration.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite: see `palm4msa`.
    constraints : sequence of J constraints
        The set of each factor, left to right.
    leak : float, (float, float) or callable
        The leak ρ of a sweep, from 0 (palm4MSA) to 1 (straight-through). A pair is
        annealed: 1 - ρ goes geometrically from that of the first, in the first sweep,
        to that of the second. A callable is given the share of sweeps done, from 0
        to 1, and returns ρ.
    n_iter : int
        Sweeps of the exploration, at most, of each start. The sweeps without a leak
        that follow are at most a tenth as many.
    init : Factorization, FactorProduct, sequence of J arrays, or "random", optional
        Factors to start from: see `palm4msa`.
    order : {"right-to-left", "left-to-right"}
        In which order a sweep updates the factors.
    step : float
        Length of the gradient steps: see `palm4msa`.
    n_restarts : int
        Starts after the first, random ones.
    n_jobs : int
        Processes over which starts are spread; more than 1 needs joblib.
    safeguard : bool
        Run `palm4msa` from each start too, for the same sweeps, and return what it
        finds if that is better: it costs as much as the exploration.
    refine_values : bool
        End with the sweeps without a leak and with `refine`.
    callback : callable, optional
        Called with a `SweepState` after each sweep of an exploration; returning True ends
        it. With ``n_jobs`` above 1 it runs in other processes.
    random_state : None, int or numpy.random.Generator
        For ``init="random"``, where it gives the start that it gives `palm4msa`, and
        for restarts.

    Returns
    -------
    Factorization
        The best found. `history` is that of its exploration, or, where the safeguard
        is better, of palm4MSA. With the safeguard the error never exceeds that of
        ``palm4msa(target, constraints, n_iter, init=init, keep="best")``, whatever the
        leak. Zero factors, scale 0 and error 0 for a zero target.

    Raises
    ------
    TypeError, ValueError
        As `palm4msa`; also a leak outside [0, 1] (a pair: [0, 1)), n_restarts below 0,
        n_jobs below 1.
    ModuleNotFoundError
        ``n_jobs`` above 1 without joblib.

    Notes
    -----
    Each factor S keeps X, what its projection P was last given. With G the gradient of
    `palm4msa` at S, and c its modulus,

        X ← S + ρ (X - S) - G / c,    S ← P(X).

    Off the support of S, X is the discounted sum of past gradients, -Σ ρᵗ G / c: an
    entry enters once its evidence exceeds the smallest kept one. At a fixed point G is
    zero on the support, and at most c (1 - ρ) times the smallest kept modulus off it,
    1 / (1 - ρ) times less than palm4MSA asks for: fewer points are fixed. The error
    is not monotone, and the best iterate is kept. From there, sweeps with ρ = 0
    and exact least squares, which do not increase the error, end at a critical point.
    Scaling is "balanced"; X is scaled with S.

    A sweep costs that of palm4MSA and three passes over each X, dense (p, q) arrays.

    References
    ----------
    L. Le Magoarou and R. Gribonval, IEEE JSTSP 10(4), 2016: palm4MSA. M. Mohamed,
    F. Malgouyres, V. Emiya and C. Chaux, Straight-through meets sparse recovery: the
    support exploration algorithm, ICML 2024: ρ = 1, for one sparse vector.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> rng = np.random.default_rng(0)
    >>> A = nf.targets.hadamard(16)[rng.permutation(16)][:, rng.permutation(16)]
    >>> sets = [nf.constraints.SkPerm((16, 16), 8), nf.constraints.SkPerm((16, 16), 2)]
    >>> start = {"init": "random", "random_state": 0, "n_iter": 200}
    >>> round(nf.palm4msa(A, sets, **start).relative_error, 1)
    0.5
    >>> bool(nf.explore(A, sets, **start).relative_error < 1e-12)
    True
    """
    constraints = list(constraints)
    matrix = checked_target(target, len(constraints))
    constraints = checked_constraints(constraints, matrix.shape)
    check_options(n_iter, 0.0, order, "balanced", step, "best")
    n_restarts = 0 if n_restarts == 0 else size("n_restarts", n_restarts)
    schedule = schedule_of(leak)
    rng = np.random.default_rng(random_state)
    starts = [start_of(constraints, init, order, matrix.dtype, rng)]
    for child in rng.spawn(n_restarts):
        starts.append(start_of(constraints, "random", order, matrix.dtype, child))
    options = (n_iter, order, step, safeguard, refine_values, callback)
    calls = [(matrix, constraints, start, schedule, *options) for start in starts]
    found = each(_explored, calls, n_jobs)
    return min(found, key=lambda result: result.relative_error)


def schedule_of(leak: Leak) -> Callable[[float], float]:
    """Return the leak as a function of the share of sweeps done, checked."""
    if callable(leak):
        return Schedule(leak)
    pair = isinstance(leak, Sequence) and not isinstance(leak, str)
    ends = tuple(leak) if pair else (leak,)
    if len(ends) != (2 if pair else 1) or not all(map(_is_number, ends)):
        raise TypeError(f"leak must be a number, a pair of them or callable: {leak!r}")
    if not all(0 <= end <= 1 for end in ends) or (pair and 1 in ends):
        interval = "[0, 1)" if pair else "[0, 1]"
        raise ValueError(f"leak must be in {interval}, got {leak!r}")
    return Schedule(tuple(map(float, ends)))


class Schedule:
    """The leak of a sweep, by the share of sweeps done."""

    def __init__(self, leak: Callable[[float], float] | tuple[float, ...]) -> None:
        self._leak = leak

    def __call__(self, done: float) -> float:
        """Return the leak, in [0, 1]."""
        if not callable(self._leak):
            first, last = self._leak[0], self._leak[-1]
            if first == last:
                return first
            return 1 - (1 - first) ** (1 - done) * (1 - last) ** done
        leak = self._leak(done)
        if not _is_number(leak) or not 0 <= leak <= 1:
            raise ValueError(f"leak({done:.3g}) must be in [0, 1], got {leak!r}")
        return float(leak)


def _explored(
    matrix,
    constraints,
    start,
    leak,
    n_iter,
    order,
    step,
    safeguard,
    refine_values,
    callback,
):
    """Explore from one start; return the best, palm4MSA's included if asked for."""
    began = time.perf_counter()
    fixed = (0.0, order, None, "balanced", step, "best")
    options = (0.0, order, callback, "balanced", step, "best")
    best = descend(
        matrix, constraints, start, n_iter, *options, leak=leak, began=began
    )  # fmt: skip
    found = [
        _with_refined_values(best, matrix, constraints, n_iter, fixed)
        if refine_values
        else best
    ]
    if safeguard:
        palm = descend(matrix, constraints, start, n_iter, *fixed, began=began)
        found.append(_refined(palm, constraints) if refine_values else palm)
    return min(found, key=lambda result: result.relative_error)


def _with_refined_values(best, matrix, constraints, n_iter, options):
    """Sweep without a leak, and solve for the values; never worse than `best`."""
    if best.relative_error == 0:
        return best
    start = start_of(constraints, best, "", matrix.dtype, None)
    sweeps = math.ceil(_SETTLING * n_iter)
    settled = descend(matrix, constraints, start, sweeps, *options)
    better = min(best, settled, key=lambda result: result.relative_error)
    return _refined(replace(better, history=best.history), constraints)


def _refined(result, constraints):
    """Solve for the values where supports are all that sets ask for."""
    fixed = [j for j, one in enumerate(constraints) if not _only_support(one)]
    if result.target is None or len(fixed) == len(constraints):
        return result
    refined = refine(result, fixed=fixed)
    if refined.relative_error >= result.relative_error:
        return result
    return replace(refined, history=result.history)


def _only_support(constraint):
    """Return whether a set holds all values on the supports of its elements."""
    return type(constraint) in _SUPPORTS and not constraint.nonneg


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
