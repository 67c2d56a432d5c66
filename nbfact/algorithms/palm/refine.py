"""refine: exact least squares on fixed supports, one factor after the other."""

import functools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...kernels import frobenius_norm, max_abs
from ...operators import FactorProduct
from ..common.factors import Dense, Factor
from ..common.result import (
    Factorization,
    FactorsLike,
    SweepCallback,
    SweepState,
)
from ..common.target import TargetLike, checked_target, shift
from .iterations import SweepRecord
from .sweep_options import SweepOptions, checked_fixed
from .value_sweeps import ValueSweeps, dense_product, unit_factors

_RIDGE = 1e-10
"""Number that is added to the diagonal of a system whose diagonal is scaled to 1; the
precision of the target where that is more. A solve then multiplies values by at most
1 / (2 sqrt(ridge)). Where the supports leave values free, larger ones would cancel and
cost the product its digits."""

_MARGIN = 100
"""Times what a sweep adds to the rounding of the product that its gain must be, for the
sweep to be kept."""


def refine(
    result: FactorsLike,
    target: TargetLike | None = None,
    *,
    n_iter: int = 10,
    tol: float = 1e-6,
    fixed: Sequence[int] = (),
    callback: SweepCallback | None = None,
) -> Factorization:
    """Improve the values of sparse factors, and leave their supports unchanged.

    Parameters
    ----------
    result : Factorization, FactorProduct, or sequence of J arrays
        The factors to start from. Their non-zeros are the supports: nothing else of
        the sets they were learned in is kept.
    target : array_like, scipy sparse or LinearOperator, (m, n), optional
        The matrix A, real or complex, finite; it is made dense. By default it is the
        one that `result` remembers.
    n_iter : int, default 10
        Maximum number of sweeps over all factors.
    tol : float, default 1e-6
        Stop when a sweep lowers the relative error by at most `tol` times the error
        before it.
    fixed : sequence of int, default ()
        Indices of the factors that do not change, not even in scale.
    callback : callable, optional
        Called with a `SweepState` after each sweep; returning True stops.

    Returns
    -------
    Factorization
        Never worse than `result`, in the dtype of the target. Factors that are not
        fixed have Frobenius norm 1 (a zero factor stays zero), the scale carries the
        rest and is positive, and entries that became exactly zero are gone. Where
        nothing was to be gained, the factors and the scale are those of `result`. For a
        zero target the scale is 0.

    Raises
    ------
    TypeError
        A target or factors that are not numeric; complex factors for a real target.
    ValueError
        No target; shapes that do not fit; NaN or infinity; n_iter < 1, tol < 0; an
        index in `fixed` out of range, or all factors fixed.

    See Also
    --------
    palm4msa, explore : Learn the supports.

    Notes
    -----
    Each factor S in turn, with L and R the products on its left and right, takes the
    values s on its support (I, J) that minimise ‖A - L S R‖. They are s + δ, where

        K δ = (Lᴴ E Rᴴ)[I, J],  K[a, b] = (LᴴL)[I_a, I_b] (R Rᴴ)[J_b, J_a],

    and E = A - L S R. K is block diagonal over the connected components of its two Gram
    matrices: a block is a row of the first factor, a column of the last one, and a
    single unknown in a butterfly. Blocks are solved by Cholesky factorizations with a
    small ridge (a number added to the diagonal; as it acts on δ, it moves no solution),
    or by conjugate gradients past some 2000 unknowns. An exact line search along δ
    makes sure that no step increases the error. Between two solves the norms at the
    inner index of two factors are made nearly equal, by powers of two. Sweeps go from
    right to left and from left to right by turns. A sweep that gains less than it adds
    to the rounding of the product, as measured on the factors that would be returned,
    is dropped, and is the last.

    Cost of a sweep: O(nnz J (m + n)) operations, where nnz counts the non-zeros of all
    factors, and k³ / 3 for each block of k unknowns. All is computed in double
    precision. The method is local: to find the best values on given supports is NP-hard
    in general.

    References
    ----------
    Q.-T. Le, E. Riccietti and R. Gribonval, Spurious valleys, NP-hardness, and
    tractability of sparse matrix factorization with fixed support, SIAM J. Matrix
    Anal. Appl. 44(2), 2023.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.targets.hadamard(8)
    >>> factors = [S.copy() for S in nf.hierarchical(A, "hadamard").factors]
    >>> rng = np.random.default_rng(0)
    >>> for factor in factors:  # right supports, wrong values
    ...     factor.data *= rng.uniform(0.5, 1.5, factor.nnz)
    >>> bool(nf.relative_error(A, nf.FactorProduct(factors)) > 0.5)
    True
    >>> bool(nf.refine(factors, A).relative_error < 1e-12)
    True
    """
    began = time.perf_counter()
    if target is None:
        target = getattr(result, "target", None)
    if target is None:
        raise ValueError("target is needed: result does not remember the matrix")
    matrix = checked_target(target, 1)
    start = _checked_start(result, matrix)
    places = checked_fixed(fixed, len(start.factors))
    options = SweepOptions(n_iter=n_iter, tol=tol, fixed=places, callback=callback)
    if len(set(places)) == len(start.factors):
        raise ValueError("fixed holds all factors: there is nothing to refine")
    record = SweepRecord(began)
    if max_abs(matrix) == 0:
        record.add(0.0, 0.0, 0)
        zero = FactorProduct(start.factors, 0.0)
        return Factorization(zero, 0.0, record.history, target=matrix)
    best, error = _improved(matrix, start, options, record)
    return Factorization(best, error, record.history, target=matrix)


