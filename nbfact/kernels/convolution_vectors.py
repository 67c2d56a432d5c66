"""Convolutions of one vector: rows and columns of circulant matrices.

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
    """Write a part of the circular convolution of a vector with another one to `out`.

    Parameters
    ----------
    x, out : ndarray, shapes (n,) and (m,), contiguous
        Real, or complex. They share no memory.
    layouts : ndarray of int, shape (2, any)
        Layouts of `fourier_vector` for the transform and for its inverse. Before their
        last entries, both have 1 where out is in reverse order, and 0 otherwise.
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
    The cost is about 10 N log2(N) operations for N complex numbers.

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
    given, found = x.view(planes.dtype), out.view(planes.dtype)
    n, length = len(given), work.shape[1]
    order = cross.shape[1] * cross.shape[2]
    weights = turns[-2 * length if pairs else -length :].reshape(-1, order)
    first, second, reverse = work[0], work[1], layouts[0, -2]
    if n == length:
        fourier_vector(given, layouts[0], turns, cross, one, planes, tiles, first)
    else:
        first[:n] = given
        first[n:] = 0
        fourier_vector(first, layouts[0], turns, cross, one, planes, tiles, first)
    if len(found) == length and not reverse:
        _weigh(first, weights, pairs, found)
        fourier_vector(found, layouts[1], turns, cross, one, planes, tiles, found)
        return
    _weigh(first, weights, pairs, second)
    fourier_vector(second, layouts[1], turns, cross, one, planes, tiles, second)
    m, parts = len(out), len(found) // len(out)
    for i in range(m):
        k = (m - 1 - i if reverse else i) * parts
        for part in range(parts):
            found[i * parts + part] = second[k + part]
