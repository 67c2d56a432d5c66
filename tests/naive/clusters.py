"""Twins of the searches and sums of clustering."""

import numpy as np


def nearest_rows(matrix, bias, x):
    """Return the row with the smallest bias - 2 <row, x>, the first, and that."""
    values = bias - 2 * x @ matrix.T
    return values.argmin(axis=1), values.min(axis=1)


def cluster_sums(x, labels, weights, origin, n_clusters):
    """Return the sums of the points, of the weights, and of the squared norms."""
    sums, counts, energies = (np.zeros((n_clusters, *s)) for s in (x.shape[1:], (), ()))
    for point, label, weight in zip(x - origin, labels, weights, strict=True):
        sums[label] += weight * point
        counts[label] += weight
        energies[label] += weight * point @ point
    return sums, counts, energies


def nearest_centers(x, centers):
    """Return the nearest center of each point, and the sum of squared distances."""
    squares = ((x.astype(np.float64)[:, None] - centers) ** 2).sum(axis=2)
    return squares.argmin(axis=1), squares.min(axis=1).sum()
