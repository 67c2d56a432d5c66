"""The search for the radices of a permuted chain, within a number of values.

The last factor of a chain splits the rows into b parts and the columns into groups of
c, and so does the first one with the transpose. What the best such split of the matrix
loses says which pairs (b, c) a chain may end with. The chains that are left are looked
at with one start of each side, the cheapest first, and the best of them in full.

Chains with blocks of rank two come after those of rank one, and only where these leave
more than rounding, or than noise would.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...operators.radices import factorizations
from ..butterfly.split_problem import exact_error
from ..common.problem import Problem
from .identify_options import IdentifyOptions
from .nests import ROUNDED, level_lost
from .permutation_search import LARGE, FirstSplits, PermutationSearch
from .rank_levels import RankLevel
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

LITTLE = 0.3
"""Largest error up to which no other chains are looked at where one that splits rows
and columns alike leaves what noise would."""

RANK = 2
"""The largest rank of the blocks of chains that are looked for. Above it, the sets of
columns that a split begins with, and the rows through which spaces are tried, are too
many: with rank three, one split of a 32 x 32 matrix takes seconds."""


RANKED = 1 << 14
"""Largest number of entries of a matrix that chains of rank two are looked for in: for
128 x 128, a look at one split takes half a second, and for 256 x 256 many."""


def radices_within(
    shape: tuple[int, int], nnz: int, rank: int = 1
) -> list[SplitRadices]:
    """Return the radices of all chains with at most `nnz` values, in their order.

    For a square matrix, those that split rows and columns alike come first; then those
    of fewer values, then those of fewer factors. With a rank above one, there are only
    those that split a square matrix alike, and of these one for each list of levels
    that say something, the one of the fewest values: it holds the same matrices as the
    others.
    """
    m, n = shape
    by_length: dict[int, list[tuple[int, ...]]] = {}
    for columns in factorizations(n):
        by_length.setdefault(len(columns), []).append(columns)
    found = []
    for rows in factorizations(m):
        for columns in by_length.get(len(rows), ()):
            radices = SplitRadices(rows, columns, rank)
            cost = radices.n_parameters
            if cost <= nnz:
                other = m == n and rows != columns
                found.append((other, cost, len(rows), radices))
    if rank == 1:
        return [radices for *_, radices in sorted(found)]
    of_levels: dict[tuple[RankLevel, ...], SplitRadices] = {}
    for other, cost, _, radices in sorted(found):
        if radices.levels and cost < m * n and not other:
            of_levels.setdefault(tuple(radices.levels), radices)
    return list(of_levels.values())


FAR = 1.5
"""How many times the limit a split has to leave for splits that leave more than it, but
for chance, not to be tried."""


def search_radices(
    problem: Problem,
    nnz: int,
    options: IdentifyOptions,
    rng: np.random.Generator,
    limit: float = np.inf,
) -> PermutationSearch | None:
    """Return the search in the best chain within a number of values, after its end.

    Chains of rank two are looked for where those of rank one leave more than rounding,
    and more or less than noise would. Square matrices are split alike by rows and
    columns there.

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
    ranked = radices_within((m, n), nnz, RANK) if m * n <= RANKED else []
    alike = [radices for radices in listed if radices.rows == radices.columns]
    if m == n and limit < np.inf:
        listed = alike
    if limit == np.inf and m * n > LARGE and alike:
        looked = _looked_at(problem, alike, options, rng, limit, hasty=True)
        if looked and (looked[0].is_stopped or looked[0].is_explained):
            return looked[0]  # in full, it would end where noise explains it, too
        found = _in_full(problem, looked, options, rng, limit)
        if found is not None and (found.is_exact or found.is_explained):
            return found
    elif limit == np.inf:
        for some in (alike or listed, ranked):
            exact = _looked_at(problem, some, options, rng, exact_error(problem.dtype))
            if exact and exact[0].is_stopped:
                return exact[0]
        looked = _looked_at(problem, alike, options, rng, limit)
        if looked and looked[0].is_explained and looked[0].best.error <= LITTLE:
            return _in_full(problem, looked, options, rng, limit)
    looked = _looked_at(problem, listed, options, rng, limit)
    if not looked or not (looked[0].is_stopped or looked[0].is_explained):
        least = min([limit, *(search.best.error for search in looked[:1])])
        looked += _looked_at(problem, ranked, options, rng, least)
    return _in_full(problem, looked, options, rng, limit)


