"""Cosine, sine and Hartley transforms of vectors of even order.

A real vector of n numbers is a complex one of n / 2 numbers, the entries with even
places and i times those with odd ones. Its Fourier transform Z gives that of the real
vector, V[k] = E[k] + w^k O[k] with w = exp(-2πi / n), where E and O, which are
(Z[k] + conj Z[-k]) / 2 and (Z[k] - conj Z[-k]) / 2i, are periodic (Cooley, Lewis &
Welch 1970). An entry of a cosine transform is a real part of V[k] times a number, and
so a sum of the parts of Z[k] and of Z[-k] times four numbers.
"""

import numpy as np

from ._jit import kernel
from .even_registers import ends_apart, ends_joined, fold_entries, unfold_entries
from .fourier_vectors import fourier_vector
from .vectors import BYTES


@kernel
def even_vector(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    cross: np.ndarray,
    planes: np.ndarray,
    tiles: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write a real transform of vectors of even order to `out`.

    Entry k of the result is Re((c[k] + i s[k]) V[k]) for the Fourier transform V of a
    vector. Makhoul's order has the entries of x with even places, then those with odd
    ones in reverse.

    Parameters
    ----------
    x, out : ndarray, shape (any multiple of n,), contiguous
        One vector after the other. Out is overwritten, and shares no memory with x.
    layout, turns, cross, planes, tiles
        Those of `fourier_vector` for order n / 2. Before the last entry of the layout,
        there are two more: 1 where the vector is x in Makhoul's order, and 0 where it
        is x; and 1 where entries with odd places of x change their signs, and the
        result is in reverse order, or 0. The turns end with four times n numbers, by
        which the real and the imaginary part of Z[k], and those of Z[-k], are
        multiplied, as the top of the file says.
    work : ndarray, shape (n,)
        Scratch memory.

    See Also
    --------
    even_vector_adjoint : The transpose.
    real_vector : The transform of any order.
    nbfact.transforms.dct, nbfact.transforms.dst : The operators.

    Notes
    -----
    The cost is about 5 n log2(n) / 2 operations for each vector.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> from nbfact.operators.tied_transforms import tied_vector
    >>> C = nf.transforms.dct(128)
    >>> _, arguments, shapes = tied_vector(C.formula, 128, C.dtype)
    >>> x, out = np.arange(128.0), np.empty(128)
    >>> nf.kernels.even_vector(x, *arguments, *map(np.empty, shapes), out)
    >>> bool(np.allclose(out, scipy.fft.dct(x, norm="ortho")))
    True
    """
    half, width = cross.shape[1] * cross.shape[2], BYTES // x.itemsize
    n, one, turned = 2 * half, turns.dtype.type(1), layout[-2]
    parts, sign = turns[-4 * n :].reshape(4, n), -one if turned else one
    for begin in range(0, len(x), n):
        given = work
        if layout[-3]:
            for start in range(0, half, width):
                k = min(start, half - width)
                ends_apart(x, begin + 2 * k, sign, work, k, n - width - k)
        else:
            given = x[begin : begin + n]
        fourier_vector(given, layout, turns, cross, one, planes, tiles, work)
        for start in range(1, half, width):
            k = min(start, half - width)
            far = half - width + 1 - k
            if turned:
                unfold_entries(work, k, far, parts, out, begin + n - width - k, 1)
            else:
                unfold_entries(work, k, far, parts, out, begin + k, 0)
        for k in (0, half):
            real = (parts[0, k] + parts[2, k]) * work[0]
            to = begin + (n - 1 - k if turned else k)
            out[to] = real + (parts[1, k] + parts[3, k]) * work[1]


@kernel
def even_vector_adjoint(
    x: np.ndarray,
    layout: np.ndarray,
    turns: np.ndarray,
    cross: np.ndarray,
    planes: np.ndarray,
    tiles: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the transpose of `even_vector` of vectors to `out`.

    Parameters
    ----------
    x, turns, cross, planes, tiles, work, out : ndarray
        As in `even_vector`.
    layout : ndarray of int
        As in `even_vector`, for Makhoul's order and the inverse Fourier transform.

    See Also
    --------
    even_vector : The transform that is transposed.
    real_vector_adjoint : The transpose of any order.

    Notes
    -----
    The cost is that of `even_vector`.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> from nbfact.operators.tied_transforms import tied_vector
    >>> C = nf.transforms.dct(128, type=3)
    >>> _, arguments, shapes = tied_vector(C.formula, 128, C.dtype)
    >>> x, out = np.arange(128.0), np.empty(128)
    >>> nf.kernels.even_vector_adjoint(x, *arguments, *map(np.empty, shapes), out)
    >>> bool(np.allclose(out, scipy.fft.idct(x, norm="ortho")))
    True
    """
    half, width = cross.shape[1] * cross.shape[2], BYTES // x.itemsize
    n, one, turned = 2 * half, turns.dtype.type(1), layout[-2]
    parts, sign = turns[-4 * n :].reshape(4, n), -one if turned else one
    for begin in range(0, len(x), n):
        middle = begin + half
        for start in range(1, half, width):
            k = min(start, half - width)
            far = half - width + 1 - k
            if turned:
                near, other = begin + n - width - k, begin + n - width - far
                places = near, near - half, other, other - half
                fold_entries(x, places, k, far, parts, work, 1)
            else:
                places = begin + k, middle + k, begin + far, middle + far
                fold_entries(x, places, k, far, parts, work, 0)
        first, second = x[begin], x[middle]
        if turned:
            first, second = x[begin + n - 1], x[middle - 1]
        for part in range(2):
            found = (parts[part, 0] + parts[2 + part, 0]) * first
            work[part] = found + (parts[part, half] + parts[2 + part, half]) * second
        fourier_vector(work, layout, turns, cross, one, planes, tiles, work)
        for start in range(0, half, width):
            k = min(start, half - width)
            ends_joined(work, k, n - width - k, sign, out, begin + 2 * k)
