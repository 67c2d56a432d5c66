"""The points that the centers of QuicK-means are first near."""

from typing import Any

import numpy as np
from sklearn.cluster import kmeans_plusplus

INITS = ("k-means++", "random")

# Points that seeds are drawn from, at most: so many, or so many for each seed.
_FEWEST, _EACH = 10_000, 20


def sample_size(n_clusters: int) -> int:
    """Return how many points are enough to draw seeds from."""
    return max(_FEWEST, _EACH * n_clusters)


def seeds(
    x: np.ndarray,
    weights: np.ndarray,
    n_clusters: int,
    init: str,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return points to begin with, (K, D), drawn from x (N, D).

    The draw depends on distinct points and their weights, not on their order nor on
    whether a point of weight 2 is given twice.
    """
    enough = sample_size(n_clusters)
    if len(x) > enough:
        chosen = rng.choice(len(x), enough, replace=False)
        x, weights = x[chosen], weights[chosen]
    x, weights = distinct(x, weights)
    if len(x) <= n_clusters:
        return np.resize(x, (n_clusters, x.shape[1]))
    if init == "random":
        share = weights / weights.sum()
        return x[rng.choice(len(x), n_clusters, replace=False, p=share)]
    return kmeans_plusplus(x, n_clusters, sample_weight=weights, random_state=rng)[0]


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
