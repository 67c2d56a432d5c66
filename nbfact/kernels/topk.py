"""The k-th largest modulus of rows and of columns, without sorting or moving entries.

Moduli are held in float64, which is exact for float32 too, and are read as int64 as
well. The bits of numbers that are not negative are in the same order as the numbers,
and a maximum of integers vectorises, where one of floats would need promises about NaN.

Write t for the k-th largest modulus. Entries above ``high = t * (1 + tie_tol)`` are
kept, and those below ``low = t * (1 - tie_tol)`` are cut. Those between are ties: the
first of them are kept, until there are k.
"""

from typing import Any

import numpy as np

from ._jit import kernel
from .select import modulus

WIDTH = 16
"""Number of columns that are transposed together: a row of them fills one or two cache
lines."""

FEW = 8
"""Largest k for which the k largest entries of all columns are updated row by row."""

STEPS = 3
"""Number of entries between the pivot and the k-th largest, up to which `kth_of_bits`
goes down entry by entry, because few passes then end the search."""

TOP = np.int64(2**63 - 1)
"""The largest int64: above the bits of every modulus."""


@kernel
def write_moduli(x, moduli):
    """Write the moduli of a vector in double precision.

    x: (n,); moduli: (n,) float64, overwritten. Where all entries of a complex x are
    real, no square root is taken.
    """
    n = moduli.size
    real = 0
    while real < n and x[real].imag == 0:
        real += 1
    if real == n:
        for j in range(n):
            moduli[j] = abs(x[j].real)
    else:
        for j in range(n):
            moduli[j] = modulus(x[j])


@kernel
def kth_of_bits(bits, k):
    """Return the k-th largest, how many are larger, and how many are at least as large.

    bits: (n,) int64, the bits of moduli; k: 1 <= k <= n. Pivots close in on the k-th
    largest entry. Each pass counts the entries from the pivot on, and finds the largest
    one below it; the search ends when a pivot is the k-th largest entry itself.
    """
    low: Any = 0  # at least k entries are >= low
    high: Any = TOP  # fewer than k entries are >= high, ...
    above: Any = 0  # ... this many, ...
    level: Any = TOP  # ... and this is the largest entry below high
    pivot: Any = TOP
    turn = 0
    while True:
        count = 0
        below: Any = -1
        for j in range(bits.size):
            count += bits[j] >= pivot
            below = max(below, bits[j] if bits[j] < pivot else -1)
        if count < k:
            high, above, level = pivot, count, below
        elif pivot == level:
            return level, above, count
        else:
            low = pivot
        if k <= FEW or k - above <= STEPS or turn % 8 == 0:
            pivot = level  # the last condition ends the search where many tie
        elif turn % 8 == 4:  # halve the range of orders of magnitude
            pivot = low + (high - low) // 2
        else:
            middle = 0.5 * np.int64(low).view(np.float64)
            middle += 0.5 * np.int64(high).view(np.float64)
            pivot = np.float64(middle).view(np.int64)
        pivot = min(max(pivot, low + 1), level)
        turn += 1


@kernel
def bounds(moduli, bits, k, tie_tol):
    """Return low, high, how many of the ties are kept, and whether some are cut.

    moduli: (n,) float64; bits: the same memory as int64; k: 1 <= k <= n.
    """
    level, above, count = kth_of_bits(bits, k)
    kth = np.int64(level).view(np.float64)
    low = kth * (1.0 - tie_tol)
    high = kth * (1.0 + tie_tol)
    if tie_tol > 0.0:
        above = 0
        count = 0
        for j in range(moduli.size):
            above += moduli[j] > high
            count += moduli[j] >= low
    return low, high, k - above, count > k


@kernel
def end_of_ties(moduli, low, high, left):
    """Return the index after the last of the first `left` ties; moduli: (n,)."""
    end = 0
    while left > 0:
        left -= low <= moduli[end] <= high
        end += 1
    return end


@kernel
def _few_per_column(x, k, tie_tol, low, high, left):
    """Do as `column_bounds` for a small k, by inserting each row in sorted columns.

    There is no branch, and each loop vectorises over the columns.
    """
    m, n = x.shape
    # Wider than n: rows a power of two apart would compete for few lines of the cache.
    top = np.empty((k + k % 2, n + 8))
    for r in range(top.shape[0]):
        for j in range(n):
            top[r, j] = -1.0
    values = np.empty(n)
    for i in range(m):
        write_moduli(x[i], values)
        for r in range(0, k, 2):  # two at a time need half the loads
            for j in range(n):
                lesser = min(top[r, j], values[j])
                top[r, j] = max(top[r, j], values[j])
                values[j] = min(top[r + 1, j], lesser)
                top[r + 1, j] = max(top[r + 1, j], lesser)
    for j in range(n):
        low[j] = top[k - 1, j] * (1.0 - tie_tol)
        high[j] = top[k - 1, j] * (1.0 + tie_tol)
        left[j] = k
    for r in range(k):
        for j in range(n):
            left[j] -= top[r, j] > high[j]


@kernel
def column_bounds(x, k, tie_tol, low, high, left):
    """Write low and high of each column, and how many of its ties are kept.

    x: (m, n), with k <= m; low, high: (n,) float64, overwritten; left: (n,) int,
    overwritten.
    """
    if k <= FEW:
        _few_per_column(x, k, tie_tol, low, high, left)
        return
    m, n = x.shape
    values = np.empty(WIDTH)
    block = np.empty((WIDTH, m + 8))  # wider than m, for the cache as well
    for start in range(0, n, WIDTH):
        width = min(WIDTH, n - start)
        if width == WIDTH and not np.iscomplexobj(x):
            for i in range(m):
                for j in range(WIDTH):  # a constant, so that it is unrolled
                    block[j, i] = modulus(x[i, start + j])
        else:
            for i in range(m):
                write_moduli(x[i, start : start + width], values[:width])
                for j in range(width):
                    block[j, i] = values[j]
        for j in range(width):
            moduli = block[j, :m]
            low[start + j], high[start + j], left[start + j], _ = bounds(
                moduli, moduli.view(np.int64), k, tie_tol
            )
