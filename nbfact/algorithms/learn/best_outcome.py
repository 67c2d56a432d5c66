"""What a search returns: the best of what it found, in words and as an operator."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import scipy.sparse as sp

from ...operators import FactorProduct, FastOperator
from ...operators.named_transform import NamedTransform
from ..common.problem import Problem
from ..common.result import CallbackState, Factorization, History
from .outcomes import LearnedTransform, Trial
from .product_budget import ProductBudget, ProductTimes
from .product_timing import measured_times
from .starts import Start, rounding

_GAIN = 1.4
"""How many times as many entries a Butterfly may have as the FactorProduct of the same
matrix, which leaves out the zeros among its values, and still multiply faster. With as
many entries, those of the 256-point cosine transform, it is 1.7 times faster with 64
columns and 2.2 times with one (float64, one thread)."""

_EQUAL = 1e-12
"""Relative difference of errors up to which they count as equal, and the fewer
non-zeros win: that of sums in another order."""

NEAR = 0.05
"""Largest relative error of a structure that is said beside a better result."""


class SearchRecord(NamedTuple):
    """What a search has tried, why it has ended, and what was allowed."""

    trials: tuple[Trial, ...]
    stopped: str
    budget: int
    product: ProductBudget | None


def outcome(
    problem: Problem,
    found: Sequence[Start],
    fast: Sequence[Start],
    search: SearchRecord,
) -> LearnedTransform:
    """Return the best of what fits the budget: the matrix itself where nothing does.

    fast: what families found whose members depend on no budget.
    """
    if not found:
        return _dense_outcome(problem, search)
    exact = rounding(problem.dtype)
    least = max(min(one.error for one in found), exact) * (1 + _EQUAL)
    best = min(
        (one for one in found if one.error <= least),
        key=lambda one: (one.nnz, max(one.error, exact), not one.structure),
    )
    result = best.result
    assert result is not None, "what has no result is not kept"
    words = said(best, exact)
    near = [one for one in [*fast, *found] if one.structure and one.error <= NEAR]
    known = [one for one in near if one.named and one.error <= exact]
    if known and not best.named:
        words = f"{known[0].words}, as {words}"
    elif near and not best.named and best.error > exact:
        closest = min(near, key=lambda one: (not one.named, one.error))
        if closest.named or not best.structure:
            words += f"; near {said(closest, exact)}"
    operator = fastest(best, search.budget, search.product)
    return LearnedTransform(
        operator,
        result.relative_error,
        result.history,
        target=problem.array,
        structure=words,
        method=best.method,
        budget=search.budget,
        trials=search.trials,
        stopped=search.stopped,
        times=_times(operator, problem, search),
    )


def _dense_outcome(problem, search):
    """Return the matrix itself, where nothing is expected to be fast enough."""
    operator = FactorProduct([problem.array])
    return LearnedTransform(
        operator,
        0.0,
        History(),
        target=problem.array,
        structure="dense matrix: nothing is expected to be fast enough",
        method="dense matrix",
        budget=search.budget,
        trials=search.trials,
        stopped=search.stopped,
        times=_times(operator, problem, search),
    )


def _times(operator, problem, search) -> ProductTimes | None:
    """Return how long a product takes, where that is the budget."""
    if search.product is None:
        return None
    try:
        return measured_times(operator, problem.array, search.product)
    except KeyboardInterrupt:  # what was found is not lost with its times
        return None


def said(found: Start, exact: float) -> str:
    """Return what a result is, with its error unless that is only rounding."""
    error = "" if found.error <= exact else f", relative error {found.error:.2g}"
    return found.words + error


def fastest(best: Start, budget: int, product: ProductBudget | None) -> FastOperator:
    """Return the operator of a result in the fastest form that fits the budget."""
    form, result = best.form, best.result
    assert result is not None, "what has no result is not kept"
    if form is None or form.nnz > budget:
        return result.operator
    if product is not None:
        return min(form, result.operator, key=product.expected)
    # A Toeplitz matrix with few entries that are not zero is faster without its form.
    named = isinstance(form, NamedTransform) and best.method != "convolution"
    return form if named or form.nnz <= _GAIN * best.nnz else result.operator


def trial_of(start: Start, seconds: float) -> Trial:
    """Return the trial that found a factorization."""
    found, words = start.nnz, start.words
    return Trial(start.method, start.n_factors, start.error, found, seconds, "", words)


def trial_state(
    number: int, trial: Trial, result: Factorization | None, remaining: float
) -> CallbackState:
    """Return what the callback of a search gets: a trial, and about how long is left.

    number: how many trials there are with this one.
    """
    factors = list[sp.csr_array]() if result is None else result.factors
    return CallbackState(
        number,
        trial.error,
        1.0 if result is None else result.scale,
        functools.partial(list, factors),
        phase=trial.method,
        failure=trial.failure,
        remaining=remaining,
    )
