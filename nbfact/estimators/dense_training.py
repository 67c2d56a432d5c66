"""Dense k-means: what QuicK-means trains first, while the centers still move."""

import functools
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

from .._core import threads
from .factored_centers import FactoredCenters
from .lloyd import Clustering, IterationLog, iterate
from .points import Points, WeightedPoints
from .recipes import DenseRecipe
from .seeds import seeds

ALGORITHMS = ("lloyd", "elkan", "mini-batch")
"""Names that the parameter ``algorithm`` of `QuicKMeans` may have."""

FAR = 0.75
"""Share of the squared norms of the points that their mean explains, from which on
dense centers have the mean as an offset: products with what is left keep more digits,
so that fewer distances have to be computed anew."""

DENSE_ENTRIES = 2**22
"""Largest number of entries of sparse points that are made dense together, so that
scikit-learn clusters them as it does dense points: 32 MB in double precision."""

CLEAR = 2.0**8
"""How many times the rounding error of the mean squared norm of the points the mean
squared distance to the centers has to be, so that iterations of Lloyd's algorithm by
scikit-learn are kept."""


@dataclass(frozen=True)
class TrainingOptions:
    """The parameters of `QuicKMeans` that its training reads; see there.

    Attributes
    ----------
    n_clusters : int
    max_iter : int
    tol : float
    algorithm : str
    verbose : bool
    """

    n_clusters: int
    max_iter: int
    tol: float
    algorithm: str
    verbose: bool


@dataclass(frozen=True)
class DenseRun:
    """What dense k-means found from one start.

    Attributes
    ----------
    clustering : Clustering
        The centers are one dense factor. If `rounded`, the labels are those of
        scikit-learn.
    n_iter : int
        Number of iterations.
    objective : list of float
        The objective after each iteration; of those that scikit-learn made, only after
        the last one.
    rounded : bool
        Whether rounding may have changed labels: see `finished`.
    """

    clustering: Clustering
    n_iter: int
    objective: list[float]
    rounded: bool


def dense_run(
    points: WeightedPoints, options: TrainingOptions, init: Any, random_state: Any
) -> DenseRun:
    """Return the centers that dense k-means finds from one start.

    Parameters
    ----------
    points : Points or BlockedPoints
    options : TrainingOptions
    init, random_state
        See `seeds`.
    """
    lloyd = options.algorithm == "lloyd"
    if not (lloyd or isinstance(points, Points)) and options.max_iter > 0:
        raise ValueError(
            f"algorithm={options.algorithm!r} takes points in memory: expected "
            "'lloyd' for a dask array"
        )
    recipe = _recipe(points, options)
    first = seeds(points, options.n_clusters, init, random_state)
    x = _for_scikit_learn(points, options)
    if isinstance(points, Points) and x is not None:
        model = _by_scikit_learn(x, points.weights, options, first, random_state)
        centers = _placed(recipe, model.cluster_centers_, points)
        found = Clustering.placed(centers, *points.placed(centers, model.labels_))
        clear = _clear(points, found)
        if clear or not lloyd:
            found = found if clear else Clustering.of(points, centers)
            history = IterationLog(options.verbose, "dense iteration")
            history.note(found)
            return DenseRun(found, int(model.n_iter_), [found.objective], clear)
    start = Clustering.of(points, _placed(recipe, first, points))
    return _iterated(points, options, DenseRun(start, 0, [], False))


def finished(
    points: WeightedPoints, options: TrainingOptions, run: DenseRun
) -> DenseRun:
    """Return a run with exact labels, after more iterations where others had been.

    It is only needed where the centers are not factored.
    """
    if not run.rounded:
        return run
    found = Clustering.of(points, run.clustering.centers)
    exact = DenseRun(found, run.n_iter, [found.objective], False)
    same = np.array_equal(found.labels, run.clustering.labels)
    if same or options.algorithm != "lloyd":
        return exact
    return _iterated(points, options, exact)


def _iterated(
    points: WeightedPoints, options: TrainingOptions, run: DenseRun
) -> DenseRun:
    """Return a run with the iterations that are left, until it has settled."""
    limit = options.tol * points.variance

    def settled(before: Clustering, after: Clustering) -> bool:
        return _shift(before.centers, after.centers) <= limit

    history = IterationLog(options.verbose, "dense iteration")
    recipe, most = _recipe(points, options), options.max_iter - run.n_iter
    found = iterate(points, recipe, run.clustering, most, settled, history)
    objective = history.columns["objective"]
    n_iter = run.n_iter + len(objective)
    return DenseRun(found, n_iter, [*run.objective, *objective], False)


def _recipe(points: WeightedPoints, options: TrainingOptions) -> DenseRecipe:
    """Return the recipe of dense centers, which have an offset if points are far."""
    shape = options.n_clusters, points.shape[1]
    return DenseRecipe(shape, math.prod(shape), points.mean_share > FAR)


def _placed(
    recipe: DenseRecipe, centers: np.ndarray, points: WeightedPoints
) -> FactoredCenters:
    """Return dense centers as one factor, less the mean of the points if that is so."""
    return recipe.first(centers, np.ones(len(centers)), points.origin)


def _for_scikit_learn(points: WeightedPoints, options: TrainingOptions) -> Any:
    """Return points that scikit-learn is to cluster, or None if nbfact does.

    Sparse points are made dense if they are few.
    """
    if not isinstance(points, Points) or options.max_iter == 0:
        return None
    if points.sparse and math.prod(points.shape) > DENSE_ENTRIES:
        return None if options.algorithm == "lloyd" else points.x
    return points.rows(slice(None))


def _clear(points: Points, found: Clustering) -> bool:
    """Return whether rounding does no harm to what scikit-learn found.

    Its squared distances are differences of squared norms, of points less their mean.
    """
    typical = points.variance * points.shape[1] * float(points.weights.sum())
    return found.objective > CLEAR * float(np.finfo(points.dtype).eps) * typical


def _shift(before: FactoredCenters, after: FactoredCenters) -> float:
    """Return the sum of the squared distances by which centers have moved."""
    moved = after.array.astype(np.float64) - before.array
    return float(np.einsum("kd,kd->", moved, moved))


def _by_scikit_learn(
    x: Any, weights: np.ndarray, options: TrainingOptions, first: np.ndarray, state: Any
) -> Any:
    """Return k-means of scikit-learn, fitted to points from the first centers."""
    shared: dict[str, Any] = {
        "init": first,
        "n_init": 1,
        "max_iter": options.max_iter,
        "tol": options.tol,
        "verbose": options.verbose,
    }
    count = options.n_clusters
    if options.algorithm == "mini-batch":
        model = MiniBatchKMeans(count, random_state=state, **shared)
    else:
        model = KMeans(count, algorithm=options.algorithm, **shared)
    limits = _controller().limit(limits=threads.current(), user_api="openmp")
    with warnings.catch_warnings(), limits, np.errstate(over="ignore"):
        # It is repeated for the centers that are kept, where it still holds.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, sample_weight=weights)
    return model


@functools.cache
def _controller() -> ThreadpoolController:
    """Return what limits the threads of OpenMP, on which scikit-learn computes."""
    return ThreadpoolController()
