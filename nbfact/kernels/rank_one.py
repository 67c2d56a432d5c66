"""Best rank-one blocks in closed form: a butterfly of two-row blocks in one pass.

Numbers are kept in planes, one of real numbers, or two, real and imaginary parts, so
that all loops are over contiguous real numbers and vectorise.
"""

import math

import numpy as np

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def _gram(x, y, start, stop):
    """‖x‖², ‖y‖² and the parts of Σ x conj(y), as doubles, over some columns.

    x, y: (planes, n).
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
    """Eigenvector (c, s) of [[p, h], [conj(h), q]], h = re + i im, and its eigenvalue.

    Of the larger eigenvalue, of norm 1, with c real and not negative; (1, 0) when the
    two differ by at most 2 tie (p + q), so that rounding does not choose: all blocks
    of a Fourier matrix in its natural order tie. Returns c, the parts of s, and the
    eigenvalue.
    """
    half, square = 0.5 * (p - q), re * re + im * im
    radius = math.sqrt(half * half + square)
    if radius <= tie * (p + q):
        return 1.0, 0.0, 0.0, p
    large, top = radius + abs(half), 0.5 * (p + q) + radius
    inverse = 1.0 / math.sqrt(2.0 * radius * large)  # of ‖(large, h)‖
    if half >= 0.0:
        return large * inverse, re * inverse, -im * inverse, top
    if square == 0.0:
        return 0.0, 1.0, 0.0, top
    modulus = math.sqrt(square) if im != 0.0 else abs(re)
    turn = large * inverse / modulus
    return modulus * inverse, re * turn, -im * turn, top


@kernel(fastmath=REASSOC)
def _merge(x, y, start, stop, c, sr, si, inverse, out):
    """Write inverse (c x + conj(s) y) to out; return ‖x - c out‖² + ‖y - s out‖².

    x, y, out: (planes, n), over some columns; all scalars of their dtype.
    """
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
    """Split the blocks of two rows, one for each group of columns.

    x, y, out: (planes, n); level: offset, s, t in values: (size, planes).
    Returns the energy that is lost.
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
            lost += _merge(
                x, y, begin, end, real(c), real(sr), real(si), real(inverse), out
            )
    return lost


@kernel
def _load(target, row, columns, out):
    """Write a row of a matrix to planes; target: (m, n, planes), out: (planes, n).

    columns: (n,), in which order, or (0,).
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
    """Return a number with its bits in reverse order."""
    found = 0
    for _ in range(n_bits):
        found = 2 * found + number % 2
        number //= 2
    return found


@kernel
def rank_one_butterfly(
    target, rows, columns, levels, orthonormal, limit, stack, values, last, lost
):
    """Split a matrix from left to right into factors of two-row blocks of rank one.

    target: (m, n, planes), real; rows: (m,) or (0,), columns: (n,) or (0,): the matrix
    is target[rows][:, columns]. levels: (L, 3), for each split the offset of its left
    factor in values, s, and t = m / 2, m / 4, ...; values: (size, planes): the factors
    (a, 2, s, t); last: (m / 2**L, planes, n), what is left; lost: (L,), the energy
    that each split drops, zero on entry; stack: (L + 1, 2, planes, n), scratch.
    Returns their sum, as soon as it is above `limit`: values and last are then not
    complete.

    Rows are merged as soon as both are there, in the order of a binary counter, so that
    the target is read once and the rest stays in cache.
    """
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
                out = last[j] if done else stack[level + 1, index % 2]
                dropped = _split_pair(
                    stack[level, 0], stack[level, 1], levels[level],
                    tau % levels[level, 2], groups, orthonormal, values, out,
                )  # fmt: skip
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
