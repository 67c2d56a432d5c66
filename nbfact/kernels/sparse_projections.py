"""Projections onto sparse, fixed and normalised sets, in place.

Entries compare by modulus and the lowest index wins ties: in a row the lowest
column, in a column the lowest row, in a matrix column-major order. A k beyond the
number of entries keeps them all. No result depends on the scale of ``x``. Moduli
within ``tie_tol`` of the k-th largest, relatively, compare as equal to it.
"""

import numpy as np

from ._jit import kernel
from .norms import frobenius_norm
from .select import kth_largest, modulus
from .topk import bounds, column_bounds, end_of_ties, write_moduli

BLOCK = 8
"""Columns handled together: a C-ordered matrix is then read by whole cache lines."""


@kernel
def project_sp(x, k, tie_tol=0.0):
    """Keep the k entries of largest modulus of x, the first in column-major order.

    x: (m, n).
    """
    m, n = x.shape
    if k >= m * n:
        return
    flat = np.empty(m * n, x.real.dtype)
    for i in range(m):
        for j in range(n):
            flat[i * n + j] = modulus(x[i, j])
    threshold, _ = kth_largest(flat, k)
    flat[0] = threshold * (1.0 - tie_tol)
    flat[1] = threshold * (1.0 + tie_tol)  # there are two: k < m * n
    low, high = flat[0], flat[1]  # in the precision of x
    kinds = np.empty((m, n), np.int8)
    ties = np.zeros(n, np.int64)
    left = k
    for i in range(m):
        for j in range(n):
            value = modulus(x[i, j])
            above = value > high
            tie = (value >= low) & (value <= high)
            kinds[i, j] = 2 * above + tie
            ties[j] += tie
            left -= above
    for j in range(n):  # the first columns take what is left to keep
        ties[j] = min(ties[j], left)
        left -= ties[j]
    for i in range(m):
        for j in range(n):
            tie = kinds[i, j] == 1
            keep = (kinds[i, j] == 2) | (tie & (ties[j] > 0))
            ties[j] -= tie
            if not keep:
                x[i, j] = 0


@kernel
def project_splin(x, k, tie_tol=0.0):
    """Keep the k entries of largest modulus of each row of x.

    x: (m, n).
    """
    m, n = x.shape
    if k >= n:
        return
    moduli = np.empty(n)
    bits = moduli.view(np.int64)
    for i in range(m):
        write_moduli(x[i], moduli)
        low, high, left, surplus = bounds(moduli, bits, k, tie_tol)
        end = end_of_ties(moduli, low, high, left) if surplus else n
        for j in range(n):
            keep = (moduli[j] > high) | ((moduli[j] >= low) & (j < end))
            if not keep:
                x[i, j] = 0


@kernel
def project_spcol(x, k, tie_tol=0.0):
    """Keep the k entries of largest modulus of each column of x.

    x: (m, n).
    """
    m, n = x.shape
    if k >= m:
        return
    low = np.empty(n)
    high = np.empty(n)
    left = np.empty(n, np.int64)
    column_bounds(x, k, tie_tol, low, high, left)
    moduli = np.empty(n)
    for i in range(m):
        write_moduli(x[i], moduli)
        for j in range(n):
            above = moduli[j] > high[j]
            tie = (moduli[j] >= low[j]) & (moduli[j] <= high[j])
            keep = above | (tie & (left[j] > 0))
            left[j] -= tie
            if not keep:
                x[i, j] = 0


@kernel
def project_splincol(x, k, tie_tol=0.0):
    """Keep what project_splin or project_spcol keeps: no projection, but a union.

    x: (m, n). A row or column may keep more than k entries.
    """
    m, n = x.shape
    if k >= m or k >= n:
        return
    low = np.empty(n)
    high = np.empty(n)
    left = np.empty(n, np.int64)
    column_bounds(x, k, tie_tol, low, high, left)
    moduli = np.empty(n)
    bits = moduli.view(np.int64)
    for i in range(m):
        write_moduli(x[i], moduli)
        row_low, row_high, row_left, surplus = bounds(moduli, bits, k, tie_tol)
        end = end_of_ties(moduli, row_low, row_high, row_left) if surplus else n
        for j in range(n):
            value = moduli[j]
            above = value > min(row_high, high[j])
            row_tie = (value >= row_low) & (j < end)
            tie = (value >= low[j]) & (value <= high[j])
            keep = above | row_tie | (tie & (left[j] > 0))
            left[j] -= tie
            if not keep:
                x[i, j] = 0


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
