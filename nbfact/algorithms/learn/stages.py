"""The steps of a search: explorations, and the point in time that ends them."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...operators import FactorProduct
from ..common.problem import Problem
from ..common.result import CallbackState, Factorization, History
from ..palm.explore import DEFAULT_LEAK, DEFAULT_SWEEPS
from ..palm.initial_factors import checked_start
from ..palm.iterations import SweepRecord
from ..palm.leaky_exploration import (
    ExploreOptions,
    explore_problem,
    explored,
    schedule_of,
)
from ..palm.refinement import RefineOptions, refine_problem
from ..palm.sweep_options import SweepOptions
from .finalists import REFINED
from .starts import Start, layer_shapes, split_budget

_LAP, _HEAD, _BEHIND = 10, 0.5, 1.3
"""Number of sweeps between two looks at who is behind; the share of all sweeps before
the first look; and how many times the least error of the other exploration so far is
too much. With 1.15 two of 24 searches (Gaussians, graphs, lead fields, kernels; n = 24,
32, 48) ended 1 and 3 % above what they do without a race, with 1.3 none."""

_DEEP_HEAD, _DEEP_BEHIND = 0.4, 1.05
"""The same two numbers for a product of more factors than the leader has, which settles
earlier: of 60 such explorations (Gaussians, graphs, lead fields, kernels, products with
a fast spectrum; n = 24, 32, 48) all that were behind at 0.4 of the sweeps ended further
behind, and the one that ended as the best was ahead then."""

_UNRACED = 24
"""Largest smaller side of a target whose long explorations all go to their ends, even
far behind the first one: they take a fifth of a second there, and one that is 15 %
behind at half of the sweeps has ended as the best (a kernel, n = 20)."""


_REFINED = 20
"""Maximum number of sweeps of least squares at the end of a search. Explorations end
with ten: four after each would save a sixth of the time for a lead field of 128 rows,
but of 24 searches up to n = 48 three ended 1 to 4 % higher (and three 1 to 3 % lower).
"""


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

    def part(self, share: float) -> "Deadline":
        """Return the point in time when a share of what is left is over."""
        now = time.time()
        return Deadline(now + share * max(0.0, self.end - now))

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.time() > self.end

    @property
    def callback(self) -> "Deadline | None":
        """The callback of an algorithm; None where the time never ends."""
        return None if math.isinf(self.end) else self


class Race:
    """A rule by which an exploration is given up: it is too far behind another one.

    It is a class, and not a closure, so that it can be sent to other processes.

    Parameters
    ----------
    errors : sequence of float
        The errors of the sweeps of the other one, of which there are the same number.
    n_iter : int
        That number, if neither ends early.
    deeper : bool
        Whether the exploration has more factors than the other one.
    """

    def __init__(
        self, errors: Sequence[float], n_iter: int, deeper: bool = False
    ) -> None:
        self._least, self._n_iter = np.minimum.accumulate(errors), n_iter
        self._head, self._behind = _HEAD, _BEHIND
        if deeper:
            self._head, self._behind = _DEEP_HEAD, _DEEP_BEHIND

    def __call__(self, errors: Sequence[float]) -> bool:
        """Return whether the errors of all sweeps so far show that it is behind."""
        count = len(errors)
        if count % _LAP or count < self._head * self._n_iter:
            return False
        known = self._least[min(count, len(self._least)) - 1]
        return min(errors) > self._behind * known


class Stage(NamedTuple):
    """The explorations of one step of the search.

    n_iter, leak, refine_values and safeguard are options of `explore`; suffix follows
    the method of each start in its trial; no exploration goes on after the deadline, or
    too far behind in a race with the leader, if there is one.
    """

    n_iter: int
    leak: tuple[float, float]
    suffix: str
    deadline: Deadline
    refine_values: bool = True
    safeguard: bool = False
    leader: Start | None = None

    def race(self, n_factors: int) -> Race | None:
        """Return the race of an exploration with some factors against the leader."""
        if self.leader is None or self.leader.result is None:
            return None
        found = self.leader.result
        errors = found.history.errors
        if not errors or min(found.operator.shape) <= _UNRACED:
            return None
        return Race(errors, self.n_iter, n_factors > self.leader.n_factors)

    def options(self, n_factors: int) -> ExploreOptions:
        """Return the options of an exploration with some factors."""
        leak = schedule_of(self.leak)
        sweeps = SweepOptions(
            n_iter=self.n_iter,
            keep="best",
            leak=leak,
            callback=self.deadline.callback,
            give_up=self.race(n_factors),
        )
        return ExploreOptions(
            sweeps=sweeps,
            safeguard=self.safeguard,
            refine_values=self.refine_values,
            after=self.deadline.callback,
        )

    def work(self, start: Start) -> float:
        """Return what an exploration costs, in updates of factors."""
        return float(self.n_iter * start.n_factors)


def stages_of(
    shape: tuple[int, int],
    sweeps: tuple[int, int, int],
    leaks: Sequence[tuple[float, float]],
    deadline: Deadline,
) -> tuple[Stage, Stage, Stage]:
    """Return the short explorations of a target, the long ones, and those after them.

    Parameters
    ----------
    shape : (int, int)
        That of the target.
    sweeps : (int, int, int)
        Number of sweeps of each of the three.
    leaks : three pairs of float
        Leaks of the first and last sweep of each.
    deadline : Deadline
    """
    short, full, rounds = sweeps
    small = min(shape) <= REFINED
    return (
        Stage(short, leaks[0], "", deadline, refine_values=small),
        Stage(full, leaks[1], ", explored", deadline),
        Stage(rounds, leaks[2], ", annealed", deadline),
    )


def explore_start(
    problem: Problem, start: Start, budget: int, stage: Stage
) -> tuple[Factorization | None, float, str]:
    """Explore from one start; return the result, seconds, and what went wrong."""
    began = time.perf_counter()
    sets = start.sets(budget)
    init = start.factors if start.result is None else start.result
    options = stage.options(start.n_factors)
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
    return explore_problem(problem, sets, None, stage.options(count), None)


def refined(problem: Problem, start: Start, deadline: Deadline) -> Start | None:
    """Return the result of an exploration with better values, None where none are."""
    if start.result is None or start.structure or start.n_factors == 1:
        return None
    options = RefineOptions(n_iter=_REFINED, callback=deadline.callback)
    found = refine_problem(problem, start.result.operator, options, SweepRecord())
    if found.relative_error >= start.error:
        return None
    found = replace(found, history=start.result.history)
    return Start.of(
        f"{start.method}, refined",
        found,
        keeps_shares=start.keeps_shares,
        blocks=start.blocks,
    )


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
