"""Seeds: the centers that a run of QuicK-means begins near."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._core.array_checks import array_of
from ..operators import FactorProduct
from ..operators.rounding_bounds import norms
from .factored_centers import FactoredCenters
from .points import Points, WeightedPoints

INITS = ("k-means++", "random")
"""Names that the parameter ``init`` of `QuicKMeans` may have."""

SAMPLE, SAMPLE_EACH = 10_000, 20
"""Number of points that seeds are found on, where there are more points: the larger of
the first number and the second one times the number of clusters."""

UNSPOILT = 32
"""How many times the rounding error of the largest squared norm the mean squared
distance has to be, so that the centers of scikit-learn are taken: its squared distances
are differences of squared norms."""

DENSE_ITERATIONS = 5
"""Maximum number of iterations of dense k-means, which are made because factors of the
centers that it finds are better than factors of single points."""


@dataclass(frozen=True)
class Seeds:
    """Dense centers that factored centers begin near.

    Attributes
    ----------
    means : array, (K, D)
        Means of points.
    counts : array, (K,)
        The weight of the points of each mean.
    """

    means: np.ndarray
    counts: np.ndarray


def seeds(
    points: WeightedPoints,
    n_clusters: int,
    init: Any,
    random_state: int | np.random.RandomState | None,
) -> Seeds:
    """Return the seeds of one run: points, improved by some iterations of k-means.

    Parameters
    ----------
    points : Points or BlockedPoints
    n_clusters : int
    init : {"k-means++", "random"} or array_like, (K, D)
        How the points are drawn, or the points themselves.
    random_state : None, int or RandomState

    Notes
    -----
    Where there are many points, seeds are found on a sample of them. Otherwise, they
    depend on the distinct points and their weights only, not on their order, nor on
    whether a point of weight 2 is present twice.
    """
    n_points, enough = points.shape[0], max(SAMPLE, SAMPLE_EACH * n_clusters)
    rng = check_random_state(random_state)
    chosen = np.arange(n_points)
    if n_points > enough and isinstance(init, str):
        chosen = np.sort(rng.choice(n_points, enough, replace=False))
    elif n_points > enough:  # the same points whatever the random state
        chosen = np.linspace(0, n_points - 1, enough).astype(int)
    x, weights = distinct(*points.take(chosen))
    if not isinstance(init, str):
        first = given_seeds(init, (n_clusters, points.shape[1]), points.dtype)
    elif len(x) <= n_clusters:
        first = np.resize(x, (n_clusters, x.shape[1]))
    elif init == "random":
        share = weights / weights.sum()
        first = x[rng.choice(len(x), n_clusters, replace=False, p=share)]
    else:
        first = None
    if len(x) <= n_clusters:
        assert first is not None
        return Seeds(first, np.ones(n_clusters))
    largest = float(norms(x.astype(np.float64)).max()) ** 2
    if _in_range(largest, x):
        found, spread = _settled(x, weights, first, n_clusters, rng)
        if spread > UNSPOILT * np.finfo(x.dtype).eps * largest * weights.sum():
            return found
    return _settled_exactly(x, weights, first, n_clusters, rng)


def _in_range(largest: float, x: np.ndarray) -> bool:
    """Return whether squared distances of points are far from the limits of the dtype.

    largest : the largest squared norm.
    """
    info = np.finfo(x.dtype)
    least, most = float(info.smallest_normal), float(info.max)
    return least / float(info.eps) ** 2 < largest < most * float(info.eps)


def _settled(
    x: np.ndarray,
    weights: np.ndarray,
    first: np.ndarray | None,
    n_clusters: int,
    rng: np.random.RandomState,
) -> tuple[Seeds, float]:
    """Return the centers after a few iterations of dense k-means, and their inertia.

    The first centers are drawn by k-means++ if they are None.
    """
    if first is None:
        first, _ = kmeans_plusplus(
            x, n_clusters, sample_weight=weights, random_state=rng
        )
    dense = KMeans(n_clusters, init=first, n_init=1, max_iter=DENSE_ITERATIONS, tol=0)
    with warnings.catch_warnings():
        # It warns where there are fewer distinct points than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense.fit(x, sample_weight=weights)
    counts = np.bincount(dense.labels_, weights, n_clusters)
    means = dense.cluster_centers_.astype(x.dtype, copy=False)
    return Seeds(means, counts), dense.inertia_


def _settled_exactly(
    x: np.ndarray,
    weights: np.ndarray,
    first: np.ndarray | None,
    n_clusters: int,
    rng: np.random.RandomState,
) -> Seeds:
    """Do as `_settled` with exact distances, which takes longer."""
    points = Points(x.astype(np.float64), weights)
    means = _spread(points, n_clusters, rng) if first is None else first
    means = means.astype(np.float64)
    counts = np.zeros(n_clusters)
    for _ in range(DENSE_ITERATIONS):
        product = FactorProduct([means - points.origin])
        statistics, _ = points.placed(FactoredCenters(product, points.origin))
        counts = statistics.counts
        used = counts[:, None] > 0
        means = np.where(used, statistics.origins + statistics.means, means)
    return Seeds(means.astype(x.dtype), counts)


def _spread(points: Points, n_clusters: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw centers by k-means++, as scikit-learn does, from exact distances.

    Each center is the best of some points, which are drawn with a probability that is
    proportional to their squared distance from the nearest center so far.
    """
    x, weights = points.x, points.weights
    trials = 2 + int(np.log(n_clusters))
    chosen = [rng.choice(len(x), p=weights / weights.sum())]
    squares = cdist(x[chosen], x, "sqeuclidean")[0]
    while len(chosen) < n_clusters:
        shares = np.cumsum(squares * weights)
        drawn = np.searchsorted(shares, rng.uniform(size=trials) * shares[-1])
        drawn = np.minimum(drawn, len(x) - 1)
        closer = np.minimum(squares, cdist(x[drawn], x, "sqeuclidean"))
        best = int(np.argmin(closer @ weights))
        chosen.append(drawn[best])
        squares = closer[best]
    return x[chosen]


def distinct(x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct points of positive weight and their weights.

    Points are in the order of their bytes. Weights of equal points are added up.
    """
    x = np.ascontiguousarray(x[weights > 0]) + 0.0  # no negative zeros
    weights = weights[weights > 0]
    rows = x.view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    return x[first], np.bincount(group.ravel(), weights)


def given_seeds(init: Any, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Return the array that was given as ``init``, or raise an error that names it."""
    centers = array_of("init", init, 2, kinds="f")
    if centers.shape != shape:
        raise ValueError(f"init has shape {centers.shape}, expected {shape}")
    with np.errstate(over="ignore"):
        centers = centers.astype(dtype)  # a copy, because it is not ours
    if not np.isfinite(centers).all():
        raise ValueError(f"init {shape} does not fit {dtype}, the dtype of X")
    return centers
