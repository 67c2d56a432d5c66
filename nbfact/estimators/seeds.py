"""Seeds: the centers that a run of QuicK-means begins near."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .points import WeightedPoints

INITS = ("k-means++", "random")
"""Names that the parameter ``init`` of `QuicKMeans` may have."""

SAMPLE, SAMPLE_EACH = 10_000, 20
"""Number of points that seeds are found on, where there are more points: the larger of
the first number and the second one times the number of clusters."""

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
        first, _ = kmeans_plusplus(
            x, n_clusters, sample_weight=weights, random_state=rng
        )
    if len(x) <= n_clusters:
        return Seeds(first, np.ones(n_clusters))
    return _settled(x, weights, first)


def _settled(x: np.ndarray, weights: np.ndarray, first: np.ndarray) -> Seeds:
    """Return the centers after a few iterations of dense k-means."""
    dense = KMeans(len(first), init=first, n_init=1, max_iter=DENSE_ITERATIONS, tol=0)
    with warnings.catch_warnings():
        # It warns where there are fewer distinct points than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense.fit(x, sample_weight=weights)
    counts = np.bincount(dense.labels_, weights, len(first))
    return Seeds(dense.cluster_centers_.astype(x.dtype, copy=False), counts)


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
    """Return the array that was given as ``init``, or raise ValueError naming it."""
    centers = np.array(init, dtype)
    if centers.shape != shape:
        raise ValueError(f"init has shape {centers.shape}, expected {shape}")
    if not np.isfinite(centers).all():
        raise ValueError("init contains NaN or infinity")
    return centers
