"""What a family of structures is: a name, and functions that look for its members."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from ...common.problem import Problem
from ..product_budget import ProductBudget
from ..stages import Deadline
from ..starts import Start, rounding


class FamilyTask(NamedTuple):
    """What a family is given to look at.

    Attributes
    ----------
    problem : Problem
        The target as a dense matrix, which is not zero.
    restarts : int or None
        `n_restarts` of `identify_butterfly`.
    rng : numpy.random.Generator
    budget : int
        The largest number of non-zeros.
    limit : float
        The least relative error so far within the budget: results above are of no use.
    found : sequence of Start
        What other families have found.
    sweeps : (int, int)
        Number of sweeps of a short exploration and of a long one.
    deadline : Deadline
        When the family ends: a family looks at it between two candidates.
    product : ProductBudget or None
        The time that a product may take, where that is the budget.
    """

    problem: Problem
    restarts: int | None
    rng: np.random.Generator
    budget: int
    limit: float
    found: Sequence[Start]
    sweeps: tuple[int, int]
    deadline: Deadline
    product: ProductBudget | None

    def over(self) -> bool:
        """Return whether the time of the search is over."""
        return self.deadline.over

    @property
    def exact(self) -> float:
        """The relative error up to which a result counts as exact."""
        return rounding(self.problem.dtype)


Finder: TypeAlias = Callable[[FamilyTask], Iterable[Start]]
"""A function that looks for the members of a family."""


@dataclass(frozen=True)
class Family:
    """A family of structures that `learn_transform` looks for.

    Attributes
    ----------
    name : str
        The name in the argument `families`.
    once : callable, optional
        Yields what does not depend on the budget, from a `FamilyTask`. It runs once.
    within : callable, optional
        Yields what fits the budget of a `FamilyTask`.
    share : float
        The share of the time that is left which a call of either may take, where there
        is a limit, because the other families need some.
    dense_parts : bool
        Whether the members multiply faster than as many single entries. Where the
        budget is a time, `within` is then asked for fewer and fewer entries.
    """

    name: str
    once: Finder | None = None
    within: Finder | None = None
    share: float = 0.25
    dense_parts: bool = False
