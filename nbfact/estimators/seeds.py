"""Seeds: the points that the centers of a run begin at."""

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import kmeans_plusplus
from sklearn.utils import check_random_state

from .._core.array_checks import array_of
from ..operators.rounding_bounds import norms
from .points import WeightedPoints

INITS = ("k-means++", "random")
"""Names that the parameter ``init`` of `QuicKMeans` may have."""

SAMPLE, SAMPLE_EACH = 10_000, 20
"""Number of points that seeds are drawn from, where there are more points: the larger
of the first number and the second one times the number of clusters."""

SAMPLE_ENTRIES = 2**27
"""Maximum number of entries of that sample, which is dense even where the points are
sparse: a gigabyte in double precision. There are three points for each center at least.
"""

UNSPOILT = 2.0**10
"""How many times the rounding error of the largest squared norm the mean squared norm
has to be, so that scikit-learn draws the seeds: its squared distances are differences
of squared norms."""


def seeds(
    points: WeightedPoints,
    n_clusters: int,
    init: Any,
    random_state: int | np.random.RandomState | None,
) -> np.ndarray:
    """Return the first centers of one run, (K, D): points, or those that are given.

    Parameters
    ----------
    points : Points or BlockedPoints
    n_clusters : int
    init : {"k-means++", "random"} or array_like, (K, D)
        How the points are drawn, or the points themselves.
    random_state : None, int or RandomState

    Notes
    -----
    Where there are many points, seeds are drawn from a sample of them. Otherwise, they
    depend on the distinct points and their weights only, not on their order, nor on
    whether a point of weight 2 is present twice.
    """
    n_points, n_features = points.shape
    if not isinstance(init, str):
        given = given_seeds(init, (n_clusters, n_features), points.dtype)
        return given * points.dtype.type(1 / points.unit)
    enough = max(SAMPLE, SAMPLE_EACH * n_clusters)
    enough = max(3 * n_clusters, min(enough, SAMPLE_ENTRIES // n_features))
    rng = check_random_state(random_state)
    chosen = np.arange(n_points)
    if n_points > enough:
        chosen = np.sort(rng.choice(n_points, enough, replace=False))
    x, weights = distinct(*points.take(chosen))
    if len(x) <= n_clusters:
        return np.resize(x, (n_clusters, n_features))
    if init == "random":
        share = weights / weights.sum()
        return x[rng.choice(len(x), n_clusters, replace=False, p=share)]
    moved = x - points.origin
    largest = float(norms(moved).max()) ** 2
    typical = float(np.square(moved).sum()) / len(x)
    if typical > UNSPOILT * np.finfo(x.dtype).eps * largest:
        drawn = kmeans_plusplus(
            moved.astype(x.dtype), n_clusters, sample_weight=weights, random_state=rng
        )
        return x[drawn[1]]
    return _spread(x.astype(np.float64), weights, n_clusters, rng).astype(x.dtype)


def _spread(
    x: np.ndarray, weights: np.ndarray, n_clusters: int, rng: np.random.RandomState
) -> np.ndarray:
    """Draw centers by k-means++, as scikit-learn does, from exact distances.

    Each center is the best of some points, which are drawn with a probability that is
    proportional to their squared distance from the nearest center so far.
    """
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
