"""The search for the best factorization under one budget of non-zeros."""

import math
import time
from collections.abc import Iterable, Sequence

import numpy as np

from ..._core.jobs import each
from ..common.problem import Problem
from ..common.result import Factorization
from .best_outcome import SearchRecord, fastest, outcome, trial_of, trial_state
from .exchanges import exchanged
from .families.family import Family, FamilyTask, Finder
from .families.family_registry import FAMILIES, PRODUCTS
from .finalists import (
    EVERY,
    as_good,
    exchangeable,
    finalists,
    hopeless,
    insured,
    promising,
    shallow,
    structured,
)
from .learn_options import LearnOptions
from .lighter_products import TRIES, lighter_products
from .outcomes import LearnedTransform, Trial
from .stages import (
    Deadline,
    Stage,
    explore_by_default,
    explore_start,
    largest_entries,
    refined,
    stages_of,
)
from .starts import Start, layer_shapes, numbers_of_factors, rounding, starts

_WORK, _LEAST = 2e10, 20
"""Largest number of entries of the target, times its smaller side, times sweeps of one
exploration: 1000 sweeps at n = 256, and fewer for larger targets, but at least 20."""

_SAME = 1e-6
"""Part of an error that a round has to gain for the next one to begin from its result:
what gains less has the same supports, which the next round would find again."""


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
    stopped : str
        Why the search has ended early; empty while it has not.
    fast : list of Start
        What families found whose members depend on no budget.
    """

    def __init__(
        self,
        problem: Problem,
        options: LearnOptions,
        rng: np.random.Generator,
    ) -> None:
        self.problem, self._options = problem, options
        self.rng = rng
        self.trials: list[Trial] = []
        self.stopped = ""
        work = math.prod(problem.shape) * min(problem.shape)
        self._most_sweeps = max(_LEAST, int(_WORK / work))
        spent, most = options.spent, self._most_sweeps
        self._sweeps = min(spent.look, most), min(spent.long, most)
        self._deadline = Deadline(time.time() + options.seconds)
        self._product = options.product_budget(problem.shape, problem.dtype)
        self._all_ways = min(problem.shape) <= EVERY
        self._most_entries = math.prod(problem.shape)
        self._families = [one for one in FAMILIES if one.name in options.chosen]
        self.fast: list[Start] = []
        self._done: set[str] = set()
        self._found: list[Start] = []
        # Updates of factors that are done and to be done, and seconds of the former.
        self._work, self._left, self._seconds = 0.0, 0.0, 0.0

    def best(self, budget: int) -> LearnedTransform:
        """Return the best factorization with at most `budget` non-zeros.

        An interruption by the user ends the search with the best so far.
        """
        self._found = []
        try:
            self._search(budget)
        except KeyboardInterrupt:
            if not self._found:
                raise
            self.interrupt()
        search = SearchRecord(tuple(self.trials), self.stopped, budget, self._product)
        return outcome(self.problem, self._found, self.fast, search)

    def interrupt(self) -> None:
        """Let the search end, because the user has interrupted it."""
        self.stopped = "interrupted"

    def _search(self, budget: int) -> None:
        """Look for structures; unless one is exact, explore."""
        if self._product is not None and self._product.impossible:
            return
        self._add(self._largest(budget), 0.0, budget)
        self._found += [known for known in self.fast if self._fits(known, budget)]
        for family in self._families:
            if family.once is not None and family.name not in self._done:
                self.fast += self._run_family(family, family.once, budget, budget)
                self._done.add(family.name)
            if family.within is not None:
                self._run_within(family, family.within, budget)
        exact = self._least <= rounding(self.problem.dtype)
        if not exact and not self.stopped and PRODUCTS in self._options.chosen:
            self._explore(budget)

    def _largest(self, budget: int) -> Start:
        """Return the largest entries of the target, as many as fit the budget."""
        share = self._share(budget, [self.problem.shape])
        for _ in range(TRIES):
            found = largest_entries(self.problem, max(1, share))
            one = Start.of("largest entries", found)
            if self._product is None or self._fits(one, budget):
                break
            share = self._product.fewer(found.operator)
        return one

    @property
    def _least(self) -> float:
        """The least error so far within the budget."""
        return min((one.error for one in self._found), default=math.inf)

    def _share(self, budget: int, shapes: Sequence[tuple[int, int]]) -> int:
        """Return how many non-zeros sparse factors of some shapes may have."""
        if self._product is None:
            return budget
        return min(budget, self._product.learned_entries(shapes))

    def _fits(self, one: Start, budget: int) -> bool:
        """Return whether a factorization is within the budget."""
        if one.nnz > budget:
            return False
        return self._product is None or self._product.admits(
            fastest(one, budget, self._product)
        )

    def _run_within(self, family: Family, find: Finder, budget: int) -> None:
        """Let a family look for what fits the budget.

        Where that is a time, one with dense parts looks for fewer and fewer entries,
        until some fit. The next one begins with twice as many as those.
        """
        limits: Iterable[int] = [self._share(budget, [self.problem.shape] * 2)]
        if self._product is not None and family.dense_parts:
            limits = self._product.ladder(self._most_entries)
        for limit in limits:
            found = self._run_family(family, find, limit, budget)
            fit = any(self._fits(one, budget) for one in found)
            if fit:
                self._most_entries = min(self._most_entries, 2 * limit)
            if fit or self.stopped:
                return

    def _run_family(
        self, family: Family, find: Finder, limit: int, budget: int
    ) -> list[Start]:
        """Return what a family finds with at most `limit` non-zeros, on record."""
        self._watch()
        if self.stopped:
            return []
        last = family is self._families[-1] and PRODUCTS not in self._options.chosen
        task = FamilyTask(
            self.problem,
            self._options.spent.restarts,
            self.rng,
            limit,
            self._least,
            [*self.fast, *self._found],
            self._sweeps,
            self._deadline.part(1.0 if last else family.share),
            self._product,
        )
        found: list[Start] = []
        began = time.perf_counter()
        for start in find(task):
            self._add(start, time.perf_counter() - began, budget)
            found.append(start)
            began = time.perf_counter()
            if self.stopped:
                break
        self._watch()  # it may have found nothing
        return found

    def _watch(self) -> None:
        """Let the search end where its time is over."""
        if self._deadline.over and not self.stopped:
            self.stopped = "time limit"

    def _explore(self, budget: int) -> None:
        """Explore from all starts shortly, from the best for long, from two again."""
        effort = self._options.spent
        shape, rounds = self.problem.shape, min(effort.long // 2, self._most_sweeps)
        sweeps = (*self._sweeps, rounds)
        look, long, again = stages_of(shape, sweeps, effort.leaks, self._deadline)
        self._left = 3.0 * long.n_iter * effort.finalists
        self._left += 6.0 * again.n_iter * effort.rounds
        looked, before = list[tuple[Start, Start]](), 0
        pool = promising(self._found, self.fast, self._all_ways)
        for count in effort.counts or numbers_of_factors(self.problem.shape):
            if self.stopped:
                return
            if before > 2 and self._shallow(looked, before):
                break  # pool is empty: the first count took what families found
            before = count
            share = self._share(budget, layer_shapes(*self.problem.shape, count))
            if share < count:
                continue
            pool += starts(
                self.problem, share, count, effort.draws, self._most_sweeps, self.rng,
                self._deadline.callback,
            )  # fmt: skip
            for one in pool:
                if one.result is None or one.structure or not self._fits(one, budget):
                    continue
                self._found.append(one)
            looked += self._run(pool, budget, look)
            pool = []
        chosen = finalists(looked, effort.finalists)
        self._left = long.n_iter * float(sum(one.n_factors for one, _ in chosen))
        self._left += 6.0 * again.n_iter * effort.rounds
        self._explore_long(chosen, budget, long)
        if effort.insured and insured(self.problem.shape, chosen):
            self._insure(budget, (2, 3) if self._shallow(looked, 3) else (2, 3, 4))
        self._anneal(budget, again)
        self._exchange(budget)
        began = time.perf_counter()
        if self._found and not self.stopped:
            best = min(self._found, key=lambda one: one.error)
            found = refined(self.problem, best, self._deadline)
            if found is not None:
                self._add(found, time.perf_counter() - began, budget)

    def _explore_long(
        self, chosen: list[tuple[Start, Start]], budget: int, stage: Stage
    ) -> None:
        """Explore for long from the best start, and from those that may be as good.

        chosen: starts with the results of short explorations, the best one first.
        """
        pool = [start for start, _ in chosen]
        if self._all_ways:
            self._run(pool, budget, stage)
            return
        first = self._run(pool[:1], budget, stage)
        for _, best in first:
            stage = stage._replace(leader=best)
            if not structured(chosen):
                pool = [*pool[:1], *as_good(chosen, best)]
        self._run(pool[1:], budget, stage)

    def _shallow(self, looked: list[tuple[Start, Start]], count: int) -> bool:
        """Return whether more factors than `count` are not worth an exploration."""
        if self._options.spent.counts or self._all_ways:
            return False
        return shallow(looked, count)

    def _insure(self, budget: int, counts: Iterable[int]) -> None:
        """Add what `explore` and `palm4msa` find with their defaults."""
        for count in counts:
            if self.stopped:
                return
            share = self._share(budget, layer_shapes(*self.problem.shape, count))
            if share < count:
                continue
            began = time.perf_counter()
            found = explore_by_default(self.problem, share, count, self._deadline)
            one = Start.of("default exploration", found)
            self._add(one, time.perf_counter() - began, budget)

    def _anneal(self, budget: int, stage: Stage) -> None:
        """Explore again from the best two, as long as that helps."""
        best = sorted(self._found, key=lambda one: one.error)[:2]
        gains = [0.0] * len(best)
        done: list[Start] = []
        for number in range(self._options.spent.rounds):
            left = self._options.spent.rounds - number
            if number and not self._all_ways:
                done += hopeless(best, gains, left)
            # What a round left as it was would be left so by the next one too.
            pool = [one for one in best if not any(one is known for known in done)]
            self._left = float(left) * sum(stage.work(one) for one in pool)
            results = dict(
                (id(start), result) for start, result in self._run(pool, budget, stage)
            )
            if not results or self.stopped:
                break
            for place, start in enumerate(best):
                result = results.get(id(start), start)
                gains[place] = min(1.0, result.error / (start.error or 1.0))
                if result.error < (1 - _SAME) * start.error:
                    best[place] = result
                else:
                    done.append(start)

    def _exchange(self, budget: int) -> None:
        """Exchange single entries of the best product without a structure."""
        kicks = self._options.spent.kicks
        pool = exchangeable(self._found, self._all_ways)
        if not kicks or not pool or self.stopped:
            return
        began = time.perf_counter()
        share = self._share(budget, [factor.shape for factor in pool[0].factors])
        (rng,) = self.rng.spawn(1)
        found = exchanged(self.problem, pool[0], share, kicks, rng, self._deadline)
        if found is not None:
            self._add(found, time.perf_counter() - began, budget)

    def _run(
        self, pool: list[Start], budget: int, stage: Stage
    ) -> list[tuple[Start, Start]]:
        """Explore from each start, and return those with a result in the budget."""
        found: list[tuple[Start, Start]] = []
        if self.stopped or not pool:
            return found
        calls = []
        for start in pool:
            share = self._share(budget, [factor.shape for factor in start.factors])
            calls.append((self.problem, start, max(share, start.n_factors), stage))
        outcomes = each(explore_start, calls, self._options.n_jobs)
        for start, (result, seconds, failure) in zip(pool, outcomes, strict=False):
            name = start.method.removesuffix(stage.suffix) + stage.suffix
            work = stage.work(start)
            self._work += work
            self._left = max(0.0, self._left - work)
            self._seconds += seconds
            if result is None:
                self._record(
                    Trial(name, start.n_factors, math.inf, 0, seconds, failure)
                )
            else:
                one = Start.of(
                    name,
                    result,
                    keeps_shares=start.keeps_shares,
                    blocks=start.blocks,
                )
                if self._add(one, seconds, budget):
                    found.append((start, one))
                elif self._product is not None:
                    lighter = lighter_products(self.problem, one, self._product, stage)
                    for fewer, more in lighter:
                        if self._add(fewer, more, budget):
                            found.append((start, fewer))
                        if self.stopped:
                            break
            if self.stopped:
                break
        return found

    def _add(self, start: Start, seconds: float, budget: int) -> bool:
        """Keep a factorization if it fits the budget, and record it."""
        fits = self._fits(start, budget)
        if fits:
            self._found.append(start)
        self._record(trial_of(start, seconds), start.result)
        return fits

    def _record(self, trial: Trial, result: Factorization | None = None) -> None:
        """Record a trial, and ask the callback whether it was the last one."""
        self.trials.append(trial)
        self._watch()
        callback = self._options.callback
        if callback is None:
            return
        state = trial_state(len(self.trials), trial, result, self._remaining)
        if callback(state):
            self.stopped = "callback"

    @property
    def _remaining(self) -> float:
        """About how many seconds the search will take; NaN where that is not known."""
        if not self._work:
            return math.nan
        return self._left * self._seconds / self._work
