"""palm4MSA: proximal alternating linearised minimisation for multi-layer sparsity."""

import itertools
import math
import numbers
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._core.dtypes import common_dtype, real_dtype
from ...constraints import Constraint
from ...operators import FactorProduct
from ..common.factors import Factor, compressed
from ..common.result import Factorization, History, SweepState
from ..common.target import Matrix, checked_target, shift, shift_exponent
from .factor_projection import closed_under_scaling
from .sweeps import Sweeps

ORDERS = ("right-to-left", "left-to-right")
SCALINGS = ("balanced", "factor", "sweep")
KEEPS = ("last", "best")

# Binary exponents: of norms in init beyond which factors are scaled, so that products
# of a few keep their digits in float32, and of the largest scale to start from.
_EXTREME, _LARGEST = 24, {"d": 400, "f": 60}


def palm4msa(
    target: Any,
    constraints: Sequence[Constraint],
    *,
    n_iter: int = 200,
    tol: float = 0.0,
    init: Factorization | FactorProduct | Sequence[Any] | str | None = None,
    order: str = "right-to-left",
    callback: Callable[[SweepState], Any] | None = None,
    scaling: str = "balanced",
    step: float = 1.0,
    keep: str = "last",
    fixed: Sequence[int] = (),
    random_state: int | np.random.Generator | None = None,
) -> Factorization:
    """Factor a matrix into a product of factors, each in its own set.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        The matrix A, real or complex, finite. Integers are read as float64. Sparse
        ones and operators are made dense when they have one factor or at most 2**22
        entries; else only their products with at most max(p) vectors are used, p the
        inner dimensions. Gradients are dense in any case, of the shape of a factor.
    constraints : sequence of J constraints
        The set of each factor, left to right: objects with `shape` and `project(x)`,
        such as `nbfact.constraints.SpLin`. Shapes must chain from m to n.
    n_iter : int, default 200
        Sweeps over all factors, at most.
    tol : float, default 0.0
        Stop when a sweep changes the relative error by at most `tol` times itself.
        Whatever `tol`, an error of two units of rounding for each factor ends them.
    init : Factorization, FactorProduct, sequence of J arrays, or "random", optional
        Factors to start from, with their scale (1 for arrays); "random": Gaussian
        matrices, projected. By default the factor updated first is zero and the others
        are identities.
    order : {"right-to-left", "left-to-right"}
        In which order a sweep updates the factors.
    callback : callable, optional
        Called with a `SweepState` after each sweep; returning True stops.
    scaling : {"balanced", "factor", "sweep"}
        How the scale is treated. "sweep", as in the paper: factors have the norms of
        their sets, and λ is fitted after each sweep. "factor": λ is fitted after each
        factor too. "balanced": factors whose sets have the option `normalized` are
        left free to grow or shrink, λ stays 1, and the norms of these factors are made
        equal after each sweep; they are normalised at the end.
    step : float, default 1.0
        Length of the gradient steps, in units of the longest that is known never to
        increase the objective; below 2. Longer ones often end lower.
    keep : {"last", "best"}
        Which iterate is returned; the history is of all.
    fixed : sequence of int
        Which factors of `init` do not change; they need not be in their sets.
    random_state : None, int or numpy.random.Generator
        For ``init="random"``.

    Returns
    -------
    Factorization
        Zero factors, scale 0 and error 0 for a zero target.

    Raises
    ------
    TypeError
        A target that is not numeric, a constraint without `shape` or `project`.
    ValueError
        NaN, infinity, shapes that do not chain, no constraint, an option out of range,
        a projection that returns another shape, NaN or infinity.

    Notes
    -----
    Minimises ½‖A - λ S[0] ... S[J-1]‖² over S[j] in their sets and λ real. For each
    factor, with L and R the products on its left and right,

        S ← P(S - (λ / c) Lᴴ(λ L S R - A)Rᴴ),  c = 1.001 λ² ‖L‖² ‖R‖² / step,

    then, once a sweep, λ = Re<A, Â> / ‖Â‖². With true projections (`SpLinCol` is none),
    ``scaling`` "sweep" or "factor" and steps of 1, the objective does not increase.
    With sparse factors the update of a (p, q) one costs 2 nnz(L) q + nnz(S) (m + 2 q)
    multiplications and one projection; memory is a few (p, q) arrays beside the target
    and the factors. The dtype of the target is kept. On one thread, the same call
    gives the same bits.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: figure 4 (palm4MSA).

    Examples
    --------
    >>> import nbfact as nf
    >>> A = nf.targets.hadamard(4)
    >>> r = nf.palm4msa(A, [nf.constraints.SkPerm((4, 4), 2), nf.constraints.SkPerm((4, 4), 2)], n_iter=30)
    >>> r.operator.nnz, bool(r.relative_error < 1e-12)
    (16, True)
    """
    began = time.perf_counter()
    constraints = list(constraints)
    matrix = checked_target(target, len(constraints))
    constraints = checked_constraints(constraints, matrix.shape)
    check_options(n_iter, tol, order, scaling, step, keep)
    fixed = checked_fixed(fixed, len(constraints))
    if fixed and (init is None or isinstance(init, str)):
        raise ValueError(f"fixed={fixed} needs init, the factors that are kept")
    start = start_of(constraints, init, order, matrix.dtype, random_state)
    return descend(
        matrix, constraints, start, n_iter, tol, order, callback, scaling, step, keep,
        fixed, began=began,
    )  # fmt: skip


