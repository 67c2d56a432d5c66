"""The points that the centers of QuicK-means are first near."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

INITS = ("k-means++", "random")

# Points that seeds are drawn from, at most: so many, or so many for each seed.
_FEWEST, _EACH = 10_000, 20

# Iterations of dense k-means, at most: factors of what it found are better than those
# of single points.
_ITERATIONS = 5


@dataclass(frozen=True)
class Seeds:
    """What centers are first near: means, (K, D), of so many points each, (K,)."""

    means: np.ndarray
    counts: np.ndarray


def seeds(points: Any, n_clusters: int, init: Any, random_state: Any) -> Seeds:
    """Return what centers are first near, from `Points` or `Blocks`.

    Points are drawn, where `init` does not give them, and a few iterations of dense
    k-means follow, on some of the points where there are many. The draw depends on
    distinct points and their weights, not on their order nor on whether a point of
    weight 2 is given twice: unless it is from some of them.
    """
    n_points, enough = points.shape[0], max(_FEWEST, _EACH * n_clusters)
    rng = check_random_state(random_state)
    chosen = np.arange(n_points)
    if n_points > enough and isinstance(init, str):
        chosen = np.sort(rng.choice(n_points, enough, replace=False))
    elif n_points > enough:  # the same whatever the random state
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


def _settled(x, weights, first):
    """Return what a few iterations of k-means make of centers."""
    dense = KMeans(len(first), init=first, n_init=1, max_iter=_ITERATIONS, tol=0)
    with warnings.catch_warnings():
        # Fewer distinct points than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense.fit(x, sample_weight=weights)
    counts = np.bincount(dense.labels_, weights, len(first))
    return Seeds(dense.cluster_centers_.astype(x.dtype, copy=False), counts)


def distinct(x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct points that have a weight, in order of their bytes."""
    x = np.ascontiguousarray(x[weights > 0]) + 0.0  # no negative zeros
    weights = weights[weights > 0]
    rows = x.view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    return x[first], np.bincount(group.ravel(), weights)


def given_seeds(init: Any, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Return centers that were given, or say what is wrong with them."""
    centers = np.array(init, dtype)
    if centers.shape != shape:
        raise ValueError(f"init has shape {centers.shape}, expected {shape}")
    if not np.isfinite(centers).all():
        raise ValueError("init contains NaN or infinity")
    return centers
