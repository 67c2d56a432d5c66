"""Loss and gradient of a dyadic butterfly that multiplies the columns of a matrix.

Twiddles and planes are those of `dyadic_gradient.py`. A tile of columns goes through
all levels and back while it is in cache.
"""

import numpy as np

from ._jit import kernel
from .dyadic_gradient import Tape, pull_rows


@kernel
def _pair(t, entry, x, i, k, places, size):
    """Write two rows of x: a 2x2 block times the rows that begin at i and at k.

    x: (planes, total), flat; places: where the two rows begin that are written; size:
    the length of the rows.
    """
    o, p = places
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
def _forward_level(twiddle, tied, n, tile, level, states):
    """Apply a level to a tile; states: (planes, (L + 1) n tile), level by level."""
    size, step = 1 << level, n * tile
    for i in range(n // 2):
        block, low = i >> level, i & (size - 1)
        entry = size - 1 + low if tied else level * (n // 2) + i
        p = level * step + (2 * block * size + low) * tile
        q = p + size * tile
        _pair(twiddle, entry, states, p, q, (p + step, q + step), tile)


@kernel
def _backward_level(twiddle, tied, n, tile, level, states, slopes, gradient):
    """Apply the adjoint of `_forward_level` to the gradient of its output.

    slopes: (2, planes, n tile), where the gradient with respect to the states of level
    l is in the half l % 2; that with respect to the input is overwritten. The gradient
    with respect to the twiddles is added to.
    """
    size, step = 1 << level, n * tile
    given, found = slopes[(level + 1) % 2], slopes[level % 2]
    found[:] = 0
    tape = Tape(states, given, found, gradient)
    for i in range(n // 2):
        block, low = i >> level, i & (size - 1)
        entry = size - 1 + low if tied else level * (n // 2) + i
        p = (2 * block * size + low) * tile
        q = p + size * tile
        for half in range(2):
            k = q if half else p
            pull_rows(twiddle, tape, entry, half, (level * step + k, p, q, k), tile)


@kernel
def butterfly_fit_columns(
    twiddle: np.ndarray,
    tied: bool,
    x: np.ndarray,
    target: np.ndarray,
    states: np.ndarray,
    slopes: np.ndarray,
    gradient: np.ndarray,
    x_slope: np.ndarray,
) -> float:
    """Return the squared error of B x against a matrix, for a dyadic butterfly B.

    The gradients with respect to the butterfly and to x are written.

    Parameters
    ----------
    twiddle : ndarray, shape (planes, 4, size)
        The 2x2 blocks of B, as `nbfact.kernels.dyadic_gradient` says. Only read. All
        arrays are real, C-contiguous and of one dtype.
    tied : bool
        Whether all blocks of a level are equal.
    x : ndarray, shape (planes, n, batch), n = 2**L and at least 2
        The matrix that B multiplies, in planes; only read.
    target : ndarray, shape (1 or planes, n, batch)
        The matrix that B x is fitted to; only read. With one plane and a complex B, the
        real part of B x is fitted.
    states : ndarray, shape (planes, (L + 1) * n * tile)
        Overwritten. ``tile`` columns go through all levels together; it has to divide
        batch, and is read from the shapes of states and slopes.
    slopes : ndarray, shape (2, planes, n * tile)
        Overwritten.
    gradient : ndarray, of the shape of twiddle
        Overwritten with the gradient of half the squared error.
    x_slope : ndarray, of the shape of x
        Overwritten with the gradient of half the squared error with respect to x.

    Returns
    -------
    float
        ‖B x - target‖²_F, in double precision.

    See Also
    --------
    butterfly_fit : The error of the butterfly itself.
    mixture_fit : The same for a relaxed permutation.

    Notes
    -----
    The cost is about 6 n log2(n) multiplications for each column and plane.

    Examples
    --------
    A butterfly of ones of order 2 takes the column (1, 2) to (3, 3):

    >>> import numpy as np, nbfact as nf
    >>> twiddle, x = np.ones((1, 4, 1)), np.array([[[1.0], [2.0]]])
    >>> target, gradient, x_slope = np.full((1, 2, 1), 2.0), np.empty((1, 4, 1)), x * 0
    >>> arrays = np.empty((1, 4)), np.empty((2, 1, 2)), gradient, x_slope
    >>> error = nf.kernels.butterfly_fit_columns(twiddle, True, x, target, *arrays)
    >>> float(error), gradient.ravel(), x_slope.ravel()
    (2.0, array([1., 2., 1., 2.]), array([2., 2.]))
    """
    planes, n, batch = x.shape
    step = slopes.shape[2]
    tile, n_levels = step // n, states.shape[1] // step - 1
    last, total = n_levels * step, 0.0
    gradient[:] = 0
    for first in range(0, batch, tile):
        for plane in range(planes):
            for i in range(n):
                for j in range(tile):
                    states[plane, i * tile + j] = x[plane, i, first + j]
        for level in range(n_levels):
            _forward_level(twiddle, tied, n, tile, level, states)
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
            _backward_level(twiddle, tied, n, tile, level, states, slopes, gradient)
        for plane in range(planes):
            for i in range(n):
                for j in range(tile):
                    x_slope[plane, i, first + j] = slopes[0, plane, i * tile + j]
    return total
