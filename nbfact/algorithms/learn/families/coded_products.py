"""The family "sparse codes": products D X of a wide matrix, D square, both sparse."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from ....operators import FactorProduct
from ...coding.sparse_dictionary import Coding, CodingTask, learn_coding, sampled
from ...common.problem import Problem, shift
from ...common.result import Factorization
from ...palm.iterations import SweepRecord
from ...palm.refinement import RefineOptions, refine_problem
from ..stages import Deadline
from ..starts import Start, measured
from .family import Family, FamilyTask

_TILTS = (1.0, 2.0)
"""How many times as large as that of a code the marginal error of an entry of the
dictionary counts: 1 is better for what is random, and 2 for lead fields."""

_LOOK, _LONG, _REFINED = 12, 80, 10
"""Numbers of turns with each of them and of the long run of the better one, and of the
sweeps of least squares after them."""

_EXCHANGED = 20
"""Number of turns at last that exchange single entries of the codes."""

_SAMPLE_LONG = 30
"""Number of turns of the long run on a sample of the columns, which with more of them
fits the sample and not the matrix."""

_TIME, _SAMPLE_TIME = 0.75, 0.25
"""Shares of the time that is left which end all runs, because the last turn takes long
and others need some, and those on a sample."""

_LONG_TIME = 0.6
"""Share of the time that is left to the long run and the exchanges which ends the first
of the two."""


def coded_products(task: FamilyTask) -> Iterator[Start]:
    """Yield the best dictionary and codes after a short run, and after a long one.

    A tall matrix has the adjoints of both. Square ones are left to the explorations.
    """
    problem, budget = task.problem, task.budget
    m, n = sorted(problem.shape)
    if m == n or budget < 2 * m or task.limit <= task.exact:
        return
    matrix = problem.wide.array
    if problem.shape[0] == n:
        matrix = np.ascontiguousarray(matrix.conj().T)
    whole, early = (task.deadline.part(one) for one in (_TIME, _SAMPLE_TIME))
    sample = sampled(matrix, task.rng)
    part = CodingTask(sample, budget, sample.shape[1] / n)
    first = Coding.first(sample, budget)
    runs = [
        (learn_coding(part, first, tilt, _LOOK, lambda: early.over), tilt)
        for tilt in _TILTS
    ]
    (best, last), tilt = min(runs, key=lambda run: run[0][0].error)
    signals = CodingTask(matrix, budget)
    if sample is not matrix:
        best, _ = learn_coding(part, last, tilt, _SAMPLE_LONG, lambda: early.over)
        start = best.of_columns(matrix)
        best, last = learn_coding(signals, start, tilt, _LOOK, lambda: whole.over)
    yield _found(problem, best, whole)
    if whole.over:
        return
    long = whole.part(_LONG_TIME)
    last = last._replace(error=best.error)
    better, _ = learn_coding(signals, last, tilt, _LONG, lambda: long.over)
    better = min(best, better, key=lambda coding: coding.error)
    signals = signals._replace(exchanged=True)
    better, _ = learn_coding(signals, better, tilt, _EXCHANGED, lambda: whole.over)
    if better.error < best.error:
        yield _found(problem, better, whole)


def _found(problem: Problem, coding: Coding, deadline: Deadline) -> Start:
    """Return the product of a dictionary and codes, with values refined in time."""
    factors = [coding.dictionary, coding.codes]
    if problem.shape[0] > problem.shape[1]:
        factors = [one.conj().T for one in reversed(factors)]
    factors[1] = shift(factors[1], problem.wide.exponent)
    sparse = [sp.csr_array(one.astype(problem.dtype)) for one in factors]
    product = FactorProduct(sparse)
    found: Factorization
    if deadline.over:  # a sweep of the least squares may take as long as a turn
        found = measured(problem, product)
    else:
        options = RefineOptions(n_iter=_REFINED, callback=deadline)
        found = refine_problem(problem, product, options, SweepRecord())
    return Start.of("sparse codes", found, keeps_shares=True)


CODED_PRODUCTS = Family("sparse codes", within=coded_products, share=1.0)
"""Products of a sparse dictionary and sparse codes."""
