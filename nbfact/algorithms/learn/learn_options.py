"""The options of `learn_transform`, checked once, and what each effort spends."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ..._core.checks import (
    choice,
    function,
    real_number,
    sequence,
    shown,
    size,
    store,
)
from ..._core.jobs import processes
from ..._core.limits import check_memory
from ..common.result import Callback
from .families.family_registry import IN_BLOCKS, NAMES
from .product_budget import ProductBudget

EffortName: TypeAlias = Literal["quick", "normal", "thorough"]
"""The efforts that `learn_transform` knows."""


@dataclass(frozen=True)
class Effort:
    """How much a search spends.

    Attributes
    ----------
    look : int
        Number of sweeps of the short exploration from each start.
    long : int
        Number of sweeps of a long exploration.
    finalists : int
        Number of starts that are explored for long.
    rounds : int
        Number of times that the best two are annealed again.
    kicks : int
        How often the best product without a structure has entries removed at random,
        before single ones are exchanged; 0 for no exchanges.
    draws : int
        Number of random starts for each number of factors below 4.
    restarts : int or None
        `n_restarts` of `identify_butterfly`.
    leaks : three pairs of float
        Leaks, see `nbfact.explore`, of the first and last sweep of a short exploration,
        of a long one and of a round after it: the more sweeps there are, the slower it
        falls.
    counts : tuple of int
        Numbers of factors of the explorations; empty for those that fit the target.
    insured : bool
        Whether `explore` and `palm4msa` run with their defaults too on small targets,
        so that neither finds a smaller error.
    """

    look: int
    long: int
    finalists: int
    rounds: int
    kicks: int
    draws: int
    restarts: int | None
    leaks: tuple[tuple[float, float], ...] = ((0.95, 0.5), (0.99, 0.5), (0.98, 0.5))
    counts: tuple[int, ...] = ()
    insured: bool = True


EFFORTS = {
    "quick": Effort(
        look=60,
        long=200,
        finalists=1,
        rounds=0,
        kicks=0,
        draws=0,
        restarts=1,
        insured=False,
    ),
    "normal": Effort(
        look=100, long=1000, finalists=4, rounds=4, kicks=40, draws=1, restarts=3
    ),
    "thorough": Effort(
        look=200, long=3000, finalists=8, rounds=12, kicks=100, draws=4, restarts=None
    ),
}


@dataclass(frozen=True, kw_only=True)
class LearnOptions:
    """The options of `learn_transform`; making one checks them all.

    Attributes
    ----------
    nnz, rcg, error, speedup, batch, effort, n_jobs, callback, families, time_limit
        See `nbfact.learn_transform`.

    Raises
    ------
    TypeError
        A budget that is no number, an `n_jobs` that is no integer or None.
    ValueError
        More than one budget, one that is out of range, or another effort.
    """

    nnz: int | None = None
    rcg: float | None = None
    error: float | None = None
    speedup: float | None = None
    batch: int = 1
    effort: EffortName = "normal"
    n_jobs: int | None = None
    callback: Callback | None = None
    families: Sequence[str] | None = None
    time_limit: float | None = None

    def __post_init__(self) -> None:
        names = ("nnz", "rcg", "error", "speedup")
        budgets = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in budgets.items() if value is not None}
        if len(given) > 1:
            got = ", ".join(f"{name}={shown(one)}" for name, one in given.items())
            raise ValueError(f"give one of nnz, rcg, error and speedup, got {got}")
        if self.nnz is not None:
            store(self, nnz=size("nnz", self.nnz, most=None))
        if self.rcg is not None:
            store(self, rcg=real_number("rcg", self.rcg, above=0))
        if self.error is not None:
            store(self, error=real_number("error", self.error, least=0, below=1))
        if self.speedup is not None:
            store(self, speedup=real_number("speedup", self.speedup, above=0))
        store(self, batch=size("batch", self.batch))
        if self.batch != 1 and self.speedup is None:
            raise ValueError(f"batch={self.batch} is for speedup, which is not given")
        choice("effort", self.effort, EFFORTS)
        processes(self.n_jobs)
        function("callback", self.callback)
        if self.families is not None:
            listed = sequence("families", self.families, "names of families", 1)
            for name in listed:
                choice("families", name, NAMES)
            store(self, families=tuple(listed))
        if self.time_limit is not None:
            limit = real_number("time_limit", self.time_limit, above=0)
            store(self, time_limit=limit)

    @property
    def chosen(self) -> Sequence[str]:
        """The names of the families that are tried."""
        if self.families is not None:
            return self.families
        # At equal numbers of non-zeros, free supports have all that blocks have.
        timed = self.speedup is not None and self.batch == 1
        return [name for name in NAMES if timed or name != IN_BLOCKS]

    @property
    def seconds(self) -> float:
        """Seconds that the search may take."""
        return math.inf if self.time_limit is None else self.time_limit

    @property
    def spent(self) -> Effort:
        """What the effort spends."""
        return EFFORTS[self.effort]

    def budget(self, shape: tuple[int, int]) -> int:
        """Return the number of non-zeros that are allowed.

        They are all entries where an error or the time of a product is the budget.
        """
        m, n = shape
        if self.nnz is not None:
            return self.nnz
        if self.rcg is not None:
            return max(1, int(min(m * n / self.rcg, sys.maxsize)))
        if self.error is not None or self.speedup is not None:
            return m * n
        fast = 2 * max(m, n) * math.log2(max(2, min(m, n)))
        return max(1, min(round(fast), m * n // 2))

    def product_budget(
        self, shape: tuple[int, int], dtype: np.dtype
    ) -> ProductBudget | None:
        """Return the time that a product may take, None where that is no budget.

        The columns that are multiplied at the end, to measure times, have to fit into
        the memory of this machine.
        """
        if self.speedup is None:
            return None
        entries = self.batch * (shape[1] + 2 * shape[0])
        check_memory(f"batch={self.batch}", entries, dtype.itemsize)
        return ProductBudget.of(self.speedup, self.batch, shape, dtype)
