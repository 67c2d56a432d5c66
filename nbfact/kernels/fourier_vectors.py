"""Fourier, cosine and Hartley transforms of vectors, by the numbers that they need.

Several vectors, which follow one another, are transformed in one call. A vector of
n = p q numbers is a matrix, p × q. Its columns are transformed as in
`fourier_columns.py`, each number is turned, and the columns of the transpose are
transformed again (Gentleman & Sande 1966, in four steps). So all arithmetic is done in
whole vectors of 64 bytes. The ``layout`` is one of `fourier_columns.py` for order p,
with the places of p rows at its end, and then one for order q.
"""

import numpy as np

from ._jit import kernel
from .fourier_columns import transform_planes
from .fourier_registers import cross_square, join_rows, split_row
from .vectors import BYTES


@kernel
def _cross(planes, layout, cross, column, tiles):
    """Turn the transformed columns from `column` on, and write them to all tiles."""
    p, width = cross.shape[1], BYTES // cross.itemsize
    order = layout[2 + layout[1] :]
    for tile in range(len(tiles)):
        row = min(tile * width, p - width)
        place = row * cross.shape[2] + column
        cross_square(planes, order, row, cross, place, tiles[tile], column * width)


@kernel
def fourier_vector(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    cross: np.ndarray,
    scale: float,
    planes: np.ndarray,
    tiles: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the Fourier transforms of complex vectors, times a number, to `out`.

    Parameters
    ----------
    x : ndarray, shape (k n,) of complex, or (2 k n,) of real numbers in turn
        k vectors, one after the other, contiguous. n is p q, where p and q are at
        least w, the number of real numbers in 64 bytes.
    layout : ndarray of int
        A layout of `fourier_columns` for order p, with the places of p rows at its end,
        and then one for order q. Its last entry is 1 for the inverse transform, not
        normalised, or 0.
    turns : ndarray
        Those of `fourier_columns` for order p, and then for order q.
    cross : ndarray, shape (2, p, q)
        Real and imaginary parts of exp(-2πi k j / n).
    scale : float
        Number by which the result is multiplied, of the dtype of the parts.
    planes : ndarray, shape (2, p w)
        Scratch memory.
    tiles : ndarray, shape (p / w, 2, q w)
        Scratch memory; p / w is rounded up.
    out : ndarray
        Overwritten; of the form of x, which it may be.

    See Also
    --------
    fourier_columns : The transform of columns.
    real_vector : Cosine, sine and Hartley transforms.
    nbfact.transforms.dft : The operator.

    Notes
    -----
    The cost is about 5 n log2(n) operations for each vector, and 2 n numbers are read
    in ``cross``.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators.tied_transforms import tied_vector
    >>> F = nf.transforms.dft(64)
    >>> _, arguments, shapes = tied_vector(F.formula, 64, F.dtype)
    >>> x, out = np.arange(64) * 1j, np.empty(64, complex)
    >>> nf.kernels.fourier_vector(x, *arguments, *map(np.empty, shapes), out)
    >>> bool(np.allclose(out, np.fft.fft(x, norm="ortho")))
    True
    """
    p, q = cross.shape[1:]
    width = BYTES // planes.itemsize
    numbers, result = x.view(planes.dtype), out.view(planes.dtype)
    re, im = planes[0], planes[1]
    first, second = (1, 0) if layout[-1] else (0, 1)
    rest, more = layout[2 + layout[1] + p :], turns[2 * p - 2 :]
    order = rest[2 + rest[1] :]
    for begin in range(0, len(numbers), 2 * p * q):
        for start in range(0, q, width):
            column = min(start, q - width)
            for i in range(p):
                place = begin + 2 * (i * q + column)
                split_row(numbers, place, planes[first], planes[second], i * width)
            transform_planes(re, im, p, layout, turns, width)
            _cross(planes, layout, cross, column, tiles)
        for number in range(len(tiles)):
            tile = tiles[number]
            transform_planes(tile[0], tile[1], q, rest, more, width)
            row = begin + 2 * min(number * width, p - width)
            one, other = tile[first], tile[second]
            for k in range(q):
                place = order[k] * width
                join_rows(one, other, place, scale, result, 2 * k * p + row)


@kernel
def real_vector(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    cross: np.ndarray,
    planes: np.ndarray,
    tiles: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write a real transform of vectors to `out`, from their Fourier transforms.

    Entry k of the result is Re((c[k] + i s[k]) V[j[k]]) for the Fourier transform V of
    the entries i[k] of x, each of them times a weight.

    Parameters
    ----------
    x, out : ndarray, shape (any multiple of n,), contiguous
        One vector after the other; out is overwritten.
    layout : ndarray of int
        As in `fourier_vector`, but ended by the indices i and j, of n numbers each, and
        a zero. j is a permutation.
    turns : ndarray
        Those of `fourier_vector`; then the n weights, and c[k] and s[k] in turn.
    cross, planes, tiles
        The parameters of `fourier_vector`.
    work : ndarray, shape (2 n,)
        Scratch memory.

    See Also
    --------
    real_vector_adjoint : The transpose.
    real_columns : The transform of columns.
    nbfact.transforms.dct, nbfact.transforms.dst : The operators.

    Notes
    -----
    The cost is about 5 n log2(n) operations for each vector.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> from nbfact.operators.tied_transforms import tied_vector
    >>> C = nf.transforms.dct(64)
    >>> _, arguments, shapes = tied_vector(C.formula, 64, C.dtype)
    >>> x, out = np.arange(64.0), np.empty(64)
    >>> nf.kernels.real_vector(x, *arguments, *map(np.empty, shapes), out)
    >>> bool(np.allclose(out, scipy.fft.dct(x, norm="ortho")))
    True
    """
    n, one = cross.shape[1] * cross.shape[2], turns.dtype.type(1)
    index, read = layout[-2 * n - 1 : -n - 1], layout[-n - 1 : -1]
    weights, parts = turns[-3 * n : -2 * n], turns[-2 * n :]
    for begin in range(0, len(x), n):
        for k in range(n):
            work[2 * k] = x[begin + index[k]] * weights[k]
            work[2 * k + 1] = 0
        fourier_vector(work, layout, turns, cross, one, planes, tiles, work)
        for k in range(n):
            j = 2 * read[k]
            found = work[j] * parts[2 * k] - work[j + 1] * parts[2 * k + 1]
            out[begin + k] = found


@kernel
def real_vector_adjoint(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    cross: np.ndarray,
    planes: np.ndarray,
    tiles: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the transpose of `real_vector` of vectors to `out`.

    Entry i[k] of the result is a weight times Re(V[k]), for the Fourier transform V of
    the vector whose entry j[k] is (c[k] + i s[k]) x[k].

    Parameters
    ----------
    x, layout, turns, cross, planes, tiles, work, out : ndarray
        As in `real_vector`.

    See Also
    --------
    real_vector : The transform that is transposed.
    real_columns_adjoint : The transpose for columns.

    Notes
    -----
    The cost is that of `real_vector`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> from nbfact.operators.tied_transforms import tied_vector
    >>> C = nf.transforms.dct(64, type=3)
    >>> _, arguments, shapes = tied_vector(C.formula, 64, C.dtype)
    >>> x, out = np.arange(64.0), np.empty(64)
    >>> nf.kernels.real_vector_adjoint(x, *arguments, *map(np.empty, shapes), out)
    >>> bool(np.allclose(out, scipy.fft.idct(x, norm="ortho")))
    True
    """
    n, one = cross.shape[1] * cross.shape[2], turns.dtype.type(1)
    index, read = layout[-2 * n - 1 : -n - 1], layout[-n - 1 : -1]
    weights, parts = turns[-3 * n : -2 * n], turns[-2 * n :]
    for begin in range(0, len(x), n):
        for k in range(n):
            j = 2 * read[k]
            work[j] = x[begin + k] * parts[2 * k]
            work[j + 1] = x[begin + k] * parts[2 * k + 1]
        fourier_vector(work, layout, turns, cross, one, planes, tiles, work)
        for k in range(n):
            out[begin + index[k]] = work[2 * k] * weights[k]
