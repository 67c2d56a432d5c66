"""Projections onto sparse, fixed and normalised sets, in place.

Entries compare by modulus and the lowest index wins ties: in a row the lowest
column, in a column the lowest row, in a matrix column-major order. A k beyond the
number of entries keeps them all. No result depends on the scale of ``x``.
"""

import numpy as np

from .._jit import kernel
from .norms import frobenius_norm
from .select import keep_largest, kth_largest, modulus

BLOCK = 8
"""Columns handled together: a C-ordered matrix is then read by whole cache lines."""


@kernel
def project_sp(x, k):
    """Keep the k entries of largest modulus of x, the first in column-major order.

    x: (m, n).
    """
    m, n = x.shape
    if k >= m * n:
        return
    moduli = np.empty(m * n, x.real.dtype)
    for i in range(m):
        for j in range(n):
            moduli[i * n + j] = modulus(x[i, j])
    threshold, left = kth_largest(moduli, k)
    thresholds = np.empty(n, x.real.dtype)
    ties = np.zeros(n, np.int64)
    for j in range(n):
        thresholds[j] = threshold
    for i in range(m):
        for j in range(n):
            ties[j] += modulus(x[i, j]) == threshold
    for j in range(n):  # the first columns take what is left to keep
        ties[j] = min(ties[j], left)
        left -= ties[j]
    _cut_columns(x, thresholds, ties)


@kernel
def project_splin(x, k):
    """Keep the k entries of largest modulus of each row of x.

    x: (m, n).
    """
    m, n = x.shape
    scratch = np.empty(n, x.real.dtype)
    for i in range(m):
        keep_largest(x[i], k, scratch)


@kernel
def project_spcol(x, k):
    """Keep the k entries of largest modulus of each column of x.

    x: (m, n).
    """
    m, n = x.shape
    if k >= m:
        return
    thresholds = np.empty(n, x.real.dtype)
    ties = np.empty(n, np.int64)
    _column_thresholds(x, k, thresholds, ties)
    _cut_columns(x, thresholds, ties)


@kernel
def project_splincol(x, k):
    """Keep what project_splin or project_spcol keeps: no projection, but a union.

    x: (m, n). A row or column may keep more than k entries.
    """
    m, n = x.shape
    if k >= m or k >= n:
        return
    thresholds = np.empty(n, x.real.dtype)
    ties = np.empty(n, np.int64)
    _column_thresholds(x, k, thresholds, ties)
    scratch = np.empty(n, x.real.dtype)
    for i in range(m):
        for j in range(n):
            scratch[j] = modulus(x[i, j])
        row_threshold, row_ties = kth_largest(scratch, k)
        for j in range(n):
            value = modulus(x[i, j])
            row_tie = value == row_threshold and row_ties > 0
            column_tie = value == thresholds[j] and ties[j] > 0
            row_ties -= row_tie
            ties[j] -= column_tie
            above = value > row_threshold or value > thresholds[j]
            if not (above or row_tie or column_tie):
                x[i, j] = 0


@kernel
def _column_thresholds(x, k, thresholds, ties):
    """Write the k-th largest modulus of each column, and how many equals are kept.

    x: (m, n), k <= m; thresholds: (n,) real; ties: (n,) int.
    """
    m, n = x.shape
    block = np.empty((BLOCK, m), x.real.dtype)
    for start in range(0, n, BLOCK):
        width = min(BLOCK, n - start)
        for i in range(m):
            for j in range(width):
                block[j, i] = modulus(x[i, start + j])
        for j in range(width):
            thresholds[start + j], ties[start + j] = kth_largest(block[j], k)


@kernel
def _cut_columns(x, thresholds, ties):
    """Zero what is below its column's threshold, and the equals past the first ties.

    x: (m, n); thresholds: (n,) real; ties: (n,) int, clobbered.
    """
    m, n = x.shape
    for i in range(m):
        for j in range(n):
            value = modulus(x[i, j])
            if value < thresholds[j]:
                x[i, j] = 0
            elif value == thresholds[j]:
                if ties[j] == 0:
                    x[i, j] = 0
                else:
                    ties[j] -= 1


