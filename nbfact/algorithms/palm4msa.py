"""palm4MSA: proximal alternating linearised minimisation for multi-layer sparsity."""

import itertools
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._dtypes import common_dtype
from ..constraints import Constraint
from ..kernels import frobenius_norm, max_abs, optimal_scale, palm_step, spectral_norm
from ..operators import FactorProduct
from .result import Factorization, History, State

# The step is 1 / (MARGIN * Lipschitz modulus): 1 + α with the paper's α = 1e-3.
MARGIN = 1.001

# Power iteration: at most this many steps, or a relative change below the tolerance.
# Looser ones send trajectories elsewhere than exact norms do (64x64, three factors, 200
# sweeps: error 0.324 with these and with SVDs, 0.335 with 100 steps and 1e-7).
_NORM_STEPS, _NORM_TOL = 300, 1e-9

# Binary exponents up to which sums of squares keep all their digits.
_SAFE = {"d": 300, "f": 30}

ORDERS = ("right-to-left", "left-to-right")
SCALINGS = ("sweep", "factor", "early")


def palm4msa(
    target: Any,
    constraints: Sequence[Constraint],
    n_iter: int = 200,
    tol: float = 0.0,
    init: Factorization | FactorProduct | Sequence[Any] | None = None,
    order: str = "right-to-left",
    callback: Callable[[State], Any] | None = None,
    scaling: str = "sweep",
) -> Factorization:
    """Factor a matrix into a product of factors, each in its own set.

    Parameters
    ----------
    target : array_like, (m, n)
        The matrix A, real or complex, finite. Integers are read as float64.
    constraints : sequence of J constraints
        The set of each factor, left to right: objects with `shape` and `project(x)`,
        such as `nbfact.SpLin`. Shapes must chain from m to n.
    n_iter : int, default 200
        Sweeps over all factors.
    tol : float, default 0.0
        Stop when a sweep changes the relative error by at most `tol` times itself.
        0 makes all `n_iter` sweeps.
    init : Factorization, FactorProduct, or sequence of J arrays, optional
        Factors to start from, with their scale (1 for arrays). By default the factor
        updated first is zero and the others are identities.
    order : {"right-to-left", "left-to-right"}
        In which order a sweep updates the factors.
    callback : callable, optional
        Called with a `State` after each sweep; returning True stops.
    scaling : {"sweep", "factor", "early"}
        When the λ of the steps is fitted: after each sweep, as in the paper; after
        each factor; or in each sweep before its last factor is updated, which makes λ
        smaller and steps longer (then the objective may increase). The λ returned is
        always fitted to the factors returned.

    Returns
    -------
    Factorization
        Zero factors, scale 0 and error 0 for a zero target.

    Raises
    ------
    TypeError
        A target that is not numeric, a constraint without `shape` or `project`.
    ValueError
        NaN, infinity, shapes that do not chain, no constraint, n_iter < 1, tol < 0.

    Notes
    -----
    Minimises ½‖A - λ S[0] ... S[J-1]‖² over S[j] in their sets and λ real. For each
    factor, with L and R the products on its left and right,

        S ← P(S - (λ / c) Lᴴ(λ L S R - A)Rᴴ),  c = 1.001 λ² ‖L‖² ‖R‖²,

    then, once a sweep, λ = Re<A, Â> / ‖Â‖². With true projections (`SpLinCol` is none)
    the objective does not increase. Dense products: O(J m n max(p)) a sweep, p the
    inner dimensions. The dtype of the target is kept.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 4 (palm4MSA).

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.hadamard(4)
    >>> r = nf.palm4msa(A, [nf.SkPerm((4, 4), 2), nf.SkPerm((4, 4), 2)], n_iter=30)
    >>> r.operator.nnz, bool(r.relative_error < 1e-12)
    (16, True)
    """
    target = _checked_target(target)
    constraints = _checked_constraints(constraints, target.shape)
    _check_options(n_iter, tol, order, scaling)
    n_factors = len(constraints)
    first_updated = 0 if order == "left-to-right" else n_factors - 1
    factors, scale = _start(constraints, init, first_updated, target.dtype)

    largest = max_abs(target)
    if largest == 0:
        zeros = [np.zeros(constraint.shape, target.dtype) for constraint in constraints]
        return Factorization(FactorProduct(zeros, 0.0), 0.0, History([0.0], [0.0]))
    # A target whose squares would overflow or vanish is moved by a power of two: exact.
    exponent = int(np.frexp(largest)[1])
    exponent = exponent if abs(exponent) > _SAFE[target.real.dtype.char] else 0
    target = _shift(target, -exponent)
    if init is not None:
        scale = float(np.ldexp(scale, -exponent))
    norm = frobenius_norm(target)

    vectors: dict[tuple[int, str], np.ndarray] = {}
    history = History()
    for iteration in range(1, n_iter + 1):
        product, early = _sweep(
            target, factors, scale, constraints, order, scaling, vectors
        )
        fitted = optimal_scale(target, product)
        scale = early if scaling == "early" else fitted
        error = frobenius_norm(target - target.dtype.type(fitted) * product) / norm
        history.errors.append(error)
        history.scales.append(float(np.ldexp(fitted, exponent)))
        state = State(iteration, error, history.scales[-1], list(factors))
        if callback is not None and callback(state):
            break
        if tol > 0 and iteration > 1:
            previous = history.errors[-2]
            if abs(previous - error) <= tol * previous:
                break
    operator = FactorProduct(factors, history.scales[-1])
    return Factorization(operator, history.errors[-1], history)


