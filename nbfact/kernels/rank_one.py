"""Best rank-one blocks in closed form: a butterfly of two-row blocks in one pass.

Numbers are kept in planes: one for real numbers, or two for the real and the imaginary
parts of complex ones. All loops are then over contiguous real numbers, and vectorise.
"""

import math
from typing import NamedTuple

import numpy as np

from ._jit import REASSOC, kernel


class RankOneFactors(NamedTuple):
    """What `rank_one_butterfly` writes: the factors, and what each split loses.

    Attributes
    ----------
    values : ndarray, shape (size, planes)
        The entries of all factors but the last, one factor after the other.
    last : ndarray, shape (m / 2**L, planes, n)
        The last factor: the rows that are left after all splits.
    lost : ndarray of float64, shape (L,)
        The energy (squared norm) that each split drops.

    See Also
    --------
    rank_one_butterfly : The kernel that writes these arrays.

    Examples
    --------
    Room for one split of a real matrix of order 2:

    >>> import numpy as np, nbfact as nf
    >>> values, last, lost = np.empty((2, 1)), np.empty((1, 1, 2)), np.zeros(1)
    >>> nf.kernels.RankOneFactors(values, last, lost).lost
    array([0.])
    """

    values: np.ndarray
    last: np.ndarray
    lost: np.ndarray


@kernel(fastmath=REASSOC)
def _gram(x, y, start, stop):
    """Return ‖x‖², ‖y‖² and both parts of Σ x conj(y), over some columns.

    x, y: (planes, n), of which the columns start to stop - 1; the sums are in double
    precision.
    """
    p = q = re = im = 0.0
    for plane in range(x.shape[0]):
        for k in range(start, stop):
            a, b = float(x[plane, k]), float(y[plane, k])
            p += a * a
            q += b * b
            re += a * b
    if x.shape[0] == 2:
        for k in range(start, stop):
            im += float(x[1, k]) * float(y[0, k]) - float(x[0, k]) * float(y[1, k])
    return p, q, re, im


@kernel
def _leading(p, q, re, im, tie):
    """Return the leading eigenvector (c, s) of a Hermitian matrix, and its eigenvalue.

    The matrix is [[p, h], [conj(h), q]] with h = re + i im. The eigenvector belongs to
    the larger eigenvalue and has norm 1, with c real and not negative. It is (1, 0)
    where the two eigenvalues differ by at most 2 tie (p + q), so that rounding does not
    choose: all blocks of a Fourier matrix in its natural order tie. The result is c,
    both parts of s, and the eigenvalue.
    """
    half, square = 0.5 * (p - q), re * re + im * im
    radius = math.sqrt(half * half + square)
    if radius <= tie * (p + q):
        return 1.0, 0.0, 0.0, p
    large, top = radius + abs(half), 0.5 * (p + q) + radius
    inverse = 1.0 / math.sqrt(2.0 * radius * large)  # the inverse of ‖(large, h)‖
    if half >= 0.0:
        return large * inverse, re * inverse, -im * inverse, top
    if square == 0.0:
        return 0.0, 1.0, 0.0, top
    modulus = math.sqrt(square) if im != 0.0 else abs(re)
    turn = large * inverse / modulus
    return modulus * inverse, re * turn, -im * turn, top


@kernel(fastmath=REASSOC)
def _merge(x, y, start, stop, weights, out):
    """Write inverse (c x + conj(s) y) to out; return ‖x - c out‖² + ‖y - s out‖².

    x, y, out: (planes, n), of which the columns start to stop - 1; weights: c, both
    parts of s, and inverse, scalars of their dtype. The result is in double precision.
    """
    c, sr, si, inverse = weights
    wc, wr, wi = c * inverse, sr * inverse, si * inverse
    lost = 0.0
    if x.shape[0] == 1:
        for k in range(start, stop):
            a, b = x[0, k], y[0, k]
            z = wc * a + wr * b
            out[0, k] = z
            da, db = float(a - c * z), float(b - sr * z)
            lost += da * da + db * db
        return lost
    for k in range(start, stop):
        ar, ai, br, bi = x[0, k], x[1, k], y[0, k], y[1, k]
        zr = wc * ar + (wr * br + wi * bi)
        zi = wc * ai + (wr * bi - wi * br)
        out[0, k] = zr
        out[1, k] = zi
        dr, di = float(ar - c * zr), float(ai - c * zi)
        er, ei = float(br - (sr * zr - si * zi)), float(bi - (sr * zi + si * zr))
        lost += (dr * dr + di * di) + (er * er + ei * ei)
    return lost


