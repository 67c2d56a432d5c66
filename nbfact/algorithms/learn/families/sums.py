"""The family "sums of products": sums of two products of Kronecker-sparse factors."""

import math
from collections.abc import Callable, Iterator
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
from .family import Family, FamilyTask
from .kronecker_sums import sums_of_kroneckers

Found: TypeAlias = ButterflyFactorization[Butterfly]
"""A term of a sum."""

_TURNS, _SLOW = 300, 1e-3
"""Largest number of times that both terms are fitted anew to what the other one leaves
over, and the least share by which the error falls in a turn that goes on. Behind a
slower one, chains are looked for anew, and the turns end where none is better."""

_AHEAD = 20
"""Number of turns with the gain of the last one that are expected of the others
together, because each gains less than the one before it."""

_FIRST = 0.8
"""Relative error of the first term that is accepted in any case: of two terms of equal
norms, one leaves 0.7 over."""

_LARGEST = 1 << 14
"""Largest number of entries of a target for which sums are tried: two searches among
chains take half a second at n = 64, and five at n = 256."""


def sums(task: FamilyTask) -> Iterator[Start]:
    """Yield a sum of Kronecker products, and a sum of two chains where it is better.

    The second chain is for what the first one, with half of the budget, leaves over.
    """
    problem = task.problem
    m, n = problem.shape
    if min(m, n) == 1 or m * n > _LARGEST or task.limit <= task.exact:
        return
    for one in sums_of_kroneckers(task):
        yield one
        task = task._replace(limit=one.error)
    if task.limit <= task.exact:
        return
    # The second term is expected to lower the error as much as the first one did.
    enough = max(_FIRST, math.sqrt(task.limit))
    first = _best(problem, task.budget // 2, enough, task.over)
    if first is None or not task.exact < first.relative_error <= enough:
        return
    left = task.budget - first.operator.nnz
    second = _best(_rest(problem, first), left, 1.0, task.over)
    if second is None:
        return
    terms = _alternated(task, [first, second])
    found = measured(
        problem, OperatorSum([term.operator for term in terms]).to_factors()
    )
    if found.relative_error < task.limit and found.operator.nnz <= task.budget:
        said = f"sum of two products: {words(terms[0])}; {words(terms[1])}"
        yield Start.of("sum of products", found, said, keeps_shares=True)


def _alternated(task, terms):
    """Fit the terms in turns, and look for other chains, until neither helps.

    It ends too where no more is expected than what other families have found.
    """
    problem = task.problem
    error = terms[1].relative_error * terms[0].relative_error * problem.norm
    limit = task.limit * problem.norm
    for _ in range(_TURNS):
        before = error
        for place in (0, 1):
            rest = _rest(problem, terms[1 - place])
            if rest.zero:
                return terms
            terms[place] = _again(rest, terms[place])
            error = terms[place].relative_error * rest.norm
        if error <= task.exact * problem.norm or task.over():
            break
        if error * (error / before) ** _AHEAD > limit:
            break
        if error > (1 - _SLOW) * before:
            better = _other_chains(task, terms)
            if better is None:
                break
            terms, error = better
    return terms


def _other_chains(task, terms):
    """Return the terms with a better chain for one, and the error; None without any."""
    for place in (0, 1):
        rest = _rest(task.problem, terms[1 - place])
        nnz = task.budget - terms[1 - place].operator.nnz
        own = _again(rest, terms[place])
        found = _best(rest, nnz, own.relative_error * (1 - _SLOW), task.over)
        if found is not None and found.relative_error < own.relative_error:
            others = list(terms)
            others[place] = found
            return others, found.relative_error * rest.norm
    return None


def _best(
    problem: Problem, nnz: int, limit: float, over: Callable[[], bool]
) -> Found | None:
    """Return the best chain with at most `nnz` values, or None."""
    if nnz < 1 or problem.zero:
        return None
    split = SplitProblem.of(problem, "left-to-right", True)
    return searched_problem(problem, split, nnz, PLAIN, limit, over=over)


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
