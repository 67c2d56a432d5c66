"""The steps of a search: explorations, and the point in time that ends them."""

import math
import time
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...operators import FactorProduct
from ..common.problem import Problem
from ..common.result import CallbackState, Factorization, History
from ..palm.explore import DEFAULT_LEAK, DEFAULT_SWEEPS
from ..palm.initial_factors import checked_start
from ..palm.leaky_exploration import (
    ExploreOptions,
    explore_problem,
    explored,
    schedule_of,
)
from ..palm.sweep_options import SweepOptions
from .starts import Start, layer_shapes, split_budget


class Deadline:
    """A callback that ends an exploration at a point in time.

    It is a class, and not a closure, so that it can be sent to other processes.

    Parameters
    ----------
    end : float
        Seconds, by `time.time`, which all processes share.
    """

    def __init__(self, end: float) -> None:
        self.end = end

    def __call__(self, state: CallbackState) -> bool:
        """Return whether the time is over."""
        return self.over

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.time() > self.end

    @property
    def callback(self) -> "Deadline | None":
        """The callback of an algorithm; None where the time never ends."""
        return None if math.isinf(self.end) else self


class Stage(NamedTuple):
    """The explorations of one step of the search.

    n_iter, leak, refine_values and safeguard are options of `explore`; suffix follows
    the method of each start in its trial; no exploration goes on after the deadline.
    """

    n_iter: int
    leak: tuple[float, float]
    suffix: str
    deadline: Deadline
    refine_values: bool = True
    safeguard: bool = False

    @property
    def options(self) -> ExploreOptions:
        """The options of each exploration."""
        leak = schedule_of(self.leak)
        sweeps = SweepOptions(
            n_iter=self.n_iter,
            keep="best",
            leak=leak,
            callback=self.deadline.callback,
        )
        return ExploreOptions(
            sweeps=sweeps,
            safeguard=self.safeguard,
            refine_values=self.refine_values,
        )

    def work(self, start: Start) -> float:
        """Return what an exploration costs, in updates of factors."""
        return float(self.n_iter * start.n_factors)


def explore_start(
    problem: Problem, start: Start, budget: int, stage: Stage
) -> tuple[Factorization | None, float, str]:
    """Explore from one start; return the result, seconds, and what went wrong."""
    began = time.perf_counter()
    sets = start.sets(budget)
    init = start.factors if start.result is None else start.result
    options = stage.options
    result, failure = None, ""
    try:
        first = checked_start(problem, sets, init, options.sweeps)
        result = explored(problem, first, options)
    except (ValueError, np.linalg.LinAlgError) as error:
        failure = f"{type(error).__name__}: {error}"
    return result, time.perf_counter() - began, failure


def explore_by_default(
    problem: Problem, budget: int, count: int, deadline: Deadline
) -> Factorization:
    """Return what `explore` finds with its defaults, that of `palm4msa` included.

    The sets are those of all starts with `count` factors.
    """
    stage = Stage(DEFAULT_SWEEPS, DEFAULT_LEAK, "", deadline, safeguard=True)
    sets = split_budget(layer_shapes(*problem.shape, count), budget)
    return explore_problem(problem, sets, None, stage.options, None)


def largest_entries(problem: Problem, budget: int) -> Factorization:
    """Return the largest entries of a matrix as one factor: no other has less error."""
    matrix = problem.array
    size = np.abs(problem.shifted).ravel()
    order = np.argsort(-size, kind="stable")
    rest = np.linalg.norm(size[order[budget:]]) / np.linalg.norm(size)
    rows, columns = np.unravel_index(order[:budget], matrix.shape)
    kept = sp.csr_array((matrix[rows, columns], (rows, columns)), shape=matrix.shape)
    kept.eliminate_zeros()
    return Factorization(FactorProduct([kept]), float(rest), History(), target=matrix)
