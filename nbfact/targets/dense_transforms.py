"""The dense matrices of named transforms.

They are orthonormal (unitary) by default; ``normalized=False`` gives the textbook
scaling, that of :mod:`scipy.fft`. Angles are reduced modulo the period in integer
arithmetic, so that each entry is correct to about one unit in the last place.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .._core.angles import cos_turns, exp_turns, sin_turns
from .._core.checks import flag
from .._core.limits import dense_order
from ..operators.hadamard_blocks import block
from ..operators.hadamard_orders import hadamard_order

_SECOND = np.array([[1, 1], [1, -1]], np.int8)
"""Signs of the Hadamard matrix of order 2."""


def hadamard(n: int, normalized: bool = True) -> np.ndarray:
    """Return a Hadamard matrix, whose rows of ones and signs are orthogonal.

    Parameters
    ----------
    n : int
        Order: 1, 2, or a multiple of 4 for which a construction is known, see
        `nbfact.transforms.hadamard`.
    normalized : bool
        ``True``: the matrix is orthonormal, with entries ±1/√n. ``False``: its entries
        are ±1.

    Returns
    -------
    ndarray of float64, shape (n, n)
        For a power of two, the symmetric matrix of Sylvester in natural order, whose
        entry (i, j) has the sign (-1)^popcount(i & j). For another n, the Kronecker
        product of smaller ones, those of powers of two last.

    Raises
    ------
    TypeError
        When `n` is not an integer.
    ValueError
        When no matrix of this order is known; the message has the nearest orders.

    See Also
    --------
    nbfact.transforms.hadamard : The fast operator.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.hadamard(2, normalized=False)
    array([[ 1.,  1.],
           [ 1., -1.]])
    >>> import numpy as np
    >>> H = nf.targets.hadamard(12, normalized=False)
    >>> bool((H @ H.T == 12 * np.eye(12)).all())
    True
    """
    n, normalized = dense_order("n", n), flag("normalized", normalized)
    orders = hadamard_order(n)
    matrix, size = np.empty((n, n)), 1
    matrix[0, 0] = 1 / np.sqrt(n) if normalized else 1.0
    rows, columns = matrix.strides
    for order in reversed(orders):  # each product fills the corner of the next one
        done = matrix[:size, :size].copy()
        signs = block(order) if order > 2 else _SECOND
        corner = as_strided(
            matrix,
            (order, size, order, size),
            (size * rows, rows, size * columns, columns),
        )
        np.multiply(signs[:, None, :, None], done[:, None, :], out=corner)
        size *= order
    return matrix


def dft(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete Fourier transform.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: the matrix is unitary, as that of
        ``scipy.fft.fft(..., norm="ortho")``. ``False``: its entries have modulus one,
        as those of ``scipy.fft.fft``.

    Returns
    -------
    ndarray of complex128, shape (n, n)
        The matrix whose entry (k, j) is exp(-2πi jk/n), divided by √n when normalized.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.dft : The fast operator.

    Examples
    --------
    >>> import numpy as np, nbfact as nf, scipy.fft
    >>> x = np.arange(12.0)
    >>> expected = scipy.fft.fft(x, norm="ortho")
    >>> bool(np.allclose(nf.targets.dft(12) @ x, expected, atol=1e-14))
    True
    """
    n = dense_order("n", n)
    normalized = flag("normalized", normalized)
    matrix = exp_turns(-np.multiply.outer(np.arange(n), np.arange(n)), n)
    return matrix / np.sqrt(n) if normalized else matrix


def dct(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete cosine transform of type II.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: the matrix is orthonormal, as that of
        ``scipy.fft.dct(..., norm="ortho")``. ``False``: it has the textbook scaling, as
        that of ``scipy.fft.dct``.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose entry (k, j) is 2 cos(π k (2j + 1) / 2n). When normalized, row
        0 is multiplied by 1/(2√n), and the other rows by 1/√(2n).

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.dct : The fast operator, also of the types I, III and IV.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.dct(1)
    array([[1.]])
    """
    n = dense_order("n", n)
    normalized = flag("normalized", normalized)
    k, j = np.arange(n)[:, None], np.arange(n)
    matrix = 2 * cos_turns(k * (2 * j + 1), 4 * n)
    return _orthonormal(matrix, 0) if normalized else matrix


def dst(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete sine transform of type II.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: the matrix is orthonormal, as that of
        ``scipy.fft.dst(..., norm="ortho")``. ``False``: it has the textbook scaling, as
        that of ``scipy.fft.dst``.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose entry (k, j) is 2 sin(π (k + 1)(2j + 1) / 2n). When normalized,
        the last row is multiplied by 1/(2√n), and the other rows by 1/√(2n).

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.dst : The fast operator, also of the types I, III and IV.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.dst(1)
    array([[1.]])
    """
    n = dense_order("n", n)
    normalized = flag("normalized", normalized)
    k, j = np.arange(n)[:, None], np.arange(n)
    matrix = 2 * sin_turns((k + 1) * (2 * j + 1), 4 * n)
    return _orthonormal(matrix, n - 1) if normalized else matrix


def hartley(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the discrete Hartley transform.

    Parameters
    ----------
    n : int
        Order, at least 1.
    normalized : bool
        ``True``: the matrix is orthonormal. ``False``: it has the textbook scaling.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The symmetric matrix whose entry (k, j) is cos(2π jk/n) + sin(2π jk/n), divided
        by √n when normalized.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not positive.

    See Also
    --------
    nbfact.transforms.hartley : The fast operator.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.hartley(2, normalized=False)
    array([[ 1.,  1.],
           [ 1., -1.]])
    """
    n = dense_order("n", n)
    normalized = flag("normalized", normalized)
    product = np.multiply.outer(np.arange(n), np.arange(n))
    matrix = cos_turns(product, n) + sin_turns(product, n)
    return matrix / np.sqrt(n) if normalized else matrix


def _orthonormal(matrix, single):
    """Make the textbook DCT or DST orthonormal in place, and return it.

    The row `single` is √2 times as long as the others.
    """
    norms = np.full((len(matrix), 1), np.sqrt(2 * len(matrix)))
    norms[single] = 2 * np.sqrt(len(matrix))
    matrix /= norms
    return matrix
