"""Products with fewer entries, where those that were found take too long."""

from collections.abc import Iterator

from ..common.problem import Problem
from .product_budget import ProductBudget
from .stages import Stage, explore_start
from .starts import Start

PART = 4
"""An exploration with fewer entries has this part of the sweeps of the first one: it
begins where that has ended."""

TRIES = 4
"""Largest number of times that entries are removed."""


def lighter_products(
    problem: Problem, slow: Start, product: ProductBudget, stage: Stage
) -> Iterator[tuple[Start, float]]:
    """Yield products with fewer and fewer entries, until one is fast enough.

    How uneven the rows of learned supports are is known only when they are, and uneven
    rows take longer.

    Parameters
    ----------
    problem : Problem
        The target.
    slow : Start
        What an exploration has found, and is expected to take too long.
    product : ProductBudget
        The time that a product may take.
    stage : Stage
        The exploration that has found it.

    Yields
    ------
    (Start, float)
        A product, and the seconds that it took to explore it.
    """
    again = stage._replace(n_iter=max(1, stage.n_iter // PART))
    for _ in range(TRIES):
        if slow.result is None or slow.blocks:
            return
        budget = product.fewer(slow.result.operator)
        if budget < slow.n_factors:
            return
        result, seconds, _ = explore_start(problem, slow, budget, again)
        if result is None:
            return
        slow = Start.of(slow.method, result, keeps_shares=slow.keeps_shares)
        yield slow, seconds
        if product.admits(result.operator):
            return