def descend(
    matrix: Matrix,
    constraints: Sequence[Constraint],
    start: tuple[list[Factor], float, bool],
    n_iter: int,
    tol: float,
    order: str,
    callback: Callable[[SweepState], Any] | None,
    scaling: str,
    step: float,
    keep: str,
    fixed: Sequence[int] = (),
    leak: Callable[[float], float] | None = None,
    began: float = 0.0,
) -> Factorization:
    """Run palm4MSA, or explore with a leak, from what `start_of` returns."""
    dense = matrix if isinstance(matrix, np.ndarray) else None
    factors, scale, given = list(start[0]), *start[1:]
    exponent = shift_exponent(matrix)
    if exponent is None:  # a zero target
        for j in set(range(len(factors))) - set(fixed):
            factors[j] = factors[j].scaled(0.0)
        history = History([0.0], [0.0], [time.perf_counter() - began], [0])
        return Factorization(product(factors, 0.0, 0), 0.0, history, dense)
    if given:
        moved = [j for j, c in enumerate(constraints) if closed_under_scaling(c)]
        scale = _tamed(factors, set(moved) - set(fixed), scale, exponent, matrix.dtype)
    shifted = shift(matrix, -exponent)
    sweeps = Sweeps(shifted, constraints, factors, scale, order, scaling, step, fixed)
    history = History()
    factors, scale, error = iterate(
        sweeps, n_iter, tol, keep, callback, history, exponent, began, leak
    )
    return Factorization(product(factors, scale, exponent), error, history, dense)


def iterate(
    sweeps: Sweeps,
    n_iter: int,
    tol: float = 0.0,
    keep: str = "last",
    callback: Callable[[SweepState], Any] | None = None,
    history: History | None = None,
    exponent: int = 0,
    start: float = 0.0,
    leak: Callable[[float], float] | None = None,
) -> tuple[list[Factor], float, float]:
    """Sweep until a rule of `palm4msa` says stop; return factors, λ and error.

    λ is that of the target as sweeps have it; history and callback see λ 2^exponent.
    leak: that of a sweep, given the share of sweeps that are done.
    """
    history = History() if history is None else history
    best = None
    previous = math.inf
    for iteration in range(1, n_iter + 1):
        if leak is not None:
            sweeps.leak = leak((iteration - 1) / n_iter)
        with np.errstate(all="ignore"):
            error, scale, entered = sweeps.sweep()
        if not (math.isfinite(error) and math.isfinite(scale)):
            if sweeps.leak and best is not None:
                break  # what is remembered may grow without bound
            raise ValueError(
                f"the product of the factors overflows in sweep {iteration}: "
                "constraints of fixed norm, or fixed factors, are too large or small"
            )
        history.errors.append(error)
        history.scales.append(shifted_scale(scale, exponent))
        history.seconds.append(time.perf_counter() - start)
        history.support_changes.append(entered)
        if keep == "best" and (best is None or error < best[2]):
            best = (*sweeps.result, error)
        if callback is not None:
            parts, _ = sweeps.result
            state = SweepState(iteration, error, history.scales[-1], lambda p=parts: p)
            if callback(state):
                break
        settled = tol > 0 and abs(previous - error) <= tol * previous < math.inf
        if settled or error <= sweeps.rounding:
            break
        previous = error
    return best if keep == "best" else (*sweeps.result, error)


def product(factors: Sequence[Factor], scale: float, exponent: int) -> FactorProduct:
    """Return λ 2^exponent S[0] ... S[J-1] as an operator."""
    shifted, sparse = shifted_scale(scale, exponent), [f.tocsr() for f in factors]
    if abs(shifted) <= float(np.finfo(sparse[0].dtype).max):
        return FactorProduct(sparse, shifted)
    # λ is beyond the largest number, as A almost is: the last factor takes a part.
    last = factors[-1].scaled(2.0**64)
    return product([*factors[:-1], last], scale, exponent - 64)


