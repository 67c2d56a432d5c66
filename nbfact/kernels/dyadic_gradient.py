"""Loss and gradient of a dyadic butterfly that is fitted to a dense matrix.

The matrix is B = K[L-1] ... K[1] K[0] as in :mod:`nbfact.kernels.dyadic`, with n =
2**L, and real and imaginary parts in two planes, so that loops vectorise. After the
first l levels the product is block diagonal, with blocks of order s = 2**l, and the
next level makes one block of order 2 s of two of them:

    [[diag(t[0]) left, diag(t[1]) right], [diag(t[2]) left, diag(t[3]) right]]

Multiplied out from there, loss and gradient cost O(n**2) and not O(n**2 log(n)). A
butterfly is tied where all blocks of a level are equal; only one is then stored.

The arrays of these kernels are C-contiguous, real, and of one dtype:

``twiddle``, (planes, 4, size), with 1 plane for real values and 2 for complex ones.
    The four entries of a 2x2 block, t[0], ..., t[3], are the second index. Tied: size =
    n - 1, and level l has s entries from s - 1 on. Untied: size = L n / 2, and level l
    has n / 2 entries from l n / 2 on, s of them for each block.
``levels``, ``slopes``, (planes, total)
    The blocks of levels 0, 1, ... one after the other, and the gradient with respect to
    them. total is ``butterfly_total(L + 1, n, tied)``; `butterfly_fit` needs the blocks
    of the last level only one row at a time, and ``butterfly_total(L, n, tied)``
    entries.

Gradients are those of half the squared error, with respect to both planes.
"""

from typing import NamedTuple

import numpy as np

from ._jit import REASSOC, kernel
from .dyadic_rows import fit_row


class Tape(NamedTuple):
    """The arrays that a step backwards through a level reads and writes.

    ``states`` are what the forward pass made, ``given`` the gradient with respect to
    the output of the level, ``found`` the gradient with respect to its input, which is
    added to, and ``gradient`` that with respect to the twiddles, which is added to.
    """

    states: np.ndarray
    given: np.ndarray
    found: np.ndarray
    gradient: np.ndarray


@kernel
def butterfly_total(n_levels: int, n: int, tied: bool) -> int:
    """Return how many entries the blocks of the first levels of a butterfly have.

    Parameters
    ----------
    n_levels : int
        The blocks are those of orders 1, 2, ..., 2**(n_levels - 1).
    n : int
        Order of the butterfly, a power of two, at least 2**(n_levels - 1).
    tied : bool
        Whether one block of each order is counted, or all n / order of them.

    Returns
    -------
    int
        (4**n_levels - 1) / 3 when tied, else n (2**n_levels - 1).

    See Also
    --------
    butterfly_expand, butterfly_fit : Kernels that take arrays of this size.

    Notes
    -----
    The cost is a few operations on integers.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.kernels.butterfly_total(2, 4, True), nf.kernels.butterfly_total(2, 4, False)
    (5, 12)
    """
    size = 1 << n_levels
    return (size * size - 1) // 3 if tied else n * (size - 1)


