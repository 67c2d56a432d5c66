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

FAR = 0.5
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
        The centers are one dense factor.
    n_iter : int
        Number of iterations.
    objective : list of float
        The objective after each iteration; of those that scikit-learn made, only after
        the last one.
    """

    clustering: Clustering
    n_iter: int
    objective: list[float]


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
    shape = options.n_clusters, points.shape[1]
    recipe = DenseRecipe(shape, shape[0] * shape[1], points.mean_share > FAR)
    first = seeds(points, options.n_clusters, init, random_state)
    history = IterationLog(options.verbose, "dense iteration")
    limit = options.tol * points.variance

    def settled(before: Clustering, after: Clustering) -> bool:
        return _shift(before.centers, after.centers) <= limit

    def at(centers: np.ndarray) -> Clustering:
        dense = recipe.first(centers, np.ones(shape[0]), points.origin)
        return Clustering.of(points, dense)

    x = _in_memory(points)
    if options.algorithm != "lloyd" and options.max_iter > 0:
        if not isinstance(points, Points):
            raise ValueError(
                f"algorithm={options.algorithm!r} takes points in memory: expected "
                "'lloyd' for a dask array"
            )
        given = points.x if x is None else x, points.weights
        model = _by_scikit_learn(*given, options, first, random_state)
        found = at(model.cluster_centers_)
        history.note(found)
        return DenseRun(found, int(model.n_iter_), history.columns["objective"])
    if options.max_iter > 0 and x is not None and isinstance(points, Points):
        model = _by_scikit_learn(x, points.weights, options, first, random_state)
        found = at(model.cluster_centers_)
        if _clear(points, found):
            n_iter = int(model.n_iter_)
            history.note(found)
            if np.array_equal(found.labels, model.labels_):
                return DenseRun(found, n_iter, history.columns["objective"])
            most = options.max_iter - n_iter
            found = iterate(points, recipe, found, most, settled, history)
            n_iter += len(history.columns["objective"]) - 1
            return DenseRun(found, n_iter, history.columns["objective"])
    found = iterate(points, recipe, at(first), options.max_iter, settled, history)
    n_iter = len(history.columns["objective"])
    return DenseRun(found, n_iter, history.columns["objective"])


def _in_memory(points: WeightedPoints) -> np.ndarray | None:
    """Return points as a dense array if they are one, or sparse and few; else None."""
    if not isinstance(points, Points):
        return None
    if points.sparse and math.prod(points.shape) > DENSE_ENTRIES:
        return None
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
