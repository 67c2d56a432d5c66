"""The search for the best factorization under one budget of non-zeros."""

import functools
import math
import time
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from ..._core.checks import RandomState
from ..._core.jobs import each
from ...operators import Butterfly, FactorProduct
from ..common.problem import Problem
from ..common.result import Factorization, History, SweepCallback, SweepState
from ..palm.explore import explore
from .outcomes import LearnedTransform, Trial
from .starts import Start, butterflies, rounding, split_budget, starts

Found: TypeAlias = tuple[str, Factorization]
"""The method of a trial, and its result."""


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
    draws : int
        Number of random starts for each number of factors below 4.
    restarts : int or None
        `n_restarts` of `identify_butterfly`.
    """

    look: int
    long: int
    finalists: int
    rounds: int
    draws: int
    restarts: int | None


EFFORTS = {
    "quick": Effort(look=60, long=200, finalists=1, rounds=0, draws=0, restarts=1),
    "normal": Effort(look=100, long=1000, finalists=4, rounds=4, draws=1, restarts=3),
    "thorough": Effort(
        look=200, long=3000, finalists=8, rounds=12, draws=4, restarts=None
    ),
}

_LOOK, _LONG, _AGAIN = (0.95, 0.5), (0.99, 0.5), (0.98, 0.5)
"""Leaks, see `nbfact.explore`, of the first and last sweep of a short exploration, of a
long one and of a round after it: the more sweeps there are, the slower it falls."""

_WORK, _LEAST = 2e10, 20
"""Largest number of entries of the target, times its smaller side, times sweeps of one
exploration: 1000 sweeps at n = 256, and fewer for larger targets, but at least 20."""

_REFINED = 1 << 21
"""Largest number of entries of the target, times its smaller side, up to which a short
exploration ends with least squares: they take half a second for each start at n = 128,
and 35 seconds at n = 512."""


_GAIN = 1.4
"""How many times as many entries a Butterfly may have as the FactorProduct of the same
matrix, which leaves out the zeros among its values, and still multiply faster. With as
many entries, those of the 256-point cosine transform, it is 1.7 times faster with 64
columns and 2.2 times with one (float64, one thread)."""


class Stage(NamedTuple):
    """The explorations of one step of the search.

    n_iter, leak and refine_values are options of `explore`; suffix follows the method
    of each start in its trial.
    """

    n_iter: int
    leak: tuple[float, float]
    suffix: str
    refine_values: bool = True


class BudgetSearch:
    """The trials on one target, all on record.

    Parameters
    ----------
    problem : Problem
        The target as a dense matrix, which is not zero.
    effort : Effort
        How much each search spends.
    n_jobs : int or None
        Number of processes over which explorations are spread.
    callback : callable or None
        Called with a `SweepState` after each trial; returning True stops.
    random_state : None, int or Generator
        The seed of random starts.

    Attributes
    ----------
    trials : list of Trial
        All trials so far.
    stopped : bool
        Whether the callback has ended the search.
    fast : list of Start
        The butterflies that were found first, because they depend on no budget.
    """

    def __init__(
        self,
        problem: Problem,
        effort: Effort,
        n_jobs: int | None,
        callback: SweepCallback | None,
        random_state: RandomState,
    ) -> None:
        self.problem = problem
        matrix = self.matrix = problem.array
        self._effort, self._n_jobs, self._callback = effort, n_jobs, callback
        self._rng = np.random.default_rng(random_state)
        self.trials: list[Trial] = []
        self.stopped = False
        work = matrix.size * min(matrix.shape)
        self._most_sweeps = max(_LEAST, int(_WORK / work))
        self._small = work <= _REFINED
        self.fast = self._butterflies()

    def best(self, budget: int) -> LearnedTransform:
        """Return the best factorization with at most `budget` non-zeros."""
        one = largest_entries(self.problem, budget)
        self._record("largest entries", one, 0.0)
        fitting: list[Found] = [("largest entries", one)]
        fitting += [
            (start.method, start.result)
            for start in self.fast
            if start.result is not None and start.result.operator.nnz <= budget
        ]
        exact = rounding(self.matrix.dtype)
        if min(result.relative_error for _, result in fitting) > exact:
            fitting += self._explored(budget)
        method, result = min(
            fitting,
            key=lambda pair: (max(pair[1].relative_error, exact), pair[1].operator.nnz),
        )
        return LearnedTransform(
            self._fastest(result, budget),
            result.relative_error,
            result.history,
            target=self.matrix,
            method=method,
            budget=budget,
            trials=tuple(self.trials),
        )

    def _fastest(self, result: Factorization, budget: int) -> Butterfly | FactorProduct:
        """Return the operator of a result in the fastest form that fits the budget."""
        for start in self.fast:
            form, nnz = start.butterfly, result.operator.nnz
            if start.result is result and form is not None and form.nnz <= budget:
                return form if form.nnz <= _GAIN * nnz else result.operator
        return result.operator

    def _butterflies(self) -> list[Start]:
        """Return the butterflies, and record how long each took."""
        found: list[Start] = []
        began = time.perf_counter()
        for start in butterflies(self.matrix, self._effort.restarts, self._rng):
            self._record(start.method, start.result, time.perf_counter() - began)
            found.append(start)
            began = time.perf_counter()
            if self.stopped:
                break
        return found

    def _explored(self, budget: int) -> list[Found]:
        """Explore from all starts shortly, from the best for long, from two again.

        Return all that fits the budget.
        """
        effort, most = self._effort, self._most_sweeps
        fresh = list(starts(self.matrix, budget, effort.draws, most, self._rng))
        found: list[Found] = [
            (start.method, start.result)
            for start in fresh
            if start.result is not None and start.result.operator.nnz <= budget
        ]
        look = Stage(min(effort.look, most), _LOOK, "", refine_values=self._small)
        looked = self._run([*fresh, *self.fast], budget, look)
        found += [(start.method, result) for start, result in looked]
        long = Stage(min(effort.long, most), _LONG, ", explored")
        chosen = _finalists(looked, effort.finalists)
        for start, result in self._run(chosen, budget, long):
            found.append((start.method + long.suffix, result))
        best = sorted(found, key=lambda pair: pair[1].relative_error)[:2]
        again = Stage(min(effort.long // 2, most), _AGAIN, ", annealed")
        for _ in range(effort.rounds):
            pool = [Start(method, result.factors, result) for method, result in best]
            best = [_better(*pair) for pair in self._run(pool, budget, again)]
        return found + [(method + again.suffix, result) for method, result in best]

    def _run(
        self, pool: list[Start], budget: int, stage: Stage
    ) -> list[tuple[Start, Factorization]]:
        """Explore from each start, and return those with a result in the budget."""
        found: list[tuple[Start, Factorization]] = []
        if self.stopped:
            return found
        calls = [(self.matrix, start, budget, stage) for start in pool]
        outcomes = each(_explore, calls, self._n_jobs)
        for start, (result, seconds, failure) in zip(pool, outcomes, strict=False):
            if result is not None and result.operator.nnz <= budget:
                found.append((start, result))
            method = start.method + stage.suffix
            self._record(method, result, seconds, failure, start.n_factors)
            if self.stopped:
                break
        return found

    def _record(
        self,
        method: str,
        result: Factorization | None,
        seconds: float,
        failure: str = "",
        n_factors: int = 0,
    ) -> None:
        """Record a trial, and ask the callback whether it was the last one."""
        scale, factors = 1.0, list[sp.csr_array]()
        if result is None:
            trial = Trial(method, n_factors, math.inf, 0, seconds, failure)
        else:
            scale, factors = result.scale, result.factors
            error, nnz = result.relative_error, result.operator.nnz
            trial = Trial(method, len(factors), error, nnz, seconds)
        self.trials.append(trial)
        if self._callback is None:
            return
        state = SweepState(
            len(self.trials),
            trial.error,
            scale,
            functools.partial(list, factors),
            phase=method,
            failure=failure,
        )
        if self._callback(state):
            self.stopped = True


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


def _explore(
    matrix: np.ndarray, start: Start, budget: int, stage: Stage
) -> tuple[Factorization | None, float, str]:
    """Explore from one start; return the result, seconds, and what went wrong."""
    began = time.perf_counter()
    shapes = [factor.shape for factor in start.factors]
    result, failure = None, ""
    try:
        result = explore(
            matrix,
            split_budget(shapes, budget),
            init=start.factors if start.result is None else start.result,
            leak=stage.leak,
            n_iter=stage.n_iter,
            safeguard=False,
            refine_values=stage.refine_values,
        )
    except (ValueError, np.linalg.LinAlgError) as error:
        failure = f"{type(error).__name__}: {error}"
    return result, time.perf_counter() - began, failure


def _better(start: Start, result: Factorization) -> Found:
    """Return the factorization that a start is, or what was found from it if better."""
    known = start.result
    if known is not None and known.relative_error <= result.relative_error:
        return start.method, known
    return start.method, result


def _finalists(looked: list[tuple[Start, Factorization]], most: int) -> list[Start]:
    """Return the best starts, at most half of them with one number of factors."""
    chosen: list[Start] = []
    counts: dict[int, int] = {}
    for start, _ in sorted(looked, key=lambda pair: pair[1].relative_error):
        count = counts.get(start.n_factors, 0)
        if len(chosen) < most and count < max(1, most // 2):
            chosen.append(start)
            counts[start.n_factors] = count + 1
    return chosen
