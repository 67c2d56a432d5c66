"""The search for the radices of a permuted chain, within a number of values.

The last factor of a chain splits the rows into b parts and the columns into groups of
c, and so does the first one with the transpose. What the best such split of the matrix
loses says which pairs (b, c) a chain may end with. The chains that are left are looked
at with one start of each side, the cheapest first, and the best of them in full.
"""

import math
from dataclasses import replace

import numpy as np

from ...operators.radices import factorizations
from ..common.problem import Problem
from .identify_options import IdentifyOptions
from .nests import first_lost
from .permutation_search import PermutationSearch
from .split_radices import SplitRadices

FEW = 12
"""Number of chains up to which all of them are looked at."""

MOST = 64
"""Maximum number of chains that are looked at."""

SURE = 0.5
"""Share of the noise that a split must drop for the noise to be estimated from it. Parts
of two rows and pairs of columns drop a quarter, and the best pairs fit noise too well."""

FINALISTS = 3
"""Number of chains, those of the least errors at first, that are searched in full."""

NEAR = 2.0
"""Chains are searched in full if their first error is at most so many times the least
one, and end with pairs whose estimate of the noise is at most so many times the least
one."""


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
    problem: Problem, nnz: int, options: IdentifyOptions, rng: np.random.Generator
) -> PermutationSearch:
    """Return the search in the best chain within a number of values, after its end.

    Raises
    ------
    ValueError
        If there is no such chain.
    """
    m, n = problem.shape
    listed = radices_within((m, n), nnz)
    if not listed:
        raise ValueError(f"nnz={nnz}: no chain for {m} x {n} has so few values")
    if len(listed) > FEW:
        listed = _likely(problem, listed, rng)[:MOST]
    quick = replace(options, n_iter=min(4, options.n_iter), n_restarts=1)
    looked: list[PermutationSearch] = []
    for radices in listed:
        search = PermutationSearch(problem, quick, radices)
        search.run(rng)
        looked = sorted([*looked, search], key=lambda one: one.best.error)[:FINALISTS]
        if search.is_stopped:
            return looked[0]
    limit = NEAR * looked[0].best.error
    for number, search in enumerate(looked):
        if search.best.error <= limit:
            looked[number] = PermutationSearch(problem, options, search.radices)
            looked[number].run(rng)
            if looked[number].is_stopped:
                break
    return min(looked, key=lambda search: search.best.error)


def _likely(
    problem: Problem, listed: list[SplitRadices], rng: np.random.Generator
) -> list[SplitRadices]:
    """Return the chains whose first and last factors explain the matrix best."""
    matrix = problem.wide.array
    exact = np.finfo(matrix.dtype).eps * float(np.vdot(matrix, matrix).real)
    for view, turned in ((matrix, False), (np.ascontiguousarray(matrix.T), True)):
        seen = [one.transposed if turned else one for one in listed]
        shares = {one.last: one.first_share for one in seen}
        noise = {
            pair: first_lost(view, pair, rng) / share if share > 0 else 0.0
            for pair, share in shares.items()
        }
        sure = [noise[pair] for pair, share in shares.items() if share >= SURE]
        least = min(sure, default=math.inf)
        limit = exact if least <= exact else NEAR**2 * least
        pairs = zip(listed, seen, strict=True)
        listed = [radices for radices, one in pairs if noise[one.last] <= limit]
    return listed
