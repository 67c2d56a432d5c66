"""Sweeps of exact least squares until they no longer help: `refine` for a problem."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kernels import frobenius_norm
from ...operators import Butterfly, FactorProduct, FastOperator
from ..common.factors import Dense, Factor
from ..common.operator_factors import butterfly_like
from ..common.problem import Problem, Wide, shift
from ..common.result import Callback, CallbackState, Factorization
from .iterations import SweepRecord
from .sweep_options import check_sweeps
from .value_sweeps import ValueSweeps, dense_product, unit_factors

_RIDGE = 1e-10
"""Number that is added to the diagonal of a system whose diagonal is scaled to 1; the
precision of the target where that is more. A solve then multiplies values by at most
1 / (2 sqrt(ridge)). Where the supports leave values free, larger ones would cancel and
cost the product its digits."""

_MARGIN = 100
"""Times what a sweep adds to the rounding of the product that its gain must be, for the
sweep to be kept."""


@dataclass(frozen=True, kw_only=True)
class RefineOptions:
    """The options of `refine`; making one checks them all.

    Attributes
    ----------
    n_iter, tol, callback
        See `nbfact.refine`.
    fixed : tuple of int
        Places of the factors that do not change, from 0, as `checked_fixed` returns
        them.

    Raises
    ------
    TypeError, ValueError
        An `n_iter` that is no integer of at least 1, a `tol` below 0, a `callback` that
        is not a function of one argument.
    """

    n_iter: int = 10
    tol: float = 1e-6
    fixed: tuple[int, ...] = ()
    callback: Callback | None = None

    def __post_init__(self) -> None:
        check_sweeps(self)


def refine_problem(
    problem: Problem,
    start: FactorProduct,
    options: RefineOptions,
    record: SweepRecord,
    form: Butterfly | None = None,
) -> Factorization[Any]:
    """Return what `refine` does for a problem, from factors of its shape and dtype.

    They may be those of a butterfly, the `form`, and then the result is one too.
    """
    if problem.zero:
        record.add(0.0, 0.0, 0)
        best, error = FactorProduct(start.factors, 0.0), 0.0
    else:
        best, error = _improved(problem, start, options, record)
    operator: FastOperator = best
    if form is not None and best is start:
        operator = form.astype(problem.dtype)
    elif form is not None:
        operator = butterfly_like(best, form, options.fixed)
    return Factorization(operator, error, record.history, target=problem.dense)


def _improved(
    problem: Problem,
    start: FactorProduct,
    options: RefineOptions,
    record: SweepRecord,
) -> tuple[FactorProduct, float]:
    """Sweep until a rule of `refine` says stop; return the best product, its error."""
    wide, eps = problem.wide, float(np.finfo(problem.dtype).eps)
    sweeps = ValueSweeps.of(wide.array, start, options.fixed, max(_RIDGE, eps))
    best = start
    error, rounding = _errors(wide, start)
    for iteration in range(1, options.n_iter + 1):
        sweeps = sweeps.swept()
        # What counts is the error of what would be returned, rounded to its dtype.
        # Where no values are best, because larger and larger ones are better and
        # cancel, the gain has to be well above what rounding adds to the product.
        product = sweeps.product(start, wide.exponent, problem.dtype)
        previous, (current, noise) = error, _errors(wide, product)
        if current < error and error - current >= _MARGIN * (noise - rounding) - 1e-14:
            best, error, rounding = product, current, noise
        record.add(error, best.scale, 0)
        if options.callback is not None:
            parts = functools.partial(_dense_factors, best)
            if options.callback(CallbackState(iteration, error, best.scale, parts)):
                break
        if error <= max(eps / 8, 1e-15) or previous - error <= options.tol * previous:
            break
    return best, error


def _errors(wide: Wide, product: FactorProduct) -> tuple[float, float]:
    """Return the relative error of a product, and what rounding may add to it."""
    factors, total = unit_factors(product, wide.array.dtype)
    mantissa, own = np.frexp(product.scale)
    power = min(max(total + int(own) - wide.exponent, -900), 900)
    matrices = [factor.matrix() for factor in factors]
    residual = wide.array - shift(float(mantissa) * dense_product(matrices), power)
    sizes = np.full(product.shape[1], product.shape[1] ** -0.5)
    for matrix in reversed(matrices):
        sizes = abs(matrix) @ sizes
    noise = np.finfo(product.dtype).eps * shift(sizes, power)
    return frobenius_norm(residual.reshape(-1)) / wide.norm, frobenius_norm(
        noise
    ) / wide.norm


def _dense_factors(product: FactorProduct) -> list[Factor]:
    """Return the factors of a product as a callback reads them."""
    return [Dense(factor.toarray()) for factor in product.factors]
