"""Points to be clustered: assigned to centers, and summed by center."""

from dataclasses import dataclass

import numpy as np

from ..kernels import cluster_sums
from .factored import FactoredCenters, Statistics


@dataclass(frozen=True)
class Far:
    """Points far from their center, the farthest first.

    rows: (count, D); weights, labels and squares, of the distances: (count,).
    """

    rows: np.ndarray
    weights: np.ndarray
    labels: np.ndarray
    squares: np.ndarray


class Points:
    """Weighted points in memory: x (N, D), weights (N,)."""

    def __init__(self, x: np.ndarray, weights: np.ndarray) -> None:
        self.x, self.weights = x, weights
        self.origin = np.average(x, axis=0, weights=weights).astype(np.float64)

    def assigned(self, centers: FactoredCenters) -> tuple[Statistics, np.ndarray]:
        """Return what points sum to at their nearest centers, and which these are."""
        return summed(self.x, self.weights, self.origin, centers)

    def farthest(self, centers: FactoredCenters, count: int) -> Far:
        """Return the points farthest from their nearest centers."""
        return farthest(self.x, self.weights, centers, count)


def summed(
    x: np.ndarray, weights: np.ndarray, origin: np.ndarray, centers: FactoredCenters
) -> tuple[Statistics, np.ndarray]:
    """Return what points sum to at their nearest centers, and which these are."""
    labels, _ = centers.nearest(x)
    n_clusters, n_features = centers.product.shape
    sums, counts = np.zeros((n_clusters, n_features)), np.zeros(n_clusters)
    squares = np.zeros(n_clusters)
    cluster_sums(x, labels, weights, origin, sums, counts, squares)
    return Statistics(origin, sums, counts, squares), labels


def farthest(
    x: np.ndarray, weights: np.ndarray, centers: FactoredCenters, count: int
) -> Far:
    """Return the points farthest from their nearest centers."""
    labels, scores = centers.nearest(x)
    squares = scores + np.einsum("nd,nd->n", x, x)
    chosen = np.argsort(-squares, kind="stable")[:count]
    return Far(
        x[chosen].astype(np.float64), weights[chosen], labels[chosen], squares[chosen]
    )
