"""The family "sparse codes": products D X of a wide matrix, D square, both sparse."""

import time
from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from ....operators import FactorProduct
from ...coding.sparse_dictionary import Coding, learn_coding
from ...common.problem import Problem, shift
from ...common.result import Factorization
from ...palm.iterations import SweepRecord
from ...palm.refinement import RefineOptions, refine_problem
from ..stages import Deadline
from ..starts import Start
from .family import Family, FamilyTask

_TILTS = (1.0, 2.0)
"""How many times as large as that of a code the marginal error of an entry of the
dictionary counts: 1 is better for what is random, and 2 for lead fields."""

_LOOK, _LONG, _REFINED = 12, 80, 10
"""Numbers of turns with each of them and of the long run of the better one, and of the
sweeps of least squares after them."""

_TIME = 0.5
"""Share of the time that is left which this family may take: the others need some."""


def coded_products(task: FamilyTask) -> Iterator[Start]:
    """Yield the best dictionary and codes after a short run, and after a long one.

    A tall matrix has the adjoints of both. Square ones are left to the explorations.
    """
    problem = task.problem
    m, n = problem.shape
    if m == n or task.budget < 2 * min(m, n) or task.limit <= task.exact:
        return
    matrix = problem.wide.array
    if m > n:
        matrix = np.ascontiguousarray(matrix.conj().T)
    now = time.time()
    deadline = Deadline(now + _TIME * max(0.0, task.end - now))
    first = Coding.first(matrix, task.budget)
    looked = []
    for tilt in _TILTS:
        best, last = learn_coding(
            matrix, first, task.budget, tilt, _LOOK, lambda: deadline.over
        )
        looked.append((best, last, tilt))
    best, last, tilt = min(looked, key=lambda one: one[0].error)
    yield _found(problem, best, deadline)
    if not deadline.over:
        last = last._replace(error=best.error)
        better, _ = learn_coding(
            matrix, last, task.budget, tilt, _LONG, lambda: deadline.over
        )
        if better.error < best.error:
            yield _found(problem, better, deadline)


def _found(problem: Problem, coding: Coding, deadline: Deadline) -> Start:
    """Return the product of a dictionary and codes, with refined values."""
    factors = [coding.dictionary, coding.codes]
    if problem.shape[0] > problem.shape[1]:
        factors = [one.conj().T for one in reversed(factors)]
    factors[1] = shift(factors[1], problem.wide.exponent)
    sparse = [sp.csr_array(one.astype(problem.dtype)) for one in factors]
    product = FactorProduct(sparse)
    options = RefineOptions(n_iter=_REFINED, callback=deadline)
    found: Factorization = refine_problem(problem, product, options, SweepRecord())
    return Start.of("sparse codes", found, keeps_shares=True)


CODED_PRODUCTS = Family("sparse codes", within=coded_products)
"""Products of a sparse dictionary and sparse codes."""
