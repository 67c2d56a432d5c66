"""The family "products in blocks": products of factors in blocks of eight rows."""

import math
from collections.abc import Iterator, Sequence

from ....constraints import SpBlock
from ....kernels.block_entries import BLOCK
from ..stages import Stage, explore_start
from ..starts import Start, layer_shapes, shared, starts
from .family import Family, FamilyTask

_COUNTS = (2, 3)
"""Numbers of factors that are tried."""

_LOOK, _LONG = (0.95, 0.5), (0.99, 0.5)
"""Leaks of the first and last sweep of a short exploration, and of the long one."""


def in_blocks(task: FamilyTask) -> Iterator[Start]:
    """Yield the best product of factors in blocks, explored from the usual starts.

    A block holds eight entries of a column: one entry of a vector serves all of them.
    """
    problem = task.problem
    if min(problem.shape) < BLOCK or task.limit <= task.exact:
        return
    look = Stage(task.sweeps[0], _LOOK, "", task.deadline, refine_values=False)
    best: Start | None = None
    for count in _COUNTS:
        sets = block_sets(task, layer_shapes(*problem.shape, count))
        if not sets:
            continue
        # Without sweeps for `hierarchical`, which is made for sets of single entries.
        for start in starts(problem, task.budget, count, 1, 0, task.rng):
            if task.over():
                break
            found = _explored(task, start, sets, look)
            if found is not None and (best is None or found.error < best.error):
                best = found
    if best is None:
        return
    yield best
    if task.over():
        return
    long = Stage(task.sweeps[1], _LONG, "", task.deadline)
    found = _explored(task, best, best.blocks, long)
    if found is not None:
        yield found


def block_sets(
    task: FamilyTask, shapes: Sequence[tuple[int, int]]
) -> tuple[SpBlock, ...]:
    """Return a set for each factor whose blocks fit the budget, none where none do."""
    count = task.budget // BLOCK
    if task.product is not None:
        count = task.product.blocks(shapes)
    if count < 2 * len(shapes):
        return ()
    most = [-(-shape[0] // BLOCK) * shape[1] for shape in shapes]
    return tuple(
        SpBlock(shape, max(1, min(k, grid)), block=(BLOCK, 1))
        for shape, k, grid in zip(shapes, shared(shapes, count), most, strict=True)
    )


def _explored(task, start, sets, stage):
    """Return what an exploration in sets of blocks finds, or None."""
    begin = Start(start.method, start.factors, start.result, blocks=tuple(sets))
    result, _, _ = explore_start(task.problem, begin, task.budget, stage)
    if result is None or not math.isfinite(result.relative_error):
        return None
    return Start.of("in blocks", result, blocks=tuple(sets))


BLOCK_PRODUCTS = Family("products in blocks", within=in_blocks, share=0.5)
"""Products of factors in blocks."""