def _improved(
    matrix: np.ndarray,
    start: FactorProduct,
    options: SweepOptions,
    record: SweepRecord,
) -> tuple[FactorProduct, float]:
    """Sweep until a rule of `refine` says stop; return the best product, its error."""
    exponent = int(np.frexp(max_abs(matrix))[1])
    target = shift(matrix.astype(np.result_type(matrix, np.float64)), -exponent)
    eps = float(np.finfo(matrix.dtype).eps)
    sweeps = ValueSweeps.of(target, start, options.fixed, max(_RIDGE, eps))
    best = start
    error, rounding = _errors(target, start, exponent)
    for iteration in range(1, options.n_iter + 1):
        sweeps = sweeps.swept()
        # What counts is the error of what would be returned, rounded to its dtype.
        # Where no values are best, because larger and larger ones are better and
        # cancel, the gain has to be well above what rounding adds to the product.
        product = sweeps.product(start, exponent, matrix.dtype)
        previous, (current, noise) = error, _errors(target, product, exponent)
        if current < error and error - current >= _MARGIN * (noise - rounding) - 1e-14:
            best, error, rounding = product, current, noise
        record.add(error, best.scale, 0)
        if options.callback is not None:
            parts = functools.partial(_dense_factors, best)
            if options.callback(SweepState(iteration, error, best.scale, parts)):
                break
        if error <= max(eps / 8, 1e-15) or previous - error <= options.tol * previous:
            break
    return best, error


def _errors(
    target: np.ndarray, product: FactorProduct, exponent: int
) -> tuple[float, float]:
    """Return the relative error of a product, and what rounding may add to it.

    The target is divided by 2**exponent.
    """
    factors, total = unit_factors(product, target.dtype)
    mantissa, own = np.frexp(product.scale)
    power = min(max(total + int(own) - exponent, -900), 900)
    residual = target - shift(float(mantissa) * dense_product(factors), power)
    sizes = np.full(product.shape[1], product.shape[1] ** -0.5)
    for factor in reversed(factors):
        sizes = abs(factor.matrix()) @ sizes
    noise = np.finfo(product.dtype).eps * shift(sizes, power)
    norm = frobenius_norm(target)
    return frobenius_norm(residual) / norm, frobenius_norm(noise) / norm


def _dense_factors(product: FactorProduct) -> list[Factor]:
    """Return the factors of a product as a callback reads them."""
    return [Dense(factor.toarray()) for factor in product.factors]


def _checked_start(result: FactorsLike, target: np.ndarray) -> FactorProduct:
    """Return the product to start from, in the dtype of the target, or raise."""
    factors: Any = getattr(result, "factors", result)
    scale: float = getattr(result, "scale", 1.0)
    product = FactorProduct(factors, scale)
    if product.shape != target.shape:
        raise ValueError(f"result is {product.shape} but target is {target.shape}")
    if product.dtype.kind == "c" and target.dtype.kind != "c":
        raise TypeError(f"result is complex but target is {target.dtype}")
    with np.errstate(over="ignore"):
        factors = [factor.astype(target.dtype) for factor in product.factors]
    return FactorProduct(factors, product.scale)
