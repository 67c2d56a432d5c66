"""Twins of the searches and sums of clustering."""

import numpy as np


def nearest_rows(matrix, bias, x):
    """Return the row with the smallest bias - 2 <row, x>, the first, and that."""
    values = bias - 2 * x @ matrix.T
    return values.argmin(axis=1), values.min(axis=1)


def nearest_dense_rows(matrix, bias, x, offset):
    """Return the same of points less an offset."""
    return nearest_rows(matrix, bias, x - offset)


def cluster_sums(x, labels, weights, origins):
    """Return the sums of the points, of the weights, and of the squared norms."""
    sums, counts, energies = (
        np.zeros((len(origins), *s)) for s in (x.shape[1:], (), ())
    )
    for point, label, weight in zip(x - origins[labels], labels, weights, strict=True):
        sums[label] += weight * point
        counts[label] += weight
        energies[label] += weight * point @ point
    return sums, counts, energies


def nearest_centers(x, centers):
    """Return the nearest center of each point, and the sum of squared distances."""
    squares = ((x.astype(np.float64)[:, None] - centers) ** 2).sum(axis=2)
    return squares.argmin(axis=1), squares.min(axis=1).sum()


def nearest_exactly(x, centers, excess, values, limits):
    """Return the center of smallest |x - center|² + excess, of some, and that sum."""
    squares = ((x[:, None] - centers) ** 2).sum(axis=2) + excess
    squares[values.T > limits[:, None]] = np.inf
    return squares.argmin(axis=1), squares.min(axis=1)


def distances_from_products(
    products, x, centers, of_centers, squares, lengths, ratio, roots
):
    """Return squared distances, exact ones below a bound, or the roots of all."""
    exact = ((x.astype(float)[None] - centers.astype(float)[:, None]) ** 2).sum(axis=2)
    found = -2 * products + of_centers.squares[:, None] + squares
    least = ratio * (of_centers.reaches[:, None] + lengths) ** 2
    least = np.maximum(of_centers.floors[:, None], least)
    found = np.where(np.isfinite(found) & (found >= least), found, exact)
    return np.sqrt(found) if roots else found


def nearest_from_products(products, added, x, margin):
    """Return labels, smallest and second smallest values of points (columns).

    A label r is ~r where the second value is larger by the margin at most.
    """
    values = products + added[:, None]
    ordered = np.sort(values, axis=0)
    labels, limits = (
        values.argmin(axis=0),
        margin[0] + margin[1] * np.linalg.norm(x, axis=1),
    )
    close = ordered[1] - ordered[0] <= limits
    return np.where(close, ~labels, labels), ordered[0], ordered[1]
