"""Sweep after sweep until a rule of `nbfact.palm4msa` says stop, on record."""

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...operators import FactorProduct
from ...operators.factor_product import canonical_product
from ..common.factors import Factor
from ..common.problem import Problem
from ..common.result import CallbackState, Factorization, History
from .initial_factors import SweepStart
from .sweep import Sweeps
from .sweep_options import SweepOptions


class Iterate(NamedTuple):
    """Where the sweeps are: the factors, left to right, λ, and the relative error."""

    factors: list[Factor]
    scale: float
    error: float


class SweepRecord:
    """The history of a run, in the units of the target.

    Parameters
    ----------
    began : float, optional
        When the call began, by `time.perf_counter`: by default now.
    """

    def __init__(self, began: float | None = None) -> None:
        self.history = History()
        self._began = time.perf_counter() if began is None else began

    def fresh(self) -> "SweepRecord":
        """Return an empty record of a run of the same call."""
        return SweepRecord(self._began)

    def add(self, error: float, scale: float, entered: int) -> None:
        """Record the error of a sweep, its λ, and the number of new non-zeros."""
        self.history.errors.append(error)
        self.history.scales.append(scale)
        self.history.seconds.append(time.perf_counter() - self._began)
        self.history.support_changes.append(entered)


def palm4msa_problem(
    problem: Problem, start: SweepStart, options: SweepOptions, record: SweepRecord
) -> Factorization:
    """Return what `palm4msa` does for a problem, from a start."""
    if problem.zero:
        return zero_factorization(problem, start, options, record)
    return factorization(problem, iterate(problem, start, options, record), record)


def iterate(
    problem: Problem, start: SweepStart, options: SweepOptions, record: SweepRecord
) -> Iterate:
    """Sweep until a rule of `palm4msa` says stop, and return the last or best iterate.

    Its λ is that of the target as the sweeps have it, which is not zero or is the part
    of one; `record` and the callback of `options` get λ in the units of the target.
    """
    sweeps = Sweeps(problem, start, options)
    least = math.inf
    previous, error = math.inf, math.inf
    for iteration in range(1, options.n_iter + 1):
        leak = options.leak((iteration - 1) / options.n_iter) if options.leak else 0.0
        with np.errstate(all="ignore"):
            error, scale, entered = sweeps.sweep(leak)
        if not (math.isfinite(error) and math.isfinite(scale)):
            if leak and least < math.inf:
                break  # with a leak, what is remembered may grow without bound
            raise ValueError(
                f"the product of the factors overflows in sweep {iteration}: "
                "constraints of fixed norm, or fixed factors, are too large or small"
            )
        scale = shifted_scale(scale, problem.exponent)
        record.add(error, scale, entered)
        if options.keep == "best" and error < least:
            sweeps.keep()
            least = error
        if options.callback is not None:
            parts: Callable[[], list[Factor]] = functools.partial(
                list, sweeps.result[0]
            )
            if options.callback(CallbackState(iteration, error, scale, parts)):
                break
        if options.give_up is not None and options.give_up(record.history.errors):
            break
        change = abs(previous - error)
        settled = options.tol > 0 and change <= options.tol * previous < math.inf
        if settled or error <= sweeps.rounding:
            break
        previous = error
    if least < math.inf:
        return Iterate(*sweeps.kept, least)
    return Iterate(*sweeps.result, error)


def factorization(
    problem: Problem, found: Iterate, record: SweepRecord
) -> Factorization:
    """Return an iterate as a result, in the units of the target."""
    operator = product(found.factors, found.scale, problem.exponent)
    return Factorization(operator, found.error, record.history, target=problem.dense)


def zero_factorization(
    problem: Problem, start: SweepStart, options: SweepOptions, record: SweepRecord
) -> Factorization:
    """Return the result for a zero target: all factors are zero but fixed ones."""
    record.add(0.0, 0.0, 0)
    factors = [
        factor if j in options.fixed else factor.scaled(0.0)
        for j, factor in enumerate(start.factors)
    ]
    return factorization(problem, Iterate(factors, 0.0, 0.0), record)


def product(factors: Sequence[Factor], scale: float, exponent: int) -> FactorProduct:
    """Return λ 2**exponent S[0] ... S[J-1] as an operator."""
    shifted, sparse = shifted_scale(scale, exponent), [f.tocsr() for f in factors]
    if abs(shifted) <= _largest(sparse[0].dtype):
        if all(_finite_without_zeros(one.data) for one in sparse):
            return canonical_product(sparse, shifted)
        return FactorProduct(sparse, shifted)
    # λ exceeds the largest number of the dtype, as A almost does: the last factor takes
    # a part of it.
    last = factors[-1].scaled(2.0**64)
    return product([*factors[:-1], last], scale, exponent - 64)


@functools.cache
def _largest(dtype: np.dtype) -> float:
    """Return the largest number of a dtype."""
    return float(np.finfo(dtype).max)


def _finite_without_zeros(data: np.ndarray) -> bool:
    """Return whether entries are finite for sure, and none is zero.

    Scaling can make an entry vanish. Entries whose squares overflow count as infinite.
    """
    return (
        math.isfinite(abs(np.vdot(data, data))) and np.count_nonzero(data) == data.size
    )


def shifted_scale(scale: float, exponent: int) -> float:
    """Return scale * 2**exponent, infinite where that is too large for a double."""
    try:
        return math.ldexp(scale, exponent)
    except OverflowError:
        return math.copysign(math.inf, scale)