@kernel
def _split_pair(x, y, level, tau, groups, orthonormal, values, out):
    """Split the blocks of two rows, one block for each group of columns.

    x, y, out: (planes, n); level: the offset of the factor in values, s and t; tau: the
    row among t; values: (size, planes). Return the energy that is lost.
    """
    offset, s, t = level[0], level[1], level[2]
    width = x.shape[1] // groups
    tie, lost, start = 16.0 * np.finfo(x.dtype).eps, 0.0, 0
    for i in range(groups // s):
        for g in range(s):
            begin, end = np.uintp(start), np.uintp(start + width)
            start += width
            p, q, re, im = _gram(x, y, begin, end)
            c, sr, si, top = _leading(p, q, re, im, tie)
            inverse = 1.0
            if not orthonormal:
                sigma = math.sqrt(top)
                size = math.sqrt(sigma)
                inverse = 1.0 / sigma if sigma > 0.0 else 0.0
                c, sr, si = c * size, sr * size, si * size
            first = offset + (2 * i * s + g) * t + tau
            second = first + s * t
            values[first, 0], values[second, 0] = c, sr
            if x.shape[0] == 2:
                values[first, 1], values[second, 1] = 0.0, si
            real = x.dtype.type
            weights = (real(c), real(sr), real(si), real(inverse))
            lost += _merge(x, y, begin, end, weights, out)
    return lost


@kernel
def _load(target, row, columns, out):
    """Write a row of a matrix to planes; target: (m, n, planes), out: (planes, n).

    columns: (n,), the order of the columns, or (0,) for theirs.
    """
    for plane in range(out.shape[0]):
        if columns.shape[0] == 0:
            for k in range(out.shape[1]):
                out[plane, k] = target[row, k, plane]
        else:
            for k in range(out.shape[1]):
                out[plane, k] = target[row, columns[k], plane]


@kernel
def _reversed_bits(number, n_bits):
    """Return a number of n_bits bits with its bits in reverse order."""
    found = 0
    for _ in range(n_bits):
        found = 2 * found + number % 2
        number //= 2
    return found


@kernel
def rank_one_butterfly(
    target: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    levels: np.ndarray,
    orthonormal: bool,
    limit: float,
    stack: np.ndarray,
    out: RankOneFactors | tuple[np.ndarray, np.ndarray, np.ndarray],
) -> float:
    """Split a matrix from left to right into factors of two-row blocks of rank one.

    Parameters
    ----------
    target : ndarray, shape (m, n, planes), real
        The matrix in planes: 1 plane if it is real, 2 if it is complex. Only read. This
        and the arrays of numbers below have one dtype and are C-contiguous.
    rows, columns : ndarray of int, shapes (m,) and (n,)
        Orders of the rows and of the columns: ``target[rows][:, columns]`` is split. An
        array of shape (0,) stands for the order they are in. Only read.
    levels : ndarray of int64, shape (L, 3), L at least 1
        For each split: the offset of its left factor in ``out.values``, s, and t = m /
        2, m / 4, ... The left factor has pattern (a, 2, s, t).
    orthonormal : bool
        Whether the columns of the left factors have norm 1, so that what is left holds
        the singular values. If not, each factor of a split takes their square roots.
    limit : float
        The kernel returns as soon as the lost energy is above it; ``out.values`` and
        ``out.last`` are then not complete.
    stack : ndarray, shape (L + 1, 2, planes, n)
        Overwritten.
    out : RankOneFactors, or a plain tuple of its arrays
        values and last are overwritten; lost is added to, and has to be zero on entry.

    Returns
    -------
    float
        The sum of ``out.lost``, in double precision.

    See Also
    --------
    RankOneFactors : What the kernel writes.
    nbfact.butterfly_factorize : The function, for chains of any kind.

    Notes
    -----
    Each block of two rows and n / groups columns is replaced by its best approximation
    of rank one, in closed form. Where its two singular values are equal up to rounding,
    the first row is kept. Two rows are merged as soon as both are there, in the order
    of a binary counter, so that the target is read once and the rest stays in cache.
    The cost is about 7 n multiplications for each pair of rows that is merged.

    Examples
    --------
    Rows 0 and 2 hold 3 and 4 in different columns, of which rank one keeps the 4:

    >>> import numpy as np, nbfact as nf
    >>> target = np.zeros((4, 4))
    >>> target[0, 0], target[2, 1] = 3.0, 4.0
    >>> levels, orders = np.array([[0, 2, 2]]), (np.empty(0, int), np.empty(0, int))
    >>> arrays = np.empty((8, 1)), np.empty((2, 1, 4)), np.zeros(1)
    >>> out, stack = nf.kernels.RankOneFactors(*arrays), np.empty((2, 2, 1, 4))
    >>> rest = levels, True, np.inf, stack, out
    >>> lost = nf.kernels.rank_one_butterfly(target[:, :, None], *orders, *rest)
    >>> round(float(lost), 9)
    9.0
    """
    values, last, lost = out
    n_levels, step = levels.shape[0], last.shape[0]
    total = 0.0
    for j in range(step):
        for leaf in range(2 ** (n_levels - 1)):
            tau = j + step * _reversed_bits(leaf, n_levels - 1)
            for half in range(2):
                row = tau + half * levels[0, 2]
                row = rows[row] if rows.shape[0] else row
                _load(target, row, columns, stack[0, half])
            groups, level, index = levels[0, 1], 0, leaf
            while True:
                done = level == n_levels - 1
                merged = last[j] if done else stack[level + 1, index % 2]
                dropped = _split_pair(
                    *(stack[level, 0], stack[level, 1], levels[level]),
                    *(tau % levels[level, 2], groups, orthonormal, values, merged),
                )
                lost[level] += dropped
                total += dropped
                if done or index % 2 == 0:
                    break
                index //= 2
                level += 1
                groups *= levels[level, 1]
            if total > limit:
                return total
    return total
