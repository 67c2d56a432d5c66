"""Dense k-means: what QuicK-means trains first, while the centers still move."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

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
        The objective after each iteration; only after the last one where scikit-learn
        made them.
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
    n_iter, history = 0, IterationLog(options.verbose, "dense iteration")
    if options.algorithm != "lloyd" and options.max_iter > 0:
        first, n_iter = _by_scikit_learn(points, options, first, random_state)
    centers = recipe.first(first, np.ones(shape[0]), points.origin)
    found = Clustering.of(points, centers)
    if n_iter:
        history.note(found)
    else:
        limit = options.tol * points.variance

        def settled(before: Clustering, after: Clustering) -> bool:
            return _shift(before.centers, after.centers) <= limit

        found = iterate(points, recipe, found, options.max_iter, settled, history)
        n_iter = len(history.columns["objective"])
    return DenseRun(found, n_iter, history.columns["objective"])


def _shift(before: FactoredCenters, after: FactoredCenters) -> float:
    """Return the sum of the squared distances by which centers have moved."""
    moved = after.array.astype(np.float64) - before.array
    return float(np.einsum("kd,kd->", moved, moved))


def _by_scikit_learn(
    points: WeightedPoints, options: TrainingOptions, first: np.ndarray, state: Any
) -> tuple[np.ndarray, int]:
    """Return the centers of scikit-learn, and the number of its iterations."""
    if not isinstance(points, Points):
        raise ValueError(
            f"algorithm={options.algorithm!r} takes points in memory: expected "
            "'lloyd' for a dask array"
        )
    shared: dict[str, Any] = {"init": first, "n_init": 1, "max_iter": options.max_iter}
    count = options.n_clusters
    if options.algorithm == "elkan":
        model = KMeans(count, algorithm="elkan", tol=options.tol, **shared)
    else:
        model = MiniBatchKMeans(count, tol=options.tol, random_state=state, **shared)
    with warnings.catch_warnings():
        # It is repeated for the centers that are kept, where it still holds.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(points.x, sample_weight=points.weights)
    return model.cluster_centers_.astype(points.dtype, copy=False), int(model.n_iter_)
