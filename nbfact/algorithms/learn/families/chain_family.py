"""The family "chains": products of Kronecker-sparse factors in any chain."""

import functools
import math
from collections.abc import Iterator

import numpy as np

from ....operators import Butterfly, Chain
from ...butterfly.butterfly_factorize import ButterflyOptions, butterfly_problem
from ...butterfly.butterfly_result import ButterflyFactorization
from ...butterfly.chain_search import COSINES, PLAIN, searched_problem
from ...butterfly.split_problem import SplitProblem
from ..starts import Start
from .family import Family, FamilyTask


def fixed(task: FamilyTask) -> Iterator[Start]:
    """Yield the butterfly of the usual chain, with the best permutation of a name."""
    m, n = task.problem.shape
    if min(m, n) == 1:
        return
    fast = m == n and n & (n - 1) == 0
    chain = None if fast else Chain.smallest((m, n))
    options = ButterflyOptions(permutation="search" if fast else None)
    found = butterfly_problem(task.problem, chain, options)
    yield Start.of("fixed butterfly", found, words(found))


def searched(task: FamilyTask) -> Iterator[Start]:
    """Yield the best of all chains within the budget, where it is better than others.

    Makhoul's order is tried for chains that are exact alone.
    """
    problem = task.problem
    if min(problem.shape) == 1:
        return
    split = SplitProblem.of(problem, "left-to-right", True)
    known = [one.nnz - 1 for one in task.found if one.error <= task.exact]
    lightest = min([task.budget, *known])
    if lightest < 1:
        return
    search = functools.partial(searched_problem, problem, split, over=task.over)
    found = search(lightest, PLAIN + COSINES, 0.0)
    if found is None and task.limit > task.exact:
        found = search(task.budget, PLAIN, task.limit)
    if found is not None:
        yield Start.of("chain", found, words(found))


def words(found: ButterflyFactorization[Butterfly]) -> str:
    """Return what a chain is, as "Kronecker 8 x 4", "rank 5" or "radices 3 x 2 x 2"."""
    operator, permuted = found.operator, _order(found.permutation)
    chain = operator.chain.T if found.transposed else operator.chain
    turned = ", transposed" * found.transposed
    if len(chain) == 1:
        return "dense matrix" if operator.values[0].all() else "sparse matrix"
    (_, _, c, d), last = chain.patterns[0], chain.patterns[-1]
    if len(chain) == 2 and d == 1 and last[0] == 1:
        return f"rank {c}"
    rows, columns = _radices(chain)
    ranks = set(chain.ranks)
    plain = "x".join(map(str, rows)).replace("x", " x ")
    if ranks == {1} and rows == columns and operator.rows is operator.columns is None:
        if _is_kronecker(operator, rows, found.transposed):
            return f"Kronecker {plain}"
    wide = " x ".join(map(str, columns))
    radices = plain if rows == columns else f"{plain} of rows, {wide} of columns"
    rank = "" if ranks == {1} else f", rank {', '.join(map(str, sorted(ranks)))}"
    return f"butterfly, radices {radices}{rank}{permuted}{turned}"


def _order(name):
    """Return what the name of a permutation says, in words."""
    if name in (None, "identity"):
        return ""
    if name == "digit-reversal of the rows":
        return ", rows digit-reversed"
    spoken = {"digit-reversal": "digit-reversed", "bit-reversal": "bit-reversed"}
    return f", columns {spoken.get(name, f'in the order {name}')}"


def _radices(chain):
    """Return by which numbers each factor splits the rows, and the columns."""
    ahead = [pattern[0] for pattern in chain.patterns]
    behind = [pattern[3] for pattern in chain.patterns]
    columns = [*ahead[1:], chain.shape[1]]
    rows = [chain.shape[0], *behind[:-1]]
    return (
        [one // other for one, other in zip(rows, behind, strict=True)],
        [one // other for one, other in zip(columns, ahead, strict=True)],
    )


def _is_kronecker(operator, radices, transposed):
    """Return whether a chain of square radices is a Kronecker product of matrices.

    Then all blocks of each factor are multiples of one.
    """
    matrix = operator.toarray()
    n = len(matrix)
    if transposed:
        radices = radices[::-1]
    done = 1
    for radix in radices[:-1]:
        done *= radix
        apart = matrix.reshape(done, n // done, done, n // done).transpose(0, 2, 1, 3)
        sigma = np.linalg.svd(apart.reshape(done**2, -1), compute_uv=False)
        if sigma[1] > math.sqrt(np.finfo(matrix.dtype).eps) * sigma[0]:
            return False
    return True


CHAINS = Family("chains", once=fixed, within=searched, dense_parts=True)
"""Products of Kronecker-sparse factors."""
