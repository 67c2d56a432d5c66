"""Convolutions of vectors: rows and columns of circulant matrices.

The vector is transformed as in `fourier_vectors.py`, multiplied by the spectrum and
transformed back. A real vector is a complex one of half the length, of entries with
even and with odd places, as in `convolution_columns.py`.
"""

import numpy as np

from ._jit import kernel
from .even_registers import weigh_entries
from .fourier_vectors import fourier_vector
from .vectors import BYTES


@kernel
def _weigh(work, weights, pairs, out):
    """Multiply a transform by a spectrum, and by another one after an exchange."""
    n, width = weights.shape[1], BYTES // work.itemsize
    if not pairs:
        for start in range(0, n, width):
            k = min(start, n - width)
            weigh_entries(work, k, k, weights, out, 0)
        return
    for start in range(1, n, width):
        k = min(start, n - width)
        weigh_entries(work, k, n - width + 1 - k, weights, out, 1)
    (a, b), (c, d) = (weights[0, 0], weights[1, 0]), (weights[2, 0], weights[3, 0])
    re, im = work[0], work[1]
    out[0] = (a + c) * re - (b - d) * im
    out[1] = (b + d) * re + (a - c) * im


@kernel
def convolve_vector(
    x: np.ndarray,
    layouts: np.ndarray,
    turns: np.ndarray,
    cross: np.ndarray,
    planes: np.ndarray,
    tiles: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write a part of the circular convolutions of vectors with another one to `out`.

    Parameters
    ----------
    x, out : ndarray, shapes (k n,) and (k m,), contiguous
        Real, or complex; k vectors, one after the other. They share no memory.
    layouts : ndarray of int, shape (2, any)
        Layouts of `fourier_vector` for the transform and for its inverse. Before their
        last entries, both have n; and then 1 where out is in reverse order, or 0.
    turns : ndarray
        Those of `fourier_vector`; then the parts of a[k], in two rows. By a[k], number
        k of the transform is multiplied. For real x the parts of b[k] follow, by which
        the conjugate of number -k is multiplied, before both are added.
    cross, planes, tiles
        The parameters of `fourier_vector`.
    work : ndarray, shape (2, length)
        Scratch memory: twice as many real numbers as the transform has.

    See Also
    --------
    convolve_columns : The same for columns.
    nbfact.transforms.circulant, nbfact.transforms.toeplitz : The operators.

    Notes
    -----
    The cost is about 10 N log2(N) operations for N complex numbers, for each vector.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> from nbfact.operators.tied_convolutions import tied_convolution_vector
    >>> shift = nf.transforms.circulant(np.eye(128)[3])
    >>> _, arguments, shapes = tied_convolution_vector(shift.formula, shift.dtype)
    >>> x, out = np.arange(128.0), np.empty(128)
    >>> nf.kernels.convolve_vector(x, *arguments, *map(np.empty, shapes), out)
    >>> bool(np.allclose(out, np.roll(x, 3)))
    True
    """
    one, pairs = turns.dtype.type(1), x.itemsize == planes.itemsize
    numbers, results = x.view(planes.dtype), out.view(planes.dtype)
    count, length = len(x) // layouts[0, -3], work.shape[1]
    n, size, m = len(numbers) // count, len(results) // count, len(out) // count
    order = cross.shape[1] * cross.shape[2]
    weights = turns[-2 * length if pairs else -length :].reshape(-1, order)
    first, second, reverse = work[0], work[1], layouts[0, -2]
    for number in range(count):
        given = numbers[number * n : (number + 1) * n]
        found = results[number * size : (number + 1) * size]
        if n < length:
            first[:n] = given
            first[n:] = 0
            given = first
        fourier_vector(given, layouts[0], turns, cross, one, planes, tiles, first)
        whole = size == length and not reverse
        target = found if whole else second
        _weigh(first, weights, pairs, target)
        fourier_vector(target, layouts[1], turns, cross, one, planes, tiles, target)
        if not whole:
            parts = size // m
            for i in range(m):
                k = (m - 1 - i if reverse else i) * parts
                for part in range(parts):
                    found[i * parts + part] = second[k + part]