def _looked_at(
    problem: Problem,
    listed: list[SplitRadices],
    options: IdentifyOptions,
    rng: np.random.Generator,
    limit: float,
    hasty: bool = False,
) -> list[PermutationSearch]:
    """Return short searches in the best of some chains; see `search_radices`.

    The first one has the least error, and is the only one where it is exact. With
    `hasty`, there are none in chains whose inner factors are not as good as the ends.
    """
    if len(listed) > FEW or limit < np.inf:
        most = MOST if limit == np.inf else FEW
        listed = _likely(problem, listed, rng, limit, options.over)[:most]
    quick = replace(options, n_iter=min(4, options.n_iter), n_restarts=1)
    looked: list[PermutationSearch] = []
    known: tuple[FirstSplits, FirstSplits] | None = ({}, {}) if hasty else None
    for radices in listed:
        if looked and options.over():
            break
        search = PermutationSearch(problem, quick, radices, known)
        search.run(rng)
        if search.is_given_up:
            continue
        if search.is_stopped or (hasty and search.is_explained):
            return [search]
        looked = sorted([*looked, search], key=lambda one: one.best.error)[:FINALISTS]
    return looked


def _in_full(
    problem: Problem,
    looked: list[PermutationSearch],
    options: IdentifyOptions,
    rng: np.random.Generator,
    limit: float,
) -> PermutationSearch | None:
    """Return the best search, after full ones in the chains of little error.

    With a finite limit, none of rank two is full: it would take a minute.
    """
    looked = sorted(looked, key=lambda one: one.best.error)[:FINALISTS]
    for number, search in enumerate(looked):
        if search.is_stopped or options.over():
            break
        if search.radices.rank > 1 and limit < np.inf:
            continue
        if search.best.error <= NEAR * min(looked[0].best.error, limit):
            looked[number] = PermutationSearch(problem, options, search.radices)
            looked[number].run(rng)
    return min(looked, key=lambda search: search.best.error, default=None)


def _likely(
    problem: Problem,
    listed: list[SplitRadices],
    rng: np.random.Generator,
    limit: float,
    over: Callable[[], bool],
) -> list[SplitRadices]:
    """Return the chains that may explain a matrix, by their first and last factors.

    Those of which both do come first. One start may miss a split, so that one of both
    is enough for chains that split rows and columns alike.
    """
    matrix = problem.wide.array
    right = _good_pairs(matrix, listed, rng, limit, over)
    if limit < np.inf and not any(
        one.first_share and one.levels[0] in right for one in listed
    ):
        return []
    turned = [one.transposed for one in listed]
    left = _good_pairs(np.ascontiguousarray(matrix.T), turned, rng, limit, over)
    both, either = [], []
    for radices in listed:
        ends = radices.levels[0] in right, radices.transposed.levels[0] in left
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
    over: Callable[[], bool],
) -> set[RankLevel]:
    """Return the first levels of chains that leave little more noise than others."""
    shares = {one.levels[0]: one.first_share for one in listed}
    square = float(np.vdot(matrix, matrix).real)
    exact = ROUNDED * float(np.finfo(matrix.dtype).eps) * square
    useful = max(exact, limit**2 * square)
    lost = _first_losses(matrix, shares, rng, useful, over)
    noise = {level: lost[level] / (shares[level] or 1.0) for level in lost}
    sure = [noise[level] for level in noise if shares[level] >= SURE]
    least = min(sure, default=np.inf)
    most = exact if least <= exact else NEAR**2 * least
    return {level for level in lost if noise[level] <= most and lost[level] <= useful}


def _first_losses(
    matrix: np.ndarray,
    shares: dict[RankLevel, float],
    rng: np.random.Generator,
    useful: float,
    over: Callable[[], bool],
) -> dict[RankLevel, float]:
    """Return the squared norm that the first level of each chain loses.

    Above `useful` it may be less than that. A split into b parts and groups of c
    columns, of rank r, has a rank of at most b r n / c, and cannot leave less than the
    singular values behind it. It leaves at least what one into a multiple of the parts
    and groups of a divisor of c does, where both are the best: none is tried where that
    is far too much. Those that there is no time for lose an infinite norm.
    """
    blocks, losses = matrix[None], dict[RankLevel, float]()
    if useful == np.inf:
        quick = matrix.size > LARGE
        for level, share in shares.items():
            if over():
                losses[level] = np.inf
            elif share > 0:
                losses[level] = level_lost(blocks, level, rng, quick, over=over)
            else:
                losses[level] = 0.0
        return losses
    sigma = np.linalg.svd(matrix, compute_uv=False)
    for level in sorted(shares, key=lambda level: (level.c, -level.b)):
        parts, group, _, rank = level
        bound = float((sigma[parts * rank * matrix.shape[1] // group :] ** 2).sum())
        finer = [
            losses[one]
            for one in losses
            if one.b % parts == 0 == group % one.c and shares[one]
        ]
        most = FAR**2 * useful
        if over():
            losses[level] = np.inf
        elif bound > useful or max(finer, default=0.0) > most:
            losses[level] = max([bound, *finer])
        elif shares[level] > 0:
            losses[level] = level_lost(blocks, level, rng, True, most, over)
        else:
            losses[level] = 0.0
    return losses
