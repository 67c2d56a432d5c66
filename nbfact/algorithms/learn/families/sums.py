"""The family "sums of products": sums of two products of Kronecker-sparse factors."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from ....operators import Butterfly
from ....operators.operator_sum import OperatorSum
from ...butterfly.butterfly_factorize import ButterflyOptions, butterfly_problem
from ...butterfly.butterfly_result import ButterflyFactorization
from ...butterfly.chain_search import PLAIN, searched_problem
from ...butterfly.split_problem import SplitProblem
from ...common.problem import Problem, problem_of
from ...common.result import Factorization
from ..starts import Start, measured
from .chain_family import words
from .family import Family, Task

Found: TypeAlias = ButterflyFactorization[Butterfly]
"""A term of a sum."""

_TURNS = 12
"""Number of times that one term is fitted anew to what the other one leaves over."""

_LARGEST = 1 << 14
"""Largest number of entries of a target for which sums are tried: two searches among
chains take half a second at n = 64, and five at n = 256."""


def sums(task: Task) -> Iterator[Start]:
    """Yield a chain with half of the budget, and one for what it leaves over."""
    problem = task.problem
    m, n = problem.shape
    if min(m, n) == 1 or m * n > _LARGEST or task.limit <= task.exact:
        return
    # The second term is expected to lower the error as much as the first one did.
    first = _best(problem, task.budget // 2, math.sqrt(task.limit))
    if first is None or first.relative_error <= task.exact:
        return
    second = _best(_rest(problem, first), task.budget - first.operator.nnz, 1.0)
    if second is None:
        return
    terms = [first, second]
    for turn in range(_TURNS):
        place = turn % 2
        rest = _rest(problem, terms[1 - place])
        terms[place] = _again(rest, terms[place])
    found = measured(
        problem, OperatorSum([term.operator for term in terms]).to_factors()
    )
    if found.relative_error < task.limit and found.operator.nnz <= task.budget:
        said = f"sum of two products: {words(first)}; {words(second)}"
        yield Start.of("sum of products", found, said, keeps_shares=True)


def _best(problem: Problem, nnz: int, limit: float) -> Found | None:
    """Return the best chain with at most `nnz` values, or None."""
    if nnz < 1 or problem.zero:
        return None
    split = SplitProblem.of(problem, "left-to-right", True)
    return searched_problem(problem, split, nnz, PLAIN, limit)


def _rest(problem: Problem, term: Factorization[Butterfly]) -> Problem:
    """Return the problem of what a term leaves over."""
    return problem_of(problem.array - term.operator.toarray())


def _again(problem: Problem, term: Found) -> Found:
    """Return the factorization of a matrix in the chain and the orders of a term."""
    operator = term.operator
    rows, columns = operator.rows, operator.columns
    options = ButterflyOptions(
        permutation=(rows, columns), transpose=bool(term.transposed)
    )
    chain = operator.chain.T if term.transposed else operator.chain
    found = butterfly_problem(problem, chain, options)
    return replace(found, permutation=term.permutation)


SUMS = Family("sums of products", within=sums)
"""Sums of two products of Kronecker-sparse factors."""
