"""The training of QuicK-means: dense k-means, then factors, then both together."""

import math
from dataclasses import dataclass
from typing import Any

from .._core.jobs import each
from .dense_training import DenseRun, TrainingOptions, dense_run, finished
from .lloyd import Clustering, IterationLog, iterate
from .points import WeightedPoints
from .recipes import RECIPES, CenterRecipe, DenseRecipe, budget_of, centered_at
from .value_search import Found, ValueSearch

JOINT_ITERATIONS = 10
"""Maximum number of iterations in which factors and labels are fitted together."""

JOINT_TOL = 1e-3
"""Share of the objective that a joint iteration has to gain for another one."""

POINTS_OF_A_SWEEP = 7
"""Number of points, for each row or column of the centers, whichever are fewer, whose
distances to dense centers take about as long as one sweep over the factors of these
centers: products of factors with one another take longer the larger they are."""

ENTRIES_OF_CALLS = 10_000_000
"""Number of multiplications for distances that take about as long as the calls from
Python of one sweep, or of one joint iteration, do."""

SEARCH_SHARE, JOINT_SHARE = 16, 8
"""Time of the dense iterations over the longest time of all explorations, and over that
of the joint iterations, where the number of values is searched."""

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
    recipe, found, dense = factored(points, options, dense, values)
    history = IterationLog(options.verbose, "joint iteration")
    history.note(found)
    if not isinstance(recipe, DenseRecipe):
        most = min(options.max_iter, _joint_iterations(points, dense, values))
        found = iterate(points, recipe, found, most, _slow, history)
    n_joint = len(history.columns["objective"]) - 1
    columns = {**history.columns, "dense_objective": dense.objective}
    return Trained(found, recipe, dense, columns, dense.n_iter + n_joint)


def factored(
    points: WeightedPoints,
    options: TrainingOptions,
    dense: DenseRun,
    values: ValueOptions,
) -> tuple[CenterRecipe, Clustering, DenseRun]:
    """Return a recipe, the points at its centers, and the dense run.

    The centers may be the dense ones; that run is finished then.
    """
    found = (_searched if values.searched else _given)(points, dense, values)
    if found is not None:
        return found.recipe, found.clustering, dense
    dense = finished(points, options, dense)
    centers = dense.clustering.centers
    shape, centered = centers.product.shape, centers.offset is not None
    return DenseRecipe(shape, math.prod(shape), centered), dense.clustering, dense


def _given(
    points: WeightedPoints, dense: DenseRun, values: ValueOptions
) -> Found | None:
    """Return centers of a given number of values; None if all K D are allowed."""
    statistics = dense.clustering.statistics
    recipe = values.recipe(dense.clustering.centers.product.shape, points.mean_share)
    if isinstance(recipe, DenseRecipe):
        return None
    means = statistics.located.astype(points.dtype)
    first = recipe.first(means, statistics.counts, points.origin)
    return Found(recipe, Clustering.of(points, first))


def _searched(
    points: WeightedPoints, dense: DenseRun, values: ValueOptions
) -> Found | None:
    """Return centers of as few values as are found; None if none pay."""
    shape = dense.clustering.centers.product.shape
    size = math.prod(shape)
    work = dense.n_iter * points.shape[0] * size
    each = POINTS_OF_A_SWEEP * min(shape) * size + ENTRIES_OF_CALLS
    n_sweeps = work // (SEARCH_SHARE * each)
    kind, n_sweeps = RECIPES[values.factorizer], min(n_sweeps, MOST_SWEEPS)
    return ValueSearch(
        points,
        dense.clustering,
        values.increase,
        kind,
        values.n_factors,
        n_sweeps,
    ).found()


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
