"""The dense matrices of Haar, slant and wavelet packet transforms: halves of halves."""

import math

import numpy as np

from .._core.checks import RandomState, flag, generator, power_of_two, size
from .._core.limits import dense_order


def haar(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the Haar wavelet transform.

    Parameters
    ----------
    n : int
        Order, a power of two.
    normalized : bool
        ``True``: the matrix is orthonormal. ``False``: its entries are 0, 1 and -1.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose row 0 is the mean. The other rows are details from coarse to
        fine: the rows 2^l to 2^(l+1) - 1 have n / 2^l entries each that are not zero,
        from left to right, the positive ones first.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two.

    See Also
    --------
    nbfact.transforms.haar : The fast operator.

    Notes
    -----
    Without scaling, H(n) = [H(n/2) ⊗ [1 1]; I(n/2) ⊗ [1 -1]] (A. Haar, Zur Theorie der
    orthogonalen Funktionensysteme, 1910).

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.targets.haar(4, normalized=False)
    array([[ 1.,  1.,  1.,  1.],
           [ 1.,  1., -1., -1.],
           [ 1., -1.,  0.,  0.],
           [ 0.,  0.,  1., -1.]])
    """
    n = dense_order("n", power_of_two("n", n, "a Haar matrix"))
    normalized = flag("normalized", normalized)
    matrix = np.ones((1, 1))
    while (half := len(matrix)) < n:
        coarse, fine = np.kron(matrix, [1, 1]), np.kron(np.eye(half), [1, -1])
        matrix = np.vstack([coarse, fine]) + 0.0  # turns -0 into 0
    if normalized:
        matrix /= np.sqrt(np.count_nonzero(matrix, axis=1, keepdims=True))
    return matrix


def slant(n: int) -> np.ndarray:
    """Return the orthonormal matrix of the slant transform.

    Parameters
    ----------
    n : int
        Order, a power of two.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose row 0 is constant, and whose row 1 (the slant) decreases by
        equal steps. The other rows are in the order of the recursion in the paper.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two.

    See Also
    --------
    nbfact.transforms.slant : The matrix as a butterfly.

    References
    ----------
    W. Pratt, W.-H. Chen, L. Welch, Slant transform image coding, IEEE Trans.
    Communications, 1974.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.targets.slant(4)[1] * np.sqrt(20)
    array([ 3.,  1., -1., -3.])
    """
    n = dense_order("n", power_of_two("n", n, "a slant matrix"))
    matrix, half = np.empty((n, n)), 1
    matrix[0, 0] = 1
    while half < n:
        # The rows are sums and differences of the two halves, except that the
        # difference of the means and the sum of the slants are rotated, so that one of
        # them becomes a slant of twice the length.
        mean, step = matrix[:1, :half].copy(), matrix[1:2, :half].copy()
        a = np.sqrt(3 * half**2 / (4 * half**2 - 1))
        b = np.sqrt((half**2 - 1) / (4 * half**2 - 1))
        if half == 1:
            matrix[:2, :2] = [[1.0, 1.0], [1.0, -1.0]]
        else:
            upper, lower = (
                matrix[:half, : 2 * half],
                matrix[half : 2 * half, : 2 * half],
            )
            upper[2:, half:] = lower[2:, :half] = upper[2:, :half]
            np.negative(upper[2:, half:], out=lower[2:, half:])
            upper[:1] = np.hstack([mean, mean])
            upper[1:2] = np.hstack([a * mean + b * step, -a * mean + b * step])
            lower[:1] = np.hstack([step, -step])
            lower[1:2] = np.hstack([a * step - b * mean, a * step + b * mean])
        half *= 2
        matrix[:half, :half] /= np.sqrt(2)
    return matrix


MOST_MOMENTS = 10
"""Largest number of vanishing moments: the roots of which the filters are made lose
their digits above it."""

_SPLIT = 0.75
"""Probability that a band of a random tree of wavelet packets is split again."""


def wavelet_packet(
    n: int, moments: int = 2, *, random_state: RandomState = None
) -> np.ndarray:
    """Return the orthonormal matrix of a wavelet packet transform with a random tree.

    Parameters
    ----------
    n : int
        Order, a power of two.
    moments : int
        Number of vanishing moments of Daubechies' filters, which have twice as many
        coefficients: from 1, the Haar filters, to 10.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one, which draws the tree: the
        signal is split into a low and a high band, and each band is split again with
        probability 3/4, as long as it is longer than the filters.

    Returns
    -------
    ndarray of float64, shape (n, n)
        The matrix whose rows are the packets. Signals are continued periodically.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer or not a power of two, or `moments` is not an integer
        from 1 to 10.

    See Also
    --------
    haar : The simplest wavelet transform.

    References
    ----------
    R. Coifman, M. Wickerhauser, Entropy-based algorithms for best basis selection, IEEE
    Trans. Information Theory 38(2), 1992. I. Daubechies, Orthonormal bases of compactly
    supported wavelets, Comm. Pure Appl. Math. 41, 1988.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> W = nf.targets.wavelet_packet(16, random_state=0)
    >>> bool(abs(W @ W.T - np.eye(16)).max() < 1e-13)
    True
    """
    n = dense_order("n", power_of_two("n", n, "a wavelet packet matrix"))
    moments = size("moments", moments, most=MOST_MOMENTS)
    rng = generator("random_state", random_state)
    low = daubechies(moments)
    high = low[::-1] * (-1.0) ** np.arange(len(low))
    return _packets(np.eye(n), (low, high), rng, first=True)


def _packets(rows, filters, rng, first=False):
    """Return the packets of a band, whose rows are given, from low to high bands."""
    length = len(rows)
    if length < max(2, len(filters[0])) or not (first or rng.random() < _SPLIT):
        return rows
    at = (2 * np.arange(length // 2)[:, None] + np.arange(len(filters[0]))) % length
    bands = [np.einsum("k,ikn->in", one, rows[at]) for one in filters]
    return np.vstack([_packets(band, filters, rng) for band in bands])


def daubechies(moments: int) -> np.ndarray:
    """Return Daubechies' orthonormal low-pass filter with extremal phase.

    Parameters
    ----------
    moments : int
        Number p of vanishing moments.

    Returns
    -------
    ndarray of float64, shape (2 * p,)
        Coefficients of norm 1 and sum √2.

    Examples
    --------
    >>> (daubechies(1) * 2**0.5).round(12).tolist()
    [1.0, 1.0]
    """
    # The roots y of Σ C(p - 1 + k, k) yᵏ are (2 - z - 1/z) / 4 for roots z of the
    # filter, of which those in the unit circle are taken.
    series = [math.comb(moments - 1 + k, k) for k in range(moments)]
    middle = 1 - 2 * np.roots(series[::-1])
    turned = np.sqrt(middle.astype(complex) ** 2 - 1)
    pairs = np.stack([middle + turned, middle - turned])
    inside = pairs[np.argmin(abs(pairs), axis=0), np.arange(moments - 1)]
    filter_ = np.poly(np.concatenate([np.full(moments, -1.0), inside])).real
    return filter_ * (np.sqrt(2) / filter_.sum())