def shifted_scale(scale: float, exponent: int) -> float:
    """Return scale * 2**exponent, infinite where that is too large."""
    try:
        return math.ldexp(scale, exponent)
    except OverflowError:
        return math.copysign(math.inf, scale)


def default_start(
    constraints: Sequence[Constraint], order: str, dtype: np.dtype
) -> list[Factor]:
    """Return identities, and zero for the factor that is updated first."""
    factors = [np.eye(*constraint.shape, dtype=dtype) for constraint in constraints]
    factors[0 if order == "left-to-right" else -1][:] = 0
    return [compressed(factor) for factor in factors]


def checked_constraints(
    constraints: Sequence[Constraint], shape: tuple[int, ...]
) -> list[Constraint]:
    """Return the constraints as a list, if they are some and their shapes chain."""
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


def check_sweeps(n_iter: int, tol: float) -> None:
    """Refuse numbers of sweeps below 1, and tolerances below 0."""
    if not isinstance(n_iter, numbers.Integral) or isinstance(n_iter, bool):
        raise TypeError(f"n_iter must be an integer, got {n_iter!r}")
    if n_iter < 1:
        raise ValueError(f"n_iter must be at least 1, got {n_iter}")
    if not tol >= 0:
        raise ValueError(f"tol must be at least 0, got {tol!r}")


def check_options(n_iter, tol, order, scaling, step, keep):
    """Refuse options that `palm4msa` does not have."""
    check_sweeps(n_iter, tol)
    if order not in ORDERS:
        raise ValueError(f"order must be one of {ORDERS}, got {order!r}")
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {SCALINGS}, got {scaling!r}")
    if isinstance(step, bool) or not isinstance(step, numbers.Real):
        raise TypeError(f"step must be a number, got {step!r}")
    if not 0 < step < 2:
        raise ValueError(f"step must be between 0 and 2, both excluded, got {step!r}")
    if keep not in KEEPS:
        raise ValueError(f"keep must be one of {KEEPS}, got {keep!r}")


def checked_fixed(fixed: Sequence[int], n_factors: int) -> list[int]:
    """Return the places of factors that do not change, from 0."""
    for j in fixed:
        if isinstance(j, bool) or not isinstance(j, numbers.Integral):
            raise TypeError(f"fixed must hold integers, got {j!r}")
        if not -n_factors <= j < n_factors:
            raise ValueError(f"fixed holds {j}, there are {n_factors} factors")
    return [j % n_factors for j in fixed]


def start_of(
    constraints: Sequence[Constraint],
    init: Any,
    order: str,
    dtype: np.dtype,
    random_state: Any,
) -> tuple[list[Factor], float, bool]:
    """Return the factors to start from, the scale, and whether they were given."""
    shapes = [tuple(constraint.shape) for constraint in constraints]
    if init is None:
        return default_start(constraints, order, dtype), 1.0, False
    if isinstance(init, str):
        if init != "random":
            raise ValueError(f'init must be "random" or factors, got {init!r}')
        return _random_start(constraints, dtype, random_state), 1.0, False
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
    return [compressed(np.array(a, dtype, order="C")) for a in arrays], scale, True


def _tamed(factors, places, scale, exponent, dtype):
    """Bring the norms of factors that may be scaled near 1, where they are extreme.

    Return the scale, in units of 2^exponent, that makes up for it.
    """
    total = -exponent
    for j in places:
        own = math.frexp(factors[j].norm())[1]
        if abs(own) > _EXTREME:
            half = own // 2  # twice: 2**1030 is not a double
            factors[j] = factors[j].scaled(2.0**-half).scaled(2.0**-half)
            total += 2 * half
    mantissa, own = math.frexp(scale)
    largest = _LARGEST[real_dtype(dtype).char]
    return math.ldexp(mantissa, own + total) if abs(own + total) < largest else 1.0


def _random_start(constraints, dtype, random_state):
    """Return Gaussian matrices, projected."""
    rng = np.random.default_rng(random_state)
    factors = []
    for constraint in constraints:
        x = rng.standard_normal(constraint.shape)
        if dtype.kind == "c":
            x = x + 1j * rng.standard_normal(constraint.shape)
        projected = constraint.project(x.astype(dtype))
        factors.append(compressed(np.array(projected, dtype, order="C")))
    return factors
