"""The family "permuted chains": butterflies whose permutations are not known."""

import math
from collections.abc import Iterator

from ...permutations.identify import IdentifyOptions, identify_problem
from ...permutations.split_radices import radices_of
from ..starts import Start
from .family import Family, FamilyTask

_LARGEST = 1024
"""Largest order of a target for which permutations are looked for, because a pass of
`identify_butterfly` costs O(n³)."""


def identified(task: FamilyTask) -> Iterator[Start]:
    """Yield butterflies near a matrix, until one is exact.

    The permutations are first the same in all blocks of a level (tied), then not. None
    is looked for where an exact result has as few values as a butterfly would have.
    """
    m, n = task.problem.shape
    if m != n or n == 1 or n & (n - 1) or n > _LARGEST:
        return
    lightest = 2 * n * math.log2(n)
    if any(one.error <= task.exact and one.nnz <= lightest for one in task.found):
        return
    for tied, name in ((True, "identified butterfly"), (False, "bipartition matching")):
        options = IdentifyOptions(tied=tied, n_restarts=task.restarts)
        found = identify_problem(
            task.problem, radices_of(None, (m, n)), options, task.rng
        )
        radices = " x ".join(["2"] * (n.bit_length() - 1))
        which = "rows and columns" if tied else "each block"
        yield Start.of(name, found, f"butterfly, radices {radices}, {which} permuted")
        if found.relative_error <= task.exact:
            return


PERMUTED = Family("permuted chains", once=identified)
"""Butterflies with permuted rows and columns."""
