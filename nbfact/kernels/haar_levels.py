"""The orthonormal Haar wavelet transform, level by level: about 4 n operations.

A level replaces pairs (a, b) of means by new means (a + b) / √2 and by details
(a - b) / √2. Two levels go through the registers at once. The product has the last
mean, and then details from coarse to fine.
"""

import math

import numpy as np

from ._jit import kernel
from .haar_registers import ROOT, haar_tile, haar_tile_adjoint
from .vectors import BYTES

HALF_ROOT = math.sqrt(0.5)


@kernel
def _is_no_power(n):
    """Return whether an order is no power of two."""
    return n < 1 or n & (n - 1) != 0


@kernel
def _place(n, m):
    """Return where the m means of n numbers are in the scratch memory.

    The n / 4 means after two levels come first, then the n / 16 after four, and so on.
    """
    return (n - 4 * m) // 3


@kernel
def haar_vector(scale: float, x: np.ndarray, work: np.ndarray, out: np.ndarray) -> None:
    """Write the orthonormal Haar transform of vectors, times a number, to `out`.

    Parameters
    ----------
    scale : float
        The number, which is rounded to the dtype.
    x, out : ndarray of float64 or float32, shape (any multiple of n,), contiguous
        One vector after the other. Out is overwritten, and shares no memory with x.
    work : ndarray, shape (n,)
        Scratch memory, of which the length is the order n, a power of two. For any
        other n nothing is written.

    See Also
    --------
    haar_vector_adjoint : The transpose, which is the inverse times scale².
    haar_columns : The transform of the columns of a matrix.
    nbfact.transforms.haar : The operator.

    Notes
    -----
    The cost is about 4 n operations for each vector.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> out = np.empty(4)
    >>> nf.kernels.haar_vector(1.0, np.arange(4.0), np.empty(4), out)
    >>> out.round(3)
    array([ 3.   , -2.   , -0.707, -0.707])
    """
    n, number = len(work), x.dtype.type(scale)
    if _is_no_power(n):
        return
    for begin in range(0, len(x), n):
        if n < 4:
            _last_level(x, begin, 1, out, begin, 1, number, n)
            continue
        # The first levels, which read x, are apart: to let another name stand for
        # either array would take longer than the last levels.
        p, m = 0, n // 4
        _levels_of_vector(x, work, out, (begin, p, begin), m, number)
        while m >= 4:
            q, m = p + m, m // 4
            _levels_of_vector(work, work, out, (p, q, begin), m, number)
            p = q
        _last_level(work, p, 1, out, begin, 1, number, m)


@kernel
def _levels_of_vector(x, means, out, places, m, number):
    """Apply two levels to a part of x, of which m means are left.

    places: those of the part of x, of the means, and of the whole product in out.
    """
    (p, q, o), lanes = places, BYTES // x.itemsize
    coarse, fine = o + m, o + 2 * m
    for i in range(0, m if m >= lanes else 0, lanes):
        at = (p + 4 * i, lanes, q + i, coarse + i, fine + 2 * i, lanes)
        haar_tile(x, means, out, at, number, True, True)
    for i in range(0 if m >= lanes else m):
        at = (p + 4 * i, 1, q + i, coarse + i, fine + 2 * i, 1)
        haar_tile(x, means, out, at, number, False, False)


@kernel
def _last_level(x, p, step, out, o, far, number, m):
    """Write the mean of m numbers of x, one or two, and their detail."""
    if m == 1:
        out[o] = x[p] * number
        return
    half, weight = x.dtype.type(0.5), x.dtype.type(ROOT) * number
    a, b = x[p] * half, x[p + step] * half
    out[o], out[o + far] = (a + b) * weight, (a - b) * weight


@kernel
def haar_vector_adjoint(
    scale: float, x: np.ndarray, work: np.ndarray, out: np.ndarray
) -> None:
    """Write the transpose of the Haar transform of vectors, times a number, to `out`.

    Parameters
    ----------
    scale, x, work, out
        As in `haar_vector`.

    See Also
    --------
    haar_vector : The transform, which is also the inverse for the number 1.
    haar_columns_adjoint : The same for the columns of a matrix.

    Notes
    -----
    The cost is that of `haar_vector`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, out = np.array([3.0, 1.0, 0.0, 0.0]), np.empty(4)
    >>> nf.kernels.haar_vector_adjoint(1.0, x, np.empty(4), out)
    >>> out
    array([2., 2., 1., 1.])
    """
    n, number, fewest = len(work), x.dtype.type(scale), _fewest(len(work))
    if _is_no_power(n):
        return
    for begin in range(0, len(x), n):
        if n < 4:
            _first_level(x, begin, 1, out, begin, 1, number, n)
            continue
        m, q = fewest, _place(n, fewest)
        _first_level(x, begin, 1, work, q, 1, number, m)
        while 4 * m < n:
            p = q - 4 * m
            _levels_of_adjoint(x, work, work, (p, q, begin), m, number)
            m, q = 4 * m, p
        _levels_of_adjoint(x, work, out, (begin, q, begin), m, number)


