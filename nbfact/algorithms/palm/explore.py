"""explore: PALM whose projections remember what they drop, to find better supports."""

import math
import numbers
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeGuard

import numpy as np

from ..._core.checks import RandomState, size
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
from ...constraints.sets import Set
from ..common.result import Factorization, FactorsLike, SweepCallback
from ..common.target import Matrix, TargetLike, checked_target
from .initial_factors import InitialFactors, checked_constraints, initial_factors
from .palm4msa import descend
from .refine import refine
from .sweep_options import Order, SweepOptions

Leak: TypeAlias = float | tuple[float, float] | Callable[[float], float]
"""A leak, the leaks of the first and last sweep, or a function of the share done."""

_SUPPORTS = {Sp, SpLin, SpCol, SpLinCol, SkPerm, SpTriu, SpTril, Supp}
"""Sets that limit the supports of their matrices, and not the values (but `nonneg`)."""

_SETTLING = 0.1
"""Number of the sweeps without a leak that follow an exploration, as a share of its own
number of sweeps: they end at a point near by, and need not travel."""


def explore(
    target: TargetLike,
    constraints: Sequence[Constraint],
    *,
    leak: Leak = (0.99, 0.9),
    n_iter: int = 300,
    init: FactorsLike | Literal["random"] | None = None,
    order: Order = "right-to-left",
    step: float = 1.0,
    n_restarts: int = 0,
    n_jobs: int | None = None,
    safeguard: bool = True,
    refine_values: bool = True,
    callback: SweepCallback | None = None,
    random_state: RandomState = None,
) -> Factorization:
    """Factor a matrix as `palm4msa` does, but leave bad supports: leaky exploration.

    palm4MSA forgets the entries that its projections drop, so that it rarely leaves the
    supports of its first sweeps. Here they are remembered, and a share of them, the
    leak, is added to the next step: entries that are dropped again and again add up
    until they enter.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite: see `palm4msa`.
    constraints : sequence of J constraints
        The set of each factor, left to right.
    leak : float, (float, float) or callable
        The leak ρ of a sweep, from 0 (palm4MSA) to 1 (nothing is forgotten: the
        straight-through estimator). A pair is annealed: from the first sweep to the
        last, 1 - ρ goes geometrically from that of the first number to that of the
        second. A callable gets the share of sweeps that are done, from 0 to 1, and
        returns ρ.
    n_iter : int, default 300
        Maximum number of sweeps of the exploration from each start. The sweeps without
        a leak that follow are at most a tenth as many.
    init : Factorization, FactorProduct, sequence of J arrays, or "random", optional
        Factors to start from: see `palm4msa`.
    order : {"right-to-left", "left-to-right"}
        The order in which a sweep updates the factors.
    step : float, default 1.0
        Length of the gradient steps: see `palm4msa`.
    n_restarts : int, default 0
        Number of random starts after the first one.
    n_jobs : int, optional
        Number of processes over which the starts are spread, as in scikit-learn: -1 for
        all cores, None for 1 unless ``joblib.parallel_config`` says otherwise. More
        than 1 needs joblib.
    safeguard : bool, default True
        Run `palm4msa` from each start too, for the same number of sweeps, and return
        what it finds if that is better. It costs as much as the exploration.
    refine_values : bool, default True
        End with the sweeps without a leak and with `refine`.
    callback : callable, optional
        Called with a `SweepState` after each sweep of an exploration; returning True
        ends it. With `n_jobs` above 1 it runs in other processes.
    random_state : None, int or numpy.random.Generator
        The seed of ``init="random"``, for which it gives the start that it gives
        `palm4msa`, and of the restarts.

    Returns
    -------
    Factorization
        The best that was found. The history is that of its exploration, or, where the
        safeguard is better, of palm4MSA. With the safeguard the error never exceeds
        that of `palm4msa` with the same arguments and ``keep="best"``, whatever the
        leak. For a zero target the factors are zero, and so are the scale and the
        error.

    Raises
    ------
    TypeError, ValueError
        As `palm4msa`; also a leak outside [0, 1] (in a pair: [0, 1)), `n_restarts`
        below 0, `n_jobs` 0.
    ModuleNotFoundError
        `n_jobs` above 1 without joblib.

    See Also
    --------
    palm4msa : Without a leak.
    learn_transform : Explores from many starts, for a budget of non-zeros.

    Notes
    -----
    Each factor S keeps X, what its projection P was last called with. With G the
    gradient of `palm4msa` at S, and c its modulus,

        X ← S + ρ (X - S) - G / c,    S ← P(X).

    Off the support of S, X is the discounted sum of past gradients, -Σ ρᵗ G / c: an
    entry enters once its evidence exceeds the smallest kept one. At a fixed point G is
    zero on the support, and off it at most c (1 - ρ) times the smallest kept modulus.
    The bound of palm4MSA is c times that modulus, 1 / (1 - ρ) times larger, so that
    fewer points are fixed here. The error is not monotone, and the best iterate is
    kept. From there, sweeps with ρ = 0 and exact least squares, which do not increase
    the error, end at a critical point. Scaling is "balanced", and X is scaled with S.

    A sweep costs what one of palm4MSA does, and three passes over each X, a dense
    (p, q) array.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 4 (palm4MSA). M. Mohamed,
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
    sweeps = SweepOptions(
        n_iter=n_iter,
        order=order,
        step=step,
        keep="best",
        callback=callback,
        leak=schedule_of(leak),
    )
    n_restarts = 0 if n_restarts == 0 else size("n_restarts", n_restarts)
    options = _Exploration(sweeps, safeguard, refine_values)
    rng = np.random.default_rng(random_state)
    starts = [initial_factors(constraints, init, order, matrix.dtype, rng)]
    for child in rng.spawn(n_restarts):
        starts.append(
            initial_factors(constraints, "random", order, matrix.dtype, child)
        )
    calls = [(matrix, constraints, start, options) for start in starts]
    found = each(_explored, calls, n_jobs)
    return min(found, key=lambda result: result.relative_error)


@dataclass(frozen=True)
class _Exploration:
    """What is done from each start: sweeps with a leak, and what follows them."""

    sweeps: SweepOptions
    safeguard: bool
    refine_values: bool

    @property
    def without_leak(self) -> SweepOptions:
        """The options of the same number of sweeps of palm4MSA, without a callback."""
        return replace(self.sweeps, leak=None, callback=None)


def schedule_of(leak: Leak) -> Callable[[float], float]:
    """Return the leak as a function of the share of sweeps that are done, or raise."""
    if callable(leak):
        return Schedule(leak)
    if isinstance(leak, Sequence) and not isinstance(leak, str):
        ends, interval = tuple(leak), "[0, 1)"
        fits = len(ends) == 2
    else:
        ends, interval = (leak,), "[0, 1]"
        fits = True
    if not fits or not all(map(_is_number, ends)):
        raise TypeError(f"leak must be a number, a pair of them or callable: {leak!r}")
    if not all(0 <= end <= 1 for end in ends) or (len(ends) == 2 and 1 in ends):
        raise ValueError(f"leak must be in {interval}, got {leak!r}")
    return Schedule(tuple(map(float, ends)))


class Schedule:
    """The leak of a sweep, as a function of the share of sweeps that are done.

    It is a class, and not a closure, so that it can be sent to other processes.
    """

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
    matrix: Matrix,
    constraints: Sequence[Constraint],
    start: InitialFactors,
    options: _Exploration,
) -> Factorization:
    """Explore from one start, and return the best, that of palm4MSA included."""
    began = time.perf_counter()
    best = descend(matrix, constraints, start, options.sweeps, began)
    if options.refine_values:
        best = _with_refined_values(best, matrix, constraints, options)
    if not options.safeguard:
        return best
    palm = descend(matrix, constraints, start, options.without_leak, began)
    if options.refine_values:
        palm = _refined(palm, constraints)
    return min(best, palm, key=lambda result: result.relative_error)


def _with_refined_values(
    best: Factorization,
    matrix: Matrix,
    constraints: Sequence[Constraint],
    options: _Exploration,
) -> Factorization:
    """Sweep without a leak, and solve for the values; never worse than `best`."""
    if best.relative_error == 0:
        return best
    order = options.sweeps.order
    start = initial_factors(constraints, best, order, matrix.dtype, None)
    n_iter = math.ceil(_SETTLING * options.sweeps.n_iter)
    sweeps = replace(options.without_leak, n_iter=n_iter)
    settled = descend(matrix, constraints, start, sweeps, 0.0)
    better = min(best, settled, key=lambda result: result.relative_error)
    return _refined(replace(better, history=best.history), constraints)


def _refined(result: Factorization, constraints: Sequence[Constraint]) -> Factorization:
    """Solve for the values of the factors whose sets limit the support alone."""
    fixed = [j for j, one in enumerate(constraints) if not _only_support(one)]
    if result.target is None or len(fixed) == len(constraints):
        return result
    refined = refine(result, fixed=fixed)
    if refined.relative_error >= result.relative_error:
        return result
    return replace(refined, history=result.history)


def _only_support(constraint: Constraint) -> bool:
    """Return whether a set holds all values on the supports of its elements."""
    if not isinstance(constraint, Set) or type(constraint) not in _SUPPORTS:
        return False
    return not constraint.nonneg


def _is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number, and not a bool."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