@kernel
def _places(level, block, low, half, n, tied):
    """Return where a twiddle, a row of its block, and the two rows made from it begin.

    They are the entry of the twiddle; the place of row `low` of a block of `level`, the
    left one (half = 0) or the right one; and the places of rows `low` and `low + size`
    of the block of the next level, in their left or right half.
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
    """Write the rows of x at o and p: twiddles times the row at i.

    x: (planes, total); size: the length of the rows.
    """
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
def butterfly_expand(
    twiddle: np.ndarray, tied: bool, n: int, n_levels: int, levels: np.ndarray
) -> None:
    """Multiply out the first levels of a dyadic butterfly, block by block.

    Parameters
    ----------
    twiddle : ndarray, shape (planes, 4, size)
        The 2x2 blocks, as `nbfact.kernels.dyadic_gradient` says; only read.
    tied : bool
        Whether all blocks of a level are equal.
    n : int
        Order of the butterfly, a power of two.
    n_levels : int
        Number of levels that are multiplied out, from 0 to log2(n).
    levels : ndarray, shape (planes, total), of the dtype of twiddle
        total is at least ``butterfly_total(n_levels + 1, n, tied)``. Overwritten with
        the diagonal blocks of the products of the first 0, 1, ..., n_levels levels, in
        C order, one after the other; what is beyond is left as it is. With all levels,
        the last n² entries of each plane are the dense matrix.

    See Also
    --------
    butterfly_backward : The gradient, from what is written here.
    butterfly_total : The size of the arrays.

    Notes
    -----
    The cost is about 2 n² multiplications for each plane, with all levels.

    Examples
    --------
    With t = (1, 1, 1, -1) in all blocks, all levels are the Hadamard matrix:

    >>> import numpy as np, nbfact as nf
    >>> twiddle = np.ones((1, 4, 3))
    >>> twiddle[0, 3] = -1
    >>> levels = np.empty((1, nf.kernels.butterfly_total(3, 4, True)))
    >>> nf.kernels.butterfly_expand(twiddle, True, 4, 2, levels)
    >>> levels[0, -16:].reshape(4, 4)
    array([[ 1.,  1.,  1.,  1.],
           [ 1., -1.,  1., -1.],
           [ 1.,  1., -1., -1.],
           [ 1., -1., -1.,  1.]])
    """
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
    """Apply the adjoint of a real `_spread` to the rows u and v.

    dx is added to, and the gradients with respect to a and c are returned.
    """
    da, dc = a * 0, a * 0
    for j in range(x.size):
        da += x[j] * u[j]
        dc += x[j] * v[j]
        dx[j] += a * u[j] + c * v[j]
    return da, dc


@kernel(fastmath=REASSOC)
def _pull_complex(a, b, x0, x1, u0, u1, dx0, dx1):
    """Apply the adjoint of a product of row x with a + ib to the row u.

    dx is added to, and the gradients with respect to a and b are returned.
    """
    da, db = a * 0, a * 0
    for j in range(x0.size):
        da += x0[j] * u0[j] + x1[j] * u1[j]
        db += x0[j] * u1[j] - x1[j] * u0[j]
        dx0[j] += a * u0[j] + b * u1[j]
        dx1[j] += a * u1[j] - b * u0[j]
    return da, db


@kernel
def pull_rows(t, tape, entry, half, places, size):
    """Apply the adjoint of `_spread` to two rows of ``tape.given``.

    places: where the row of ``tape.states`` begins that the two were made from, where
    the two rows of ``tape.given`` begin, and where the row of ``tape.found`` begins
    that is added to; size: the length of the rows. ``tape.gradient`` is added to as
    well.
    """
    x, slopes, dx, gradient = tape
    i, o, p, k = places
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
def butterfly_backward(
    twiddle: np.ndarray,
    tied: bool,
    n: int,
    n_levels: int,
    levels: np.ndarray,
    slopes: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """Add the gradient with respect to the 2x2 blocks of the first levels.

    Parameters
    ----------
    twiddle : ndarray, shape (planes, 4, size)
        The 2x2 blocks; only read.
    tied, n, n_levels
        As in `butterfly_expand`.
    levels : ndarray, shape (planes, total)
        What `butterfly_expand` wrote for this twiddle; only read.
    slopes : ndarray, shape (planes, total)
        On entry the blocks of level ``n_levels`` hold the gradient of the loss with
        respect to those of ``levels``; the gradients with respect to all blocks of
        lower levels are overwritten.
    gradient : ndarray, of the shape and dtype of twiddle
        The gradient with respect to twiddle is added to it.

    See Also
    --------
    butterfly_expand : Writes what this kernel reads.
    butterfly_fit : The error and its gradient in one pass.

    Notes
    -----
    The cost is about 4 n² multiplications for each plane, with all levels.

    Examples
    --------
    The gradient of the sum of the entries [[t[0], t[1]], [t[2], t[3]]] is 1 for each:

    >>> import numpy as np, nbfact as nf
    >>> twiddle, levels = np.ones((1, 4, 1)), np.empty((1, 5))
    >>> nf.kernels.butterfly_expand(twiddle, True, 2, 1, levels)
    >>> slopes, gradient = np.ones((1, 5)), np.zeros((1, 4, 1))
    >>> nf.kernels.butterfly_backward(twiddle, True, 2, 1, levels, slopes, gradient)
    >>> gradient.ravel()
    array([1., 1., 1., 1.])
    """
    for plane in range(slopes.shape[0]):
        for j in range(butterfly_total(n_levels, n, tied)):
            slopes[plane, j] = 0
    tape = Tape(levels, slopes, slopes, gradient)
    for level in range(n_levels - 1, -1, -1):
        size = 1 << level
        for block in range(1 if tied else n // (2 * size)):
            for low in range(size):
                for half in range(2):
                    entry, i, o, p = _places(level, block, low, half, n, tied)
                    pull_rows(twiddle, tape, entry, half, (i, o, p, i), size)


@kernel
def butterfly_fit(
    twiddle: np.ndarray,
    tied: bool,
    target: np.ndarray,
    levels: np.ndarray,
    slopes: np.ndarray,
    gradient: np.ndarray,
) -> float:
    """Return the squared error of a dyadic butterfly, and write its gradient.

    Parameters
    ----------
    twiddle : ndarray, shape (planes, 4, size)
        The 2x2 blocks, as `nbfact.kernels.dyadic_gradient` says; only read.
    tied : bool
        Whether all blocks of a level are equal.
    target : ndarray, shape (1 or planes, n, n), n a power of two and at least 2
        The matrix in planes; only read. With one plane and a complex butterfly, the
        real part of the butterfly is fitted.
    levels, slopes : ndarray, shape (planes, ``butterfly_total(L, n, tied)``)
        Overwritten.
    gradient : ndarray, of the shape and dtype of twiddle
        Overwritten with the gradient of half the squared error.

    Returns
    -------
    float
        ‖B - A‖²_F, summed in double precision over sums in that of twiddle.

    See Also
    --------
    butterfly_fit_columns : The error of a product with a matrix.
    adam_step : A step along the gradient.
    nbfact.learn_butterfly : The descent, with restarts.

    Notes
    -----
    The cost is about 8 n² multiplications for each plane.

    Examples
    --------
    A butterfly of ones of order 2 and the identity differ by 1 in two entries:

    >>> import numpy as np, nbfact as nf
    >>> twiddle, target = np.ones((1, 4, 1)), np.eye(2)[None]
    >>> levels, gradient = np.empty((1, 1)), np.empty((1, 4, 1))
    >>> arrays = target, levels, np.empty((1, 1)), gradient
    >>> error = nf.kernels.butterfly_fit(twiddle, True, *arrays)
    >>> float(error), gradient.ravel()
    (2.0, array([0., 1., 1., 0.]))
    """
    n, top = target.shape[1], 0
    while 2 << top < n:
        top += 1
    butterfly_expand(twiddle, tied, n, top, levels)
    gradient[:] = 0
    slopes[:] = 0
    tape = Tape(levels, target, slopes, gradient)
    total, size = 0.0, n // 2
    for low in range(size):
        for half in range(2):
            entry, i, _, _ = _places(top, 0, low, half, n, tied)
            for row in range(2):
                corner, at = 2 * row + half, low + row * size
                total += fit_row(twiddle, tape, corner, entry, i, at, half * size, size)
    butterfly_backward(twiddle, tied, n, top, levels, slopes, gradient)
    return total
