"""The search for the radices of a permuted chain, within a number of values.

The last factor of a chain splits the rows into b parts and the columns into groups of
c, and so does the first one with the transpose. What the best such split of the matrix
loses says which pairs (b, c) a chain may end with. The chains that are left are looked
at with one start of each side, the cheapest first, and the best of them in full.
"""

from dataclasses import replace

import numpy as np

from ...operators.radices import factorizations
from ..common.problem import Problem
from .identify_options import IdentifyOptions
from .nests import first_lost
from .permutation_search import LARGE, PermutationSearch
from .split_radices import SplitRadices

FEW = 12
"""Number of chains up to which all of them are looked at."""

MOST = 64
"""Maximum number of chains that are looked at."""

SURE = 0.5
"""Share of noise that a split must drop for noise to be estimated from it. Parts of two
rows and pairs of columns drop a quarter, and the best pairs fit noise too well."""

FINALISTS = 3
"""Number of chains, those of the least errors at first, that are searched in full."""

NEAR = 2.0
"""Largest ratio of the first error of a chain to the least one, for a search in full,
and of the noise estimated from its end factors to the least one, for a first look."""


def radices_within(shape: tuple[int, int], nnz: int) -> list[SplitRadices]:
    """Return the radices of all chains with at most `nnz` values, in their order.

    For a square matrix, those that split rows and columns alike come first; then those
    of fewer values, then those of fewer factors.
    """
    m, n = shape
    by_length: dict[int, list[tuple[int, ...]]] = {}
    for columns in factorizations(n):
        by_length.setdefault(len(columns), []).append(columns)
    found = []
    for rows in factorizations(m):
        for columns in by_length.get(len(rows), ()):
            radices = SplitRadices(rows, columns)
            cost = radices.n_parameters
            if cost <= nnz:
                other = m == n and rows != columns
                found.append((other, cost, len(rows), radices))
    return [radices for *_, radices in sorted(found)]


def search_radices(
    problem: Problem,
    nnz: int,
    options: IdentifyOptions,
    rng: np.random.Generator,
    limit: float = np.inf,
) -> PermutationSearch | None:
    """Return the search in the best chain within a number of values, after its end.

    Parameters
    ----------
    problem : Problem
        The target, (m, n).
    nnz : int
        The largest number of values.
    options : IdentifyOptions
    rng : numpy.random.Generator
    limit : float
        Relative errors above are of no use: with a finite limit, chains whose first or
        last factor alone leaves more with a few starts are not looked at, and a square
        matrix is split alike by rows and columns. A large square matrix is so too, if
        that explains it.

    Returns
    -------
    PermutationSearch or None
        None where there is no such chain.
    """
    m, n = problem.shape
    listed = radices_within((m, n), nnz)
    alike = [radices for radices in listed if radices.rows == radices.columns]
    if limit < np.inf and m == n:
        listed = alike
    elif m == n and m * n > LARGE and alike:
        found = _best_of(problem, alike, options, rng, limit)
        if found is not None and (found.is_exact or found.is_explained):
            return found
    return _best_of(problem, listed, options, rng, limit)


def _best_of(
    problem: Problem,
    listed: list[SplitRadices],
    options: IdentifyOptions,
    rng: np.random.Generator,
    limit: float,
) -> PermutationSearch | None:
    """Return the search in the best of some chains; see `search_radices`."""
    if len(listed) > FEW or limit < np.inf:
        listed = _likely(problem, listed, rng, limit)[:MOST]
    quick = replace(options, n_iter=min(4, options.n_iter), n_restarts=1)
    looked: list[PermutationSearch] = []
    for radices in listed:
        search = PermutationSearch(problem, quick, radices)
        search.run(rng)
        looked = sorted([*looked, search], key=lambda one: one.best.error)[:FINALISTS]
        if search.is_stopped:
            return looked[0]
    for number, search in enumerate(looked):
        if search.best.error <= NEAR * min(looked[0].best.error, limit):
            looked[number] = PermutationSearch(problem, options, search.radices)
            looked[number].run(rng)
            if looked[number].is_stopped:
                break
    return min(looked, key=lambda search: search.best.error, default=None)


def _likely(
    problem: Problem,
    listed: list[SplitRadices],
    rng: np.random.Generator,
    limit: float,
) -> list[SplitRadices]:
    """Return the chains that may explain a matrix, by their first and last factors.

    Those of which both do come first. One start may miss a split, so that one of both
    is enough for chains that split rows and columns alike.
    """
    matrix = problem.wide.array
    right = _good_pairs(matrix, listed, rng, limit)
    if limit < np.inf and not any(
        one.first_share and one.last in right for one in listed
    ):
        return []
    turned = [one.transposed for one in listed]
    left = _good_pairs(np.ascontiguousarray(matrix.T), turned, rng, limit)
    both, either = [], []
    for radices in listed:
        ends = radices.last in right, radices.transposed.last in left
        if all(ends):
            both.append(radices)
        elif any(ends) and radices.rows == radices.columns:
            either.append(radices)
    return [*both, *either] or (listed if limit == np.inf else [])


def _good_pairs(
    matrix: np.ndarray,
    listed: list[SplitRadices],
    rng: np.random.Generator,
    limit: float,
) -> set[tuple[int, int]]:
    """Return the radices of last factors that leave little more noise than others."""
    quick = limit < np.inf or matrix.size > LARGE
    shares = {one.last: one.first_share for one in listed}
    lost = {
        pair: first_lost(matrix, pair, rng, quick) if share > 0 else 0.0
        for pair, share in shares.items()
    }
    noise = {pair: lost[pair] / (shares[pair] or 1.0) for pair in lost}
    square = float(np.vdot(matrix, matrix).real)
    exact = np.finfo(matrix.dtype).eps * square
    least = min((noise[pair] for pair in noise if shares[pair] >= SURE), default=np.inf)
    most = exact if least <= exact else NEAR**2 * least
    useful = max(exact, limit**2 * square)
    return {pair for pair in lost if noise[pair] <= most and lost[pair] <= useful}
