"""Loss and gradient of a dyadic butterfly that is fitted to a dense matrix.

The matrix is B = K[L-1] ... K[1] K[0] as in :mod:`nbfact.kernels.dyadic`, real and
imaginary parts in two planes, so that loops vectorise. After the first l levels the
product is block diagonal, with blocks of order s = 2**l, and the next level makes

    [[diag(t[0]) left, diag(t[1]) right], [diag(t[2]) left, diag(t[3]) right]]

of two of them. Multiplied out from there, loss and gradient cost O(n**2) and not
O(n**2 log(n)); tied, all blocks of a level are one.

``twiddle``: (planes, 4, size), planes 1 or 2. Tied: size = n - 1, level l has s entries
from s - 1 on. Untied: size = L n / 2, level l has n / 2 from l n / 2 on, s a block.
``levels``, ``slopes``: (planes, total), the blocks of level 0, 1, ... one after the
other and the gradient with respect to them; total = `butterfly_total` (L + 1, n, tied),
or of L for `butterfly_fit`, that needs those of the last level only one row at a time.
Gradients are of half the squared error, with respect to both planes.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel
def butterfly_total(n_levels, n, tied):
    """Entries of all blocks of the first levels; n a power of two."""
    size = 1 << n_levels
    return (size * size - 1) // 3 if tied else n * (size - 1)


@kernel
def _places(level, block, low, half, n, tied):
    """Where a twiddle, a row of its block, and the two rows made from it begin.

    The entry of the twiddle; the row of a block of `level`; rows `low` and `low + size`
    of a block of the next level, their left or right half.
    """
    size = 1 << level
    if tied:
        entry, source = size - 1 + low, butterfly_total(level, n, tied) + low * size
    else:
        entry = level * (n // 2) + block * size + low
        source = (
            butterfly_total(level, n, tied) + ((2 * block + half) * size + low) * size
        )
    upper = butterfly_total(level + 1, n, tied)
    upper += (2 * block * size + low) * 2 * size + half * size
    return entry, source, upper, upper + 2 * size * size


@kernel
def _spread(t, entry, half, x, i, o, p, size):
    """Make rows of x at o and p from that at i; x: (planes, .), rows of `size`."""
    a, c = t[0, half, entry], t[0, 2 + half, entry]
    x0, u0, v0 = x[0, i : i + size], x[0, o : o + size], x[0, p : p + size]
    if t.shape[0] == 1:
        for j in range(size):
            u0[j] = a * x0[j]
            v0[j] = c * x0[j]
        return
    b, d = t[1, half, entry], t[1, 2 + half, entry]
    x1, u1, v1 = x[1, i : i + size], x[1, o : o + size], x[1, p : p + size]
    for j in range(size):
        u0[j] = a * x0[j] - b * x1[j]
        u1[j] = a * x1[j] + b * x0[j]
        v0[j] = c * x0[j] - d * x1[j]
        v1[j] = c * x1[j] + d * x0[j]


@kernel
def butterfly_expand(twiddle, tied, n, n_levels, levels):
    """Multiply the first levels out into `levels`."""
    for i in range(1 if tied else n):
        levels[:, i] = 0
        levels[0, i] = 1
    for level in range(n_levels):
        size = 1 << level
        for block in range(1 if tied else n // (2 * size)):
            for low in range(size):
                for half in range(2):
                    entry, i, o, p = _places(level, block, low, half, n, tied)
                    _spread(twiddle, entry, half, levels, i, o, p, size)


@kernel(fastmath=REASSOC)
def _pull(a, c, x, u, v, dx):
    """Adjoint of a real `_spread` at u, v: adds to dx, returns the two gradients."""
    da, dc = a * 0, a * 0
    for j in range(x.size):
        da += x[j] * u[j]
        dc += x[j] * v[j]
        dx[j] += a * u[j] + c * v[j]
    return da, dc


@kernel(fastmath=REASSOC)
def _pull_complex(a, b, x0, x1, u0, u1, dx0, dx1):
    """Adjoint of a product of row x by a + ib, at u; as `_pull`."""
    da, db = a * 0, a * 0
    for j in range(x0.size):
        da += x0[j] * u0[j] + x1[j] * u1[j]
        db += x0[j] * u1[j] - x1[j] * u0[j]
        dx0[j] += a * u0[j] + b * u1[j]
        dx1[j] += a * u1[j] - b * u0[j]
    return da, db


@kernel
def _pull_rows(t, entry, half, x, i, slopes, o, p, dx, k, size, gradient):
    """Adjoint of `_spread` at rows o and p of slopes: adds to dx at k, and gradient."""
    a, c = t[0, half, entry], t[0, 2 + half, entry]
    x0, dx0 = x[0, i : i + size], dx[0, k : k + size]
    u0, v0 = slopes[0, o : o + size], slopes[0, p : p + size]
    if t.shape[0] == 1:
        da, dc = _pull(a, c, x0, u0, v0, dx0)
        gradient[0, half, entry] += da
        gradient[0, 2 + half, entry] += dc
        return
    b, d = t[1, half, entry], t[1, 2 + half, entry]
    x1, dx1 = x[1, i : i + size], dx[1, k : k + size]
    u1, v1 = slopes[1, o : o + size], slopes[1, p : p + size]
    da, db = _pull_complex(a, b, x0, x1, u0, u1, dx0, dx1)
    dc, dd = _pull_complex(c, d, x0, x1, v0, v1, dx0, dx1)
    gradient[0, half, entry] += da
    gradient[1, half, entry] += db
    gradient[0, 2 + half, entry] += dc
    gradient[1, 2 + half, entry] += dd


@kernel
def butterfly_backward(twiddle, tied, n, n_levels, levels, slopes, gradient):
    """Add the gradient of the first levels, from slopes of what they multiply to.

    The slopes of blocks of level `n_levels` are given, those below are overwritten.
    gradient: as twiddle.
    """
    for plane in range(slopes.shape[0]):
        for j in range(butterfly_total(n_levels, n, tied)):
            slopes[plane, j] = 0
    for level in range(n_levels - 1, -1, -1):
        size = 1 << level
        for block in range(1 if tied else n // (2 * size)):
            for low in range(size):
                for half in range(2):
                    entry, i, o, p = _places(level, block, low, half, n, tied)
                    _pull_rows(
                        *(twiddle, entry, half, levels, i),
                        *(slopes, o, p, slopes, i, size, gradient),
                    )


@kernel(fastmath=REASSOC)
def _fit(a, x, target, dx):
    """Row x times a real a, against its target; adds to dx.

    Returns the sum of squares and the gradient.
    """
    total, da = a * 0, a * 0
    for j in range(x.size):
        u = a * x[j] - target[j]
        total += u * u
        da += x[j] * u
        dx[j] += a * u
    return total, da


@kernel(fastmath=REASSOC)
def _fit_part(a, b, x0, x1, target, dx0, dx1):
    """Real part of row x times a + ib, against its target; as `_fit`."""
    total, da, db = a * 0, a * 0, a * 0
    for j in range(x0.size):
        u = a * x0[j] - b * x1[j] - target[j]
        total += u * u
        da += x0[j] * u
        db -= x1[j] * u
        dx0[j] += a * u
        dx1[j] -= b * u
    return total, da, db


@kernel(fastmath=REASSOC)
def _fit_complex(a, b, x0, x1, target0, target1, dx0, dx1):
    """Row x times a + ib, against its target; as `_fit`."""
    total, da, db = a * 0, a * 0, a * 0
    for j in range(x0.size):
        u0 = a * x0[j] - b * x1[j] - target0[j]
        u1 = a * x1[j] + b * x0[j] - target1[j]
        total += u0 * u0 + u1 * u1
        da += x0[j] * u0 + x1[j] * u1
        db += x0[j] * u1 - x1[j] * u0
        dx0[j] += a * u0 + b * u1
        dx1[j] += a * u1 - b * u0
    return total, da, db


@kernel
def _fit_row(t, corner, entry, x, i, target, row, first, dx, size, gradient):
    """Choose among the three; x, dx: (planes, .), their rows at i."""
    a, x0, dx0 = t[0, corner, entry], x[0, i : i + size], dx[0, i : i + size]
    y0 = target[0, row, first : first + size]
    if t.shape[0] == 1:
        total, da = _fit(a, x0, y0, dx0)
        gradient[0, corner, entry] += da
        return total
    b, x1, dx1 = t[1, corner, entry], x[1, i : i + size], dx[1, i : i + size]
    if target.shape[0] == 1:
        total, da, db = _fit_part(a, b, x0, x1, y0, dx0, dx1)
    else:
        y1 = target[1, row, first : first + size]
        total, da, db = _fit_complex(a, b, x0, x1, y0, y1, dx0, dx1)
    gradient[0, corner, entry] += da
    gradient[1, corner, entry] += db
    return total


@kernel
def butterfly_fit(twiddle, tied, target, levels, slopes, gradient):
    """Sum of squared errors, and the gradient of half of it.

    target: (planes, n, n), n >= 2; one plane for the real part of a complex butterfly.
    levels, slopes: (planes, `butterfly_total` (L, n, tied)), overwritten; gradient: as
    twiddle, overwritten.
    """
    n, top = target.shape[1], 0
    while 2 << top < n:
        top += 1
    butterfly_expand(twiddle, tied, n, top, levels)
    gradient[:] = 0
    slopes[:] = 0
    total, size = 0.0, n // 2
    for low in range(size):
        for half in range(2):
            entry, i, _, _ = _places(top, 0, low, half, n, tied)
            for row in range(2):
                total += _fit_row(
                    *(twiddle, 2 * row + half, entry, levels, i, target),
                    *(low + row * size, half * size, slopes, size, gradient),
                )
    butterfly_backward(twiddle, tied, n, top, levels, slopes, gradient)
    return total


@kernel
def _pair(t, entry, x, i, k, o, p, size):
    """Rows o and p of x from those at i and k, by one block; x: (planes, .)."""
    a, b, c, d = t[0, 0, entry], t[0, 1, entry], t[0, 2, entry], t[0, 3, entry]
    x0, y0, u0, v0 = x[0, i : i + size], x[0, k : k + size], x[0, o:], x[0, p:]
    if t.shape[0] == 1:
        for j in range(size):
            u0[j] = a * x0[j] + b * y0[j]
            v0[j] = c * x0[j] + d * y0[j]
        return
    e, f, g, h = t[1, 0, entry], t[1, 1, entry], t[1, 2, entry], t[1, 3, entry]
    x1, y1, u1, v1 = x[1, i : i + size], x[1, k : k + size], x[1, o:], x[1, p:]
    for j in range(size):
        u0[j] = a * x0[j] - e * x1[j] + b * y0[j] - f * y1[j]
        u1[j] = a * x1[j] + e * x0[j] + b * y1[j] + f * y0[j]
    for j in range(size):
        v0[j] = c * x0[j] - g * x1[j] + d * y0[j] - h * y1[j]
        v1[j] = c * x1[j] + g * x0[j] + d * y1[j] + h * y0[j]


@kernel
def _tile_level(twiddle, tied, n, tile, level, states):
    """Apply a level to a tile: states: (planes, (L + 1) n tile), level by level."""
    size, step = 1 << level, n * tile
    for i in range(n // 2):
        block, low = i >> level, i & (size - 1)
        entry = size - 1 + low if tied else level * (n // 2) + i
        p = level * step + (2 * block * size + low) * tile
        q = p + size * tile
        _pair(twiddle, entry, states, p, q, p + step, q + step, tile)


@kernel
def _tile_backward(twiddle, tied, n, tile, level, states, slopes, gradient):
    """Adjoint of `_tile_level`; slopes: (2, planes, n tile), of its output and input.

    Those of level l are in the half l % 2; those of the input are overwritten.
    """
    size, step = 1 << level, n * tile
    given, found = slopes[(level + 1) % 2], slopes[level % 2]
    found[:] = 0
    for i in range(n // 2):
        block, low = i >> level, i & (size - 1)
        entry = size - 1 + low if tied else level * (n // 2) + i
        p = (2 * block * size + low) * tile
        q = p + size * tile
        for half in range(2):
            k = q if half else p
            _pull_rows(
                *(twiddle, entry, half, states, level * step + k, given, p, q),
                *(found, k, tile, gradient),
            )


@kernel
def butterfly_fit_columns(
    twiddle, tied, x, target, tile, states, slopes, gradient, x_slope
):
    """Sum of squared errors of B x, and the gradients of half of it.

    x, x_slope: (planes, n, batch); target: (1 or planes, n, batch); gradient: as
    twiddle; states: (planes, (L + 1) n tile), slopes: (2, planes, n tile). The last
    four are overwritten. tile: a divisor of batch, columns that go through all levels
    together.
    """
    planes, n, batch = x.shape
    n_levels, total = states.shape[1] // (n * tile) - 1, 0.0
    last = n_levels * n * tile
    gradient[:] = 0
    for first in range(0, batch, tile):
        for plane in range(planes):
            for i in range(n):
                for j in range(tile):
                    states[plane, i * tile + j] = x[plane, i, first + j]
        for level in range(n_levels):
            _tile_level(twiddle, tied, n, tile, level, states)
        given = slopes[n_levels % 2]
        given[:] = 0
        for plane in range(target.shape[0]):
            for i in range(n):
                for j in range(tile):
                    k = i * tile + j
                    error = states[plane, last + k] - target[plane, i, first + j]
                    given[plane, k] = error
                    total += error * error
        for level in range(n_levels - 1, -1, -1):
            _tile_backward(twiddle, tied, n, tile, level, states, slopes, gradient)
        for plane in range(planes):
            for i in range(n):
                for j in range(tile):
                    x_slope[plane, i, first + j] = slopes[0, plane, i * tile + j]
    return total


@kernel
def adam_step(x, gradient, mean, square, rate, step):
    """One step of Adam in place (Kingma and Ba 2015), its usual constants.

    x, gradient, mean, square: the same shape, C-contiguous; step: from 1.
    """
    one, two = 1 - 0.9**step, 1 - 0.999**step
    values, slope, m, v = x.ravel(), gradient.ravel(), mean.ravel(), square.ravel()
    for i in range(values.size):
        m[i] = 0.9 * m[i] + 0.1 * slope[i]
        v[i] = 0.999 * v[i] + 0.001 * slope[i] * slope[i]
        values[i] -= rate * (m[i] / one) / (np.sqrt(v[i] / two) + 1e-8)
