"""The five kernels: three that Numba compiles, a plain function, and a method."""

import numpy as np
from numba import njit


@njit(cache=True)
def moving_mean(x, width):
    """Return the mean of each window of `width` values: a running sum."""
    out = np.empty(len(x) - width + 1)
    total = 0.0
    for i in range(width):
        total += x[i]
    out[0] = total / width
    for i in range(width, len(x)):
        total += x[i] - x[i - width]
        out[i - width + 1] = total / width
    return out


@njit(cache=True)
def running_maximum(x, width):
    """Return the largest of each window of `width` values.

    The candidates are kept in decreasing order, so that each value enters and leaves
    once.
    """
    out = np.empty(len(x) - width + 1)
    kept = np.empty(len(x), np.int64)
    first = last = 0
    for i in range(len(x)):
        while last > first and x[kept[last - 1]] <= x[i]:
            last -= 1
        kept[last] = i
        last += 1
        if kept[first] <= i - width:
            first += 1
        if i >= width - 1:
            out[i - width + 1] = x[kept[first]]
    return out


@njit(cache=True)
def distances(points):
    """Return the Euclidean distances of all pairs of points, as a square matrix."""
    n, d = points.shape
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            total = 0.0
            for k in range(d):
                total += (points[i, k] - points[j, k]) ** 2
            out[i, j] = out[j, i] = np.sqrt(total)
    return out


def autocorrelation(x, lags):
    """Return the autocorrelation of a signal at the lags 0, 1, ..., lags - 1."""
    x = x - x.mean()
    found = np.array([x[: len(x) - lag] @ x[lag:] for lag in range(lags)])
    return found / found[0]


@njit(cache=True)
def _smooth(x, weight, out):
    level = x[0]
    for i in range(len(x)):
        level += weight * (x[i] - level)
        out[i] = level


class Smoother:
    """Exponential smoothing: each value moves the level by `weight` of the way."""

    def __init__(self, weight):
        self.weight = weight

    def apply(self, x):
        """Return the levels after each value of a signal."""
        out = np.empty_like(x)
        _smooth(x, self.weight, out)
        return out