@kernel
def project_sptriu(x, k):
    """Keep the k entries of largest modulus of the upper triangle, diagonal included.

    x: (m, n).
    """
    for i in range(x.shape[0]):
        for j in range(min(i, x.shape[1])):
            x[i, j] = 0
    project_sp(x, k)


@kernel
def project_sptril(x, k):
    """Keep the k entries of largest modulus of the lower triangle, diagonal included.

    x: (m, n).
    """
    for i in range(x.shape[0]):
        for j in range(i + 1, x.shape[1]):
            x[i, j] = 0
    project_sp(x, k)


@kernel
def project_spsymm(x, k):
    """Give mirrored entries the larger of the two; keep the largest until k are kept.

    x: (n, n). FAµST's rule: no projection; a pair is kept whole, so k + 1 is possible.
    """
    n = x.shape[0]
    moduli = np.empty(n * n, x.real.dtype)
    for i in range(n):
        for j in range(i + 1):
            if modulus(x[j, i]) > modulus(x[i, j]):
                x[i, j] = x[j, i]
            x[j, i] = x[i, j]
            moduli[i * n + j] = modulus(x[i, j])
            moduli[j * n + i] = modulus(x[i, j])
    if k >= n * n:
        return
    threshold, left = kth_largest(moduli, k)
    for j in range(n):  # column-major order of the lower triangle
        for i in range(j, n):
            value = modulus(x[j, i])
            tie = value == threshold and left > 0
            if tie:
                left -= 1 if i == j else 2
            if not (tie or value > threshold):
                x[i, j] = 0
                x[j, i] = 0


@kernel
def project_supp(x, support):
    """Zero the entries outside the support.

    x: (m, n); support: (m, n) bool.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if not support[i, j]:
                x[i, j] = 0


@kernel
def project_const(x, value):
    """Copy value into x: the set has one point.

    x, value: (m, n).
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = value[i, j]


@kernel
def project_nonneg(x):
    """Set the negative entries of x to zero.

    x: (m, n) real.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] < 0:
                x[i, j] = 0


@kernel
def normalize_frobenius(x):
    """Divide x by its Frobenius norm; a zero matrix stays zero.

    x: (m, n).
    """
    _scale_to_norm(x, 1.0)


@kernel
def project_normlin(x, s):
    """Scale each row of x to norm s; a zero row, nearest to no point, stays zero.

    x: (m, n); s: real scalar.
    """
    for i in range(x.shape[0]):
        _scale_to_norm(x[i : i + 1], s)


@kernel
def project_normcol(x, s):
    """Scale each column of x to norm s; a zero column, nearest to none, stays zero.

    x: (m, n); s: real scalar.
    """
    m, n = x.shape
    block = np.empty((BLOCK, m), x.dtype)
    for start in range(0, n, BLOCK):
        width = min(BLOCK, n - start)
        for i in range(m):
            for j in range(width):
                block[j, i] = x[i, start + j]
        project_normlin(block[:width], s)
        for i in range(m):
            for j in range(width):
                x[i, start + j] = block[j, i]


@kernel
def _scale_to_norm(x, s):
    """Scale x to Frobenius norm s; zero stays zero, no square over- or underflows.

    x: (m, n); s: real scalar.
    """
    norm = frobenius_norm(x)
    if norm == 0.0:
        return
    # The inverse of a subnormal overflows, that of a huge number is subnormal.
    if norm < 1e-290 or norm > 1e290:
        _multiply(x, 2.0**200 if norm < 1.0 else 2.0**-200)
        norm = frobenius_norm(x)
    _multiply(x, s / norm)


@kernel
def _multiply(x, factor):
    """Multiply x by a float64 scalar, in place."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = x[i, j] * factor
