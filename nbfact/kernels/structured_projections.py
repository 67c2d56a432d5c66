"""Projections onto structured matrices, in place.

Circulant, anti-circulant, Toeplitz and Hankel matrices are constant on classes of
entries; the projection replaces each entry by the mean of its class.
"""

import numpy as np

from ._jit import kernel


@kernel
def project_blockdiag(x, row_ends, col_ends):
    """Zero the entries outside the diagonal blocks.

    x: (m, n); row_ends, col_ends: (n_blocks,) int, where each block ends.
    """
    block = 0
    start = 0
    for i in range(x.shape[0]):
        while block < row_ends.size and i >= row_ends[block]:
            start = col_ends[block]
            block += 1
        for j in range(x.shape[1]):
            if block == row_ends.size or j < start or j >= col_ends[block]:
                x[i, j] = 0


@kernel
def project_circ(x):
    """Replace x by the nearest circulant matrix, constant where j - i mod n is.

    x: (n, n).
    """
    _average_classes(x, -1, x.shape[1])


@kernel
def project_anticirc(x):
    """Replace x by the nearest anti-circulant matrix, constant where i + j mod n is.

    x: (n, n).
    """
    _average_classes(x, 1, x.shape[1])


@kernel
def project_toeplitz(x):
    """Replace x by the nearest Toeplitz matrix, constant where j - i is.

    x: (m, n).
    """
    _average_classes(x, -1, x.shape[0] + x.shape[1] - 1)


@kernel
def project_hankel(x):
    """Replace x by the nearest Hankel matrix, constant where i + j is.

    x: (m, n).
    """
    _average_classes(x, 1, x.shape[0] + x.shape[1] - 1)


@kernel
def _average_classes(x, step, period):
    """Replace each entry by the mean over its class (step * i + j) mod period.

    x: (m, n), n <= period; step: int.
    """
    m, n = x.shape
    # Sums in double precision, real or complex as x is.
    means = np.full(period, x[0, 0] * np.float64(0.0))
    counts = np.zeros(period, np.int64)
    for i in range(m):
        first = (step * i) % period
        before = min(n, period - first)  # columns before the class wraps to 0
        for j in range(before):
            means[first + j] += x[i, j]
            counts[first + j] += 1
        for j in range(before, n):
            means[first + j - period] += x[i, j]
            counts[first + j - period] += 1
    for c in range(period):
        if counts[c] > 0:
            means[c] /= counts[c]
    for i in range(m):
        first = (step * i) % period
        before = min(n, period - first)
        for j in range(before):
            x[i, j] = means[first + j]
        for j in range(before, n):
            x[i, j] = means[first + j - period]
