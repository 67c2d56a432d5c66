"""What `learn_transform` finds without one of its parts, from the same starts."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.streams import stream
from ...algorithms.common.problem import problem_of
from ...algorithms.learn.budget_search import BudgetSearch
from ...algorithms.learn.learn_options import EFFORTS, Effort, LearnOptions
from ...algorithms.learn.outcomes import LearnedTransform

CONSTANT = (0.95, 0.95)
"""The leak of explorations that are not annealed."""


@dataclass(frozen=True, kw_only=True)
class AblatedOptions(LearnOptions):
    """Options whose effort is given itself, and not by its name.

    Attributes
    ----------
    ablated : Effort
        How much is spent, and with which leaks.
    """

    ablated: Effort = EFFORTS["normal"]

    @property
    def spent(self) -> Effort:
        """What the search spends."""
        return self.ablated


def ablations(n: int) -> dict[str, dict[str, Any]]:
    """Return what each ablation changes in an `Effort`, by its name.

    Parameters
    ----------
    n : int
        Order of the matrices.

    Examples
    --------
    >>> list(ablations(32))
    ['leak 0', 'constant leak 0.95', '2 factors', '5 factors']
    """
    deepest = max(2, n.bit_length() - 1)
    return {
        "leak 0": {"leaks": ((0.0, 0.0),) * 3, "insured": False},
        f"constant leak {CONSTANT[0]}": {"leaks": (CONSTANT,) * 3, "insured": False},
        "2 factors": {"counts": (2,), "insured": False},
        f"{deepest} factors": {"counts": (deepest,), "insured": False},
    }


def ablated(
    target: np.ndarray, nnz: int, changes: dict[str, Any], rng: np.random.Generator
) -> LearnedTransform:
    """Return what the explorations of `learn_transform` find with a changed effort.

    No other structures are looked for.

    Parameters
    ----------
    target : ndarray, (m, n)
        The matrix to factor.
    nnz : int
        Largest number of non-zeros.
    changes : dict
        Attributes of the `Effort` "normal" that differ; none, for the explorations as
        they are.
    rng : numpy.random.Generator
        Stream of the starts, which are the same for all changes.
    """
    effort = replace(EFFORTS["normal"], **changes)
    options = AblatedOptions(nnz=nnz, families=("sparse products",), ablated=effort)
    starts = stream("rng", rng, "learn_transform")  # the one of `learn_transform`
    return BudgetSearch(problem_of(target), options, starts).best(nnz)
