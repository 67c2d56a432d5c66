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
    last : ndarray, shape (groups, m / 2**L, n / groups, planes)
        The last factor: the rows that are left after all splits, in groups of columns.
        There are as many groups as the product of all s of the splits.
    lost : ndarray of float64, shape (L,)
        The energy (squared norm) that each split drops.

    See Also
    --------
    rank_one_butterfly : The kernel that writes these arrays.

    Examples
    --------
    Room for one split of a real matrix of order 2:

    >>> import numpy as np, nbfact as nf
    >>> values, last, lost = np.empty((2, 1)), np.empty((1, 1, 2, 1)), np.zeros(1)
    >>> nf.kernels.RankOneFactors(values, last, lost).lost
    array([0.])
    """

    values: np.ndarray
    last: np.ndarray
    lost: np.ndarray


@kernel(fastmath=REASSOC)
def _gram(z, places, start, stop):
    """Return ‖x‖², ‖y‖² and both parts of Σ x conj(y), over some columns.

    z: flat, of which x and y are rows of planes; places: see `_split_pair`. The columns
    are start to stop - 1, and the sums are in double precision.
    """
    x, y, _, imaginary = places
    p = q = re = im = 0.0
    for k in range(start, stop):
        a, b = float(z[x + k]), float(z[y + k])
        p += a * a
        q += b * b
        re += a * b
    if imaginary > 0:
        u, v = x + imaginary, y + imaginary
        for k in range(start, stop):
            a, b, c, d = z[x + k], z[y + k], float(z[u + k]), float(z[v + k])
            p += c * c
            q += d * d
            re += c * d
            im += c * float(b) - float(a) * d
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
def _merge(z, places, start, stop, weights):
    """Write inverse (c x + conj(s) y) to out; return ‖x - c out‖² + ‖y - s out‖².

    z: flat, of which x, y and out are rows of planes; places: see `_split_pair`. The
    columns are start to stop - 1. weights: c, both parts of s, and inverse, scalars of
    the dtype of z. The result is in double precision.
    """
    x, y, out, imaginary = places
    c, sr, si, inverse = weights
    wc, wr, wi = c * inverse, sr * inverse, si * inverse
    lost = 0.0
    if imaginary == 0:
        for k in range(start, stop):
            a, b = z[x + k], z[y + k]
            r = wc * a + wr * b
            z[out + k] = r
            da, db = float(a - c * r), float(b - sr * r)
            lost += da * da + db * db
        return lost
    u, v, w = x + imaginary, y + imaginary, out + imaginary
    for k in range(start, stop):
        ar, ai, br, bi = z[x + k], z[u + k], z[y + k], z[v + k]
        zr = wc * ar + (wr * br + wi * bi)
        zi = wc * ai + (wr * bi - wi * br)
        z[out + k] = zr
        z[w + k] = zi
        dr, di = float(ar - c * zr), float(ai - c * zi)
        er, ei = float(br - (sr * zr - si * zi)), float(bi - (sr * zi + si * zr))
        lost += (dr * dr + di * di) + (er * er + ei * ei)
    return lost


@kernel
def _split_pair(z, places, n, level, groups, orthonormal, values):
    """Split the blocks of two rows, one block for each group of columns.

    z: flat; places: where the rows x, y and out of n columns begin in it, and how far
    behind the real parts the imaginary ones are, or 0; level: where in values the first
    entry is written, s and t; values: (size, planes). Return the energy that is lost.
    """
    first, s, t = level
    width, real, inside = np.uintp(n // groups), z.dtype.type, 0
    start, lost, tie = np.uintp(0), 0.0, 16.0 * np.finfo(z.dtype).eps
    for _ in range(groups):
        end = start + width
        p, q, re, im = _gram(z, places, start, end)
        c, sr, si, top = _leading(p, q, re, im, tie)
        inverse = 1.0
        if not orthonormal:
            sigma = math.sqrt(top)
            size = math.sqrt(sigma)
            inverse = 1.0 / sigma if sigma > 0.0 else 0.0
            c, sr, si = c * size, sr * size, si * size
        second = first + s * t
        values[first, 0], values[second, 0] = c, sr
        if values.shape[1] == 2:
            values[first, 1], values[second, 1] = 0.0, si
        first, inside = first + t, inside + 1
        if inside == s:  # the next block of the factor
            first, inside = first + s * t, 0
        weights = (real(c), real(sr), real(si), real(inverse))
        lost += _merge(z, places, start, end, weights)
        start = end
    return lost


@kernel
def _load(target, row, columns, z, place):
    """Write a row of a matrix (m, n, planes) to planes in a flat array z, from a place.

    columns: (n,), the order of the columns, or (0,) for theirs.
    """
    for plane in range(target.shape[2]):
        if columns.shape[0] == 0:
            for k in range(target.shape[1]):
                z[place + np.uintp(k)] = target[row, k, plane]
        else:
            for k in range(target.shape[1]):
                z[place + np.uintp(k)] = target[row, columns[k], plane]
        place += np.uintp(target.shape[1])


@kernel
def _store(z, place, last, row):
    """Write planes in a flat array z, from a place on, to one row of the last factor.

    last: (groups, rows, columns, planes).
    """
    for plane in range(last.shape[3]):
        for g in range(last.shape[0]):
            for k in range(last.shape[2]):
                last[g, row, k, plane] = z[place]
                place += np.uintp(1)


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
    >>> arrays = np.empty((8, 1)), np.empty((2, 2, 2, 1)), np.zeros(1)
    >>> out, stack = nf.kernels.RankOneFactors(*arrays), np.empty((2, 2, 1, 4))
    >>> rest = levels, True, np.inf, stack, out
    >>> lost = nf.kernels.rank_one_butterfly(target[:, :, None], *orders, *rest)
    >>> round(float(lost), 9)
    9.0
    """
    values, last, lost = out
    n_levels, step, z = levels.shape[0], last.shape[1], stack.ravel()
    planes, n = stack.shape[2], stack.shape[3]
    length, imaginary = np.uintp(planes * n), np.uintp(n if planes == 2 else 0)
    total = 0.0
    for j in range(step):
        for leaf in range(2 ** (n_levels - 1)):
            tau = j + step * _reversed_bits(leaf, n_levels - 1)
            for half in range(2):
                row = tau + half * levels[0, 2]
                row = rows[row] if rows.shape[0] else row
                _load(target, row, columns, z, np.uintp(half) * length)
            groups, level, index = levels[0, 1], 0, leaf
            x = np.uintp(0)
            while True:
                y, merged = x + length, x + length + length
                done = level == n_levels - 1
                if not done and index % 2:
                    merged += length
                t = levels[level, 2]
                dropped = _split_pair(
                    *(z, (x, y, merged, imaginary), n),
                    *((levels[level, 0] + tau % t, levels[level, 1], t), groups),
                    *(orthonormal, values),
                )
                lost[level] += dropped
                total += dropped
                if done or index % 2 == 0:
                    break
                x = y + length
                index //= 2
                level += 1
                groups *= levels[level, 1]
            if total > limit:
                return total
        _store(z, length * np.uintp(2 * n_levels), last, j)
    return total