def _sweep(target, factors, scale, constraints, order, scaling, vectors):
    """Update every factor once, in place in the list.

    Return their product, and the λ fitted before the last one was updated.
    """
    nothing = np.empty((0, 0), target.dtype)  # stands for the identity in palm_step
    n_factors = len(factors)
    forward = order == "left-to-right"
    path = list(range(n_factors)) if forward else list(range(n_factors - 1, -1, -1))
    # Products of the factors still to be updated, which this sweep does not change yet.
    ahead = [nothing] * n_factors
    for j, following in zip(path[-2::-1], path[:0:-1], strict=True):
        ahead[j] = _times(factors[following], ahead[following], forward)
    behind, early = nothing, scale
    for j in path:
        if scaling == "early" and j == path[-1]:
            # A zero product tells nothing of λ, here and below: keep it.
            before = _times(behind, factors[j], forward)
            early = optimal_scale(target, before) or scale
        left, right = (behind, ahead[j]) if forward else (ahead[j], behind)
        factors[j] = _updated(
            target, left, factors[j], right, scale, constraints[j], vectors, j
        )
        behind = _times(behind, factors[j], forward)
        if scaling == "factor" and j != path[-1]:
            scale = optimal_scale(target, _times(behind, ahead[j], forward)) or scale
    return behind, early


def _times(first, second, forward):
    """Product of two neighbours, given in order of update; one may be `nothing`."""
    if first.size == 0 or second.size == 0:
        return second if first.size == 0 else first
    return first @ second if forward else second @ first


def _updated(target, left, factor, right, scale, constraint, vectors, j):
    """One proximal gradient step on one factor."""
    real = target.real.dtype.type
    left_norm = _norm(left, vectors, (j, "left"))
    right_norm = _norm(right, vectors, (j, "right"))
    modulus = scale * left_norm * right_norm
    lipschitz = MARGIN * modulus * modulus
    stepped = factor
    if lipschitz > 0 and np.isfinite(real(1 / lipschitz) * real(scale)):
        stepped = np.empty_like(factor)
        palm_step(target, left, factor, right, real(scale), real(lipschitz), stepped)
    projected = np.ascontiguousarray(constraint.project(stepped), target.dtype)
    if projected.shape != factor.shape:
        raise ValueError(
            f"constraints[{j}].project returned shape {projected.shape} "
            f"for an array of shape {factor.shape}"
        )
    return projected


def _norm(matrix, vectors, key):
    """Spectral norm, from the singular vector of the previous sweep."""
    if matrix.size == 0:
        return 1.0
    vector = vectors.get(key)
    if vector is None:
        start = np.random.default_rng(0).standard_normal(matrix.shape[1])
        vector = vectors[key] = start.astype(matrix.dtype)
    return spectral_norm(matrix, vector, _NORM_STEPS, _NORM_TOL)


def _shift(target, exponent):
    """Return target * 2**exponent (in two steps: 2**1030 is not a double)."""
    half = exponent // 2
    real = target.real.dtype.type
    return (target * real(2.0) ** half) * real(2.0) ** (exponent - half)


def _checked_target(target):
    target = target.toarray() if hasattr(target, "toarray") else np.asarray(target)
    if target.ndim != 2 or 0 in target.shape:
        raise ValueError(
            f"target must be a matrix that is not empty, got shape {target.shape}"
        )
    target = np.ascontiguousarray(target, common_dtype(target.dtype))
    if not np.isfinite(target).all():
        raise ValueError(f"target {target.shape} contains NaN or infinity")
    return target


def _checked_constraints(constraints, shape):
    constraints = list(constraints)
    if not constraints:
        raise ValueError("constraints is empty: expected one constraint per factor")
    for j, constraint in enumerate(constraints):
        if not (hasattr(constraint, "shape") and hasattr(constraint, "project")):
            raise TypeError(
                f"constraints[{j}] must have `shape` and `project`, got {constraint!r}"
            )
    shapes = [tuple(constraint.shape) for constraint in constraints]
    inner = all(a[1] == b[0] for a, b in itertools.pairwise(shapes))
    if not inner or (shapes[0][0], shapes[-1][1]) != shape:
        raise ValueError(
            f"shapes of constraints do not chain to the target's {shape}: {shapes}"
        )
    return constraints


def _check_options(n_iter, tol, order, scaling):
    if not isinstance(n_iter, numbers.Integral) or isinstance(n_iter, bool):
        raise TypeError(f"n_iter must be an integer, got {n_iter!r}")
    if n_iter < 1:
        raise ValueError(f"n_iter must be at least 1, got {n_iter}")
    if not tol >= 0:
        raise ValueError(f"tol must be at least 0, got {tol!r}")
    if order not in ORDERS:
        raise ValueError(f"order must be one of {ORDERS}, got {order!r}")
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {SCALINGS}, got {scaling!r}")


def _start(constraints, init, first_updated, dtype):
    """Return the factors to start from, C-contiguous, and the scale."""
    shapes = [tuple(constraint.shape) for constraint in constraints]
    if init is None:
        factors = [np.eye(*shape, dtype=dtype) for shape in shapes]
        factors[first_updated][:] = 0
        return factors, 1.0
    scale, given = getattr(init, "scale", 1.0), getattr(init, "factors", init)
    arrays = [f.toarray() if hasattr(f, "toarray") else np.asarray(f) for f in given]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"shapes of init {[array.shape for array in arrays]} are not those of "
            f"constraints {shapes}"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("init contains NaN or infinity")
    for array in arrays:
        if common_dtype(array.dtype, dtype) != dtype and array.dtype.kind == "c":
            raise TypeError(f"init is complex but target is {dtype}")
    return [np.array(array, dtype, order="C") for array in arrays], scale
