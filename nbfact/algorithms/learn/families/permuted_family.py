"""The family "permuted chains": butterflies whose permutations are not known."""

import math
from collections.abc import Iterator

import numpy as np

from ...permutations.identify import (
    IdentifyOptions,
    identify_problem,
    permuted_factorization,
)
from ...permutations.nests import level_lost
from ...permutations.radix_search import search_radices
from ...permutations.split_radices import radices_of
from ..starts import Start
from .family import Family, FamilyTask

_LARGEST = 1024
"""Largest order of a target for which permutations are looked for, because a pass of
`identify_butterfly` costs O(n³)."""


_SEARCHED = 256
"""Largest order of a target whose radices are looked for too."""

_SEED = 0
"""Seed of the search for radices: it draws from a stream of its own, so that what
`learn_transform` draws afterwards is the same with and without it."""


def identified(task: FamilyTask) -> Iterator[Start]:
    """Yield butterflies near a matrix, until one is exact.

    The permutations are first the same in all blocks of a level (tied), then not. None
    is looked for where an exact result has as few values as a butterfly would have, nor
    where the first level of splits alone lets expect more error than that of as many
    single entries of the matrix.
    """
    m, n = task.problem.shape
    if m != n or n == 1 or n & (n - 1) or n > _LARGEST:
        return
    lightest = 2 * n * math.log2(n)
    if any(one.error <= task.exact and one.nnz <= lightest for one in task.found):
        return
    if _hopeless(task, int(lightest)) or task.over():
        return
    callback = task.deadline.callback
    for tied, name in ((True, "identified butterfly"), (False, "bipartition matching")):
        options = IdentifyOptions(
            tied=tied, n_restarts=task.restarts, callback=callback, over=task.over
        )
        found = identify_problem(
            task.problem, radices_of(None, (m, n)), options, task.rng
        )
        radices = " x ".join(["2"] * (n.bit_length() - 1))
        which = "rows and columns" if tied else "each block"
        yield Start.of(name, found, f"butterfly, radices {radices}, {which} permuted")
        if found.relative_error <= task.exact or task.over():
            return


def _hopeless(task: FamilyTask, lightest: int) -> bool:
    """Return whether butterflies are expected to leave more than single entries do.

    The first level of splits tells how much noise a matrix has that is a butterfly but
    for noise; all levels leave that, but for what their values fit.
    """
    matrix = task.problem.wide.array
    n = len(matrix)
    radices = radices_of(None, (n, n))
    share = radices.first_share
    if share <= 0 or lightest >= matrix.size:
        return False
    rng = np.random.default_rng(_SEED)
    level = radices.levels[0]
    noise = level_lost(matrix[None], level, rng, over=task.over) / share
    size = np.sort(np.abs(matrix).ravel())[: matrix.size - lightest]
    return noise * (1 - lightest / matrix.size) > float(size @ size)


def of_any_radices(task: FamilyTask) -> Iterator[Start]:
    """Yield the best permuted chain within the budget, where one may be of use.

    Most targets are none: then this takes two splits for each pair of radices, and a
    look at a few sets of columns for each pair with blocks of rank two.
    """
    m, n = task.problem.shape
    known = [one.nnz - 1 for one in task.found if one.error <= task.exact]
    lightest = min([task.budget, *known])
    if min(m, n) == 1 or max(m, n) > _SEARCHED or lightest < 1:
        return
    rng = np.random.default_rng(_SEED)
    callback = task.deadline.callback
    options = IdentifyOptions(
        n_restarts=task.restarts, callback=callback, over=task.over
    )
    limit = task.exact if known else task.limit
    search = search_radices(task.problem, lightest, options, rng, limit)
    if search is not None and search.best.error <= limit:
        found = permuted_factorization(task.problem, search)
        words = f"butterfly, radices {search.radices.words}, rows and columns permuted"
        yield Start.of("identified chain", found, words)


PERMUTED = Family("permuted chains", once=identified, within=of_any_radices)
"""Butterflies with permuted rows and columns."""
