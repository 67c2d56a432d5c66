"""The search for the best factorization under one budget of non-zeros."""

import functools
import math
import time
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from ..._core.jobs import each
from ...operators import Butterfly, FactorProduct
from ..common.problem import Problem
from ..common.result import CallbackState, Factorization, History
from ..palm.initial_factors import checked_start
from ..palm.leaky_exploration import ExploreOptions, explored, schedule_of
from ..palm.sweep_options import SweepOptions
from .learn_options import LearnOptions
from .outcomes import LearnedTransform, Trial
from .starts import Start, butterflies, rounding, split_budget, starts

Found: TypeAlias = tuple[str, Factorization]
"""The method of a trial, and its result."""


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

    @property
    def options(self) -> ExploreOptions:
        """The options of each exploration."""
        leak = schedule_of(self.leak)
        sweeps = SweepOptions(n_iter=self.n_iter, keep="best", leak=leak)
        return ExploreOptions(
            sweeps=sweeps, safeguard=False, refine_values=self.refine_values
        )


class BudgetSearch:
    """The trials on one target, all on record.

    Parameters
    ----------
    problem : Problem
        The target as a dense matrix, which is not zero.
    options : LearnOptions
        How much each search spends, and the callback, which gets a `CallbackState`.
    rng : numpy.random.Generator
        The generator of random starts.

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
        options: LearnOptions,
        rng: np.random.Generator,
    ) -> None:
        self.problem, self._options = problem, options
        self._rng = rng
        self.trials: list[Trial] = []
        self.stopped = False
        work = math.prod(problem.shape) * min(problem.shape)
        self._most_sweeps = max(_LEAST, int(_WORK / work))
        self._small = work <= _REFINED
        self.fast = self._butterflies()

    def best(self, budget: int) -> LearnedTransform:
        """Return the best factorization with at most `budget` non-zeros.

        Unless that needs no search: explore from all starts shortly, from the best for
        long, from two again.
        """
        known = self._without_search(budget)
        if self._is_exact(known):
            return self._outcome(known, budget)
        effort, most = self._options.spent, self._most_sweeps
        fresh = list(starts(self.problem, budget, effort.draws, most, self._rng))
        found = _fitting(fresh, budget)
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
        found += [(method + again.suffix, result) for method, result in best]
        return self._outcome(known + found, budget)

    def _without_search(self, budget: int) -> list[Found]:
        """Return the largest entries, and the butterflies that fit the budget."""
        one = largest_entries(self.problem, budget)
        self._record("largest entries", one, 0.0)
        return [("largest entries", one), *_fitting(self.fast, budget)]

    def _is_exact(self, found: list[Found]) -> bool:
        """Return whether the least error of what was found is only rounding."""
        least = min(result.relative_error for _, result in found)
        return least <= rounding(self.problem.dtype)

    def _outcome(self, found: list[Found], budget: int) -> LearnedTransform:
        """Return the best of what was found, on record with all trials."""
        exact = rounding(self.problem.dtype)
        method, result = min(
            found,
            key=lambda pair: (max(pair[1].relative_error, exact), pair[1].operator.nnz),
        )
        return LearnedTransform(
            self._fastest(result, budget),
            result.relative_error,
            result.history,
            target=self.problem.array,
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
        for start in butterflies(self.problem, self._options.spent.restarts, self._rng):
            self._record(start.method, start.result, time.perf_counter() - began)
            found.append(start)
            began = time.perf_counter()
            if self.stopped:
                break
        return found

    def _run(
        self, pool: list[Start], budget: int, stage: Stage
    ) -> list[tuple[Start, Factorization]]:
        """Explore from each start, and return those with a result in the budget."""
        found: list[tuple[Start, Factorization]] = []
        if self.stopped:
            return found
        calls = [(self.problem, start, budget, stage) for start in pool]
        outcomes = each(_explore, calls, self._options.n_jobs)
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
        callback = self._options.callback
        if callback is None:
            return
        state = CallbackState(
            len(self.trials),
            trial.error,
            scale,
            functools.partial(list, factors),
            phase=method,
            failure=failure,
        )
        if callback(state):
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
    problem: Problem, start: Start, budget: int, stage: Stage
) -> tuple[Factorization | None, float, str]:
    """Explore from one start; return the result, seconds, and what went wrong."""
    began = time.perf_counter()
    sets = split_budget([factor.shape for factor in start.factors], budget)
    init = start.factors if start.result is None else start.result
    options = stage.options
    result, failure = None, ""
    try:
        first = checked_start(problem, sets, init, options.sweeps)
        result = explored(problem, first, options)
    except (ValueError, np.linalg.LinAlgError) as error:
        failure = f"{type(error).__name__}: {error}"
    return result, time.perf_counter() - began, failure


def _fitting(known: list[Start], budget: int) -> list[Found]:
    """Return the starts that are factorizations with at most `budget` non-zeros."""
    return [
        (start.method, start.result)
        for start in known
        if start.result is not None and start.result.operator.nnz <= budget
    ]


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