@kernel
def _levels_of_adjoint(x, means, out, places, m, number):
    """Undo two levels, of which m means are given.

    places: those of the part of out, of the means, and of the whole vector in x.
    """
    (p, q, o), lanes = places, BYTES // x.itemsize
    coarse, fine = o + m, o + 2 * m
    for i in range(0, m if m >= lanes else 0, lanes):
        at = (p + 4 * i, lanes, q + i, coarse + i, fine + 2 * i, lanes)
        haar_tile_adjoint(x, means, out, at, number, True, True)
    for i in range(0 if m >= lanes else m):
        at = (p + 4 * i, 1, q + i, coarse + i, fine + 2 * i, 1)
        haar_tile_adjoint(x, means, out, at, number, False, False)


@kernel
def _fewest(n):
    """Return how many means are left where fours are taken together: one or two."""
    m = n
    while m >= 4:
        m //= 4
    return m


@kernel
def _first_level(x, p, far, out, o, step, number, m):
    """Write one or two means, of which x has the mean and the detail."""
    if m == 1:
        out[o] = x[p] * number
        return
    weight = x.dtype.type(HALF_ROOT) * number
    a, b = x[p] * weight, x[p + far] * weight
    out[o], out[o + step] = a + b, a - b


@kernel
def haar_columns(
    scale: float,
    x: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
    begin: int,
    end: int,
) -> None:
    """Write the Haar transform of some columns of a matrix, times a number, to `out`.

    Parameters
    ----------
    scale : float
        As in `haar_vector`.
    x, out : ndarray of float64 or float32, shape (n, batch), C-contiguous
        Columns begin to end - 1 of out are overwritten with the transform of those of
        x, with which out shares no memory. n is a power of two; for any other n
        nothing is written.
    work : ndarray, shape (at least n / 3 + 1, tile)
        Scratch memory for as many columns as go through all levels together.
    begin, end : int
        Columns to transform.

    See Also
    --------
    haar_columns_adjoint : The transpose.
    haar_vector : The transform of vectors.

    Notes
    -----
    The cost is about 4 n operations for each column. The bits are those that
    `haar_vector` gives.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> out = np.empty((4, 2))
    >>> nf.kernels.haar_columns(1.0, np.eye(4, 2), np.empty((2, 2)), out, 0, 2)
    >>> out.round(3)
    array([[ 0.5  ,  0.5  ],
           [ 0.5  ,  0.5  ],
           [ 0.707, -0.707],
           [ 0.   ,  0.   ]])
    """
    (n, batch), tile = x.shape, work.shape[1]
    lanes, number = BYTES // x.itemsize, x.dtype.type(scale)
    fx, means, fo = x.reshape(-1), work.reshape(-1), out.reshape(-1)
    if _is_no_power(n):
        return
    for start in range(begin, end, tile):
        width = min(tile, end - start)
        whole = width - width % lanes
        given, p, step, m, q = fx, start, batch, n, 0
        while m >= 4:
            m //= 4
            for i in range(m):
                first, to = p + 4 * i * step, q + i * tile
                coarse, fine = (m + i) * batch + start, 2 * (m + i) * batch + start
                for j in range(0, whole, lanes):
                    at = (first + j, step, to + j, coarse + j, fine + j, batch)
                    haar_tile(given, means, fo, at, number, True, False)
                for j in range(whole, width):
                    at = (first + j, step, to + j, coarse + j, fine + j, batch)
                    haar_tile(given, means, fo, at, number, False, False)
            given, p, step, q = means, q, tile, q + m * tile
        for j in range(width):
            _last_level(given, p + j, step, fo, start + j, batch, number, m)


@kernel
def haar_columns_adjoint(
    scale: float,
    x: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
    begin: int,
    end: int,
) -> None:
    """Write the transpose of the Haar transform of some columns of a matrix to `out`.

    Parameters
    ----------
    scale, x, work, out, begin, end
        As in `haar_columns`.

    See Also
    --------
    haar_columns : The transform, which is also the inverse for the number 1.

    Notes
    -----
    The cost is that of `haar_columns`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> out = np.empty((2, 2))
    >>> nf.kernels.haar_columns_adjoint(1.0, np.eye(2), np.empty((1, 2)), out, 0, 2)
    >>> out.round(3)
    array([[ 0.707,  0.707],
           [ 0.707, -0.707]])
    """
    (n, batch), tile = x.shape, work.shape[1]
    lanes, number = BYTES // x.itemsize, x.dtype.type(scale)
    fx, means, fo = x.reshape(-1), work.reshape(-1), out.reshape(-1)
    if _is_no_power(n):
        return
    for start in range(begin, end, tile):
        width, m = min(tile, end - start), _fewest(n)
        whole = width - width % lanes
        to, p, step = fo, start, batch
        if m < n:
            to, p, step = means, _place(n, m) * tile, tile
        for j in range(width):
            _first_level(fx, start + j, batch, to, p + j, step, number, m)
        while m < n:
            q = _place(n, m) * tile
            to, p, step = fo, start, batch
            if 4 * m < n:
                to, p, step = means, _place(n, 4 * m) * tile, tile
            for i in range(m):
                first, mean = p + 4 * i * step, q + i * tile
                coarse, fine = (m + i) * batch + start, 2 * (m + i) * batch + start
                for j in range(0, whole, lanes):
                    at = (first + j, step, mean + j, coarse + j, fine + j, batch)
                    haar_tile_adjoint(fx, means, to, at, number, True, False)
                for j in range(whole, width):
                    at = (first + j, step, mean + j, coarse + j, fine + j, batch)
                    haar_tile_adjoint(fx, means, to, at, number, False, False)
            m *= 4
