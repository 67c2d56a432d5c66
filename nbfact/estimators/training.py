"""The training of QuicK-means: dense k-means, then factors, then both together."""

import math
from dataclasses import dataclass
from typing import Any

from .._core.jobs import each
from .dense_training import DenseRun, TrainingOptions, dense_run
from .lloyd import Clustering, IterationLog, iterate
from .points import WeightedPoints
from .recipes import RECIPES, CenterRecipe, DenseRecipe, budget_of, centered_at
from .value_search import ValueSearch

JOINT_ITERATIONS = 10
"""Maximum number of iterations in which factors and labels are fitted together."""

JOINT_TOL = 1e-3
"""Share of the objective that a joint iteration has to gain for another one."""

POINTS_OF_A_SWEEP = 7000
"""Number of points whose distances to dense centers take about as long as one sweep
over the factors of these centers. The explorations of the search for values make as
many sweeps as the dense iterations went over such numbers of points: where these take
less than a few sweeps, there are none."""

POINTS_OF_A_COLUMN = 17
"""The same number for each row or column of the centers, whichever are fewer, where
that is more: products of factors with one another take longer the larger they are. At
K = D = 1024 a sweep takes as long as 17 000 points."""

ENTRIES_OF_CALLS = 10_000_000
"""Number of multiplications for distances that take about as long as the calls from
Python of one sweep, or of one joint iteration, do."""

JOINT_SHARE = 4
"""Time of the dense iterations over the longest time of the joint ones, where the
number of values is searched: the centers are near enough before them."""

MOST_SWEEPS = 300
"""Limit of that number of sweeps."""


@dataclass(frozen=True)
class ValueOptions:
    """How many values centers have, and how they are factored; see `QuicKMeans`.

    Attributes
    ----------
    factorizer : str
    n_factors : int or None
    nnz : int or None
        None where the number is searched.
    sparsity : int or None
        Stands for `nnz`, if that is None.
    increase : float
        The largest increase of the objective, where the number is searched.
    """

    factorizer: str
    n_factors: int | None
    nnz: int | None
    sparsity: int | None
    increase: float

    @property
    def searched(self) -> bool:
        """Whether the number of values is searched."""
        return self.nnz is None and self.sparsity is None

    def recipe(self, shape: tuple[int, int], mean_share: float) -> CenterRecipe:
        """Return the recipe of centers with the number of values that is given.

        These are dense where all K D values are allowed.
        """
        size = math.prod(shape)
        if self.nnz is None:
            budget = budget_of(shape, self.sparsity or 1)
        else:
            budget = min(self.nnz, size)
        dense = budget == size and self.n_factors is None
        if dense and self.factorizer != "butterfly":
            return DenseRecipe(shape, size, False)
        centered = centered_at(shape, budget, mean_share)
        return RECIPES[self.factorizer](shape, budget, centered, self.n_factors)


@dataclass(frozen=True)
class Trained:
    """What the training found.

    Attributes
    ----------
    clustering : Clustering
    recipe : CenterRecipe
        What fits these centers again, in `QuicKMeans.partial_fit`.
    dense : DenseRun
        The dense centers that they were factored from.
    history : dict of list
    n_iter : int
        Number of all iterations, dense ones and joint ones.
    """

    clustering: Clustering
    recipe: CenterRecipe
    dense: DenseRun
    history: dict[str, list[float]]
    n_iter: int


def train(
    points: WeightedPoints,
    options: TrainingOptions,
    values: ValueOptions,
    starts: list[tuple[Any, Any]],
    n_jobs: int | None,
) -> Trained:
    """Return the factored centers of the best of some dense runs.

    Parameters
    ----------
    points : Points or BlockedPoints
    options : TrainingOptions
    values : ValueOptions
    starts : list of (init, random_state)
        One pair for each run of dense k-means.
    n_jobs : int or None
        Number of processes over which the runs are spread.
    """
    calls = [(points, options, init, state) for init, state in starts]
    runs = each(dense_run, calls, n_jobs)
    dense = min(runs, key=lambda run: run.clustering.objective)
    recipe, found = factored(points, dense, values)
    history = IterationLog(options.verbose, "joint iteration")
    history.note(found)
    if not isinstance(recipe, DenseRecipe):
        most = min(options.max_iter, _joint_iterations(points, dense, values))
        found = iterate(points, recipe, found, most, _slow, history)
    n_joint = len(history.columns["objective"]) - 1
    columns = {**history.columns, "dense_objective": dense.objective}
    return Trained(found, recipe, dense, columns, dense.n_iter + n_joint)


def factored(
    points: WeightedPoints, dense: DenseRun, values: ValueOptions
) -> tuple[CenterRecipe, Clustering]:
    """Return a recipe, and the points at its centers; these may be the dense ones."""
    clustering, shape = dense.clustering, dense.clustering.centers.product.shape
    if not values.searched:
        recipe = values.recipe(shape, points.mean_share)
        if isinstance(recipe, DenseRecipe):
            return recipe, clustering
        statistics = clustering.statistics
        means = statistics.located.astype(points.dtype)
        first = recipe.first(means, statistics.counts, points.origin)
        return recipe, Clustering.of(points, first)
    size = math.prod(shape)
    work = dense.n_iter * points.shape[0] * size
    each = max(POINTS_OF_A_SWEEP, POINTS_OF_A_COLUMN * min(shape))
    n_sweeps = work // (each * size + ENTRIES_OF_CALLS)
    n_sweeps = min(n_sweeps, MOST_SWEEPS)
    kind = RECIPES[values.factorizer]
    search = ValueSearch(
        points, clustering, values.increase, kind, values.n_factors, n_sweeps
    )
    found = search.found()
    if found is None:
        centered = clustering.centers.offset is not None
        return DenseRecipe(shape, size, centered), clustering
    return found.recipe, found.clustering


def _joint_iterations(
    points: WeightedPoints, dense: DenseRun, values: ValueOptions
) -> int:
    """Return the maximum number of joint iterations, one at least."""
    if not values.searched:
        return JOINT_ITERATIONS
    work = points.shape[0] * math.prod(dense.clustering.centers.product.shape)
    most = dense.n_iter * work // (JOINT_SHARE * (work + ENTRIES_OF_CALLS))
    return min(max(most, 1), JOINT_ITERATIONS)


def _slow(before: Clustering, after: Clustering) -> bool:
    """Return whether a joint iteration gained too little for another one."""
    return before.objective - after.objective <= JOINT_TOL * before.objective
