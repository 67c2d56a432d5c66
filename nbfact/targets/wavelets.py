"""Matrices of transforms that split in halves: Haar and slant."""

import numpy as np

from .._core.checks import power_of_two


def haar(n: int, normalized: bool = True) -> np.ndarray:
    """Return the matrix of the Haar wavelet transform.

    Parameters
    ----------
    n : int
        Order, a power of two.
    normalized : bool
        ``True``: orthonormal. ``False``: entries 0, 1 and -1.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Row 0 is the mean; then the details from coarse to fine: rows 2^l to
        2^(l+1) - 1 are those of length n / 2^l, from left to right, positive first.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two.

    Notes
    -----
    H(n) = [H(n/2) ⊗ [1 1]; I(n/2) ⊗ [1 -1]] (A. Haar, Zur Theorie der orthogonalen
    Funktionensysteme, 1910).

    Examples
    --------
    >>> haar(4, normalized=False)
    array([[ 1.,  1.,  1.,  1.],
           [ 1.,  1., -1., -1.],
           [ 1., -1.,  0.,  0.],
           [ 0.,  0.,  1., -1.]])
    """
    n = power_of_two("n", n, "a Haar matrix")
    matrix = np.ones((1, 1))
    while (half := len(matrix)) < n:
        coarse, fine = np.kron(matrix, [1, 1]), np.kron(np.eye(half), [1, -1])
        matrix = np.vstack([coarse, fine]) + 0.0  # no -0
    if normalized:
        matrix /= np.sqrt(np.count_nonzero(matrix, axis=1, keepdims=True))
    return matrix


def slant(n: int) -> np.ndarray:
    """Return the matrix of the slant transform, orthonormal.

    Parameters
    ----------
    n : int
        Order, a power of two.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Row 0 is constant, row 1 decreases by equal steps; the order of rows is that
        of the recursion.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two.

    References
    ----------
    W. Pratt, W.-H. Chen, L. Welch, Slant transform image coding, IEEE Trans.
    Communications, 1974.

    Examples
    --------
    >>> slant(4)[1] * np.sqrt(20)
    array([ 3.,  1., -1., -3.])
    """
    n = power_of_two("n", n, "a slant matrix")
    matrix = np.ones((1, 1))
    while (half := len(matrix)) < n:
        # Sums and differences of the two halves; then the difference of the means
        # and the sum of the slants are turned into a slant twice as long.
        mean, step = matrix[:1], matrix[1:2]
        a = np.sqrt(3 * half**2 / (4 * half**2 - 1))
        b = np.sqrt((half**2 - 1) / (4 * half**2 - 1))
        matrix = np.vstack(
            [
                np.hstack([mean, mean]),
                np.hstack([a * mean + b * step, -a * mean + b * step]),
                np.hstack([matrix[2:], matrix[2:]]),
                np.hstack([step, -step]),
                np.hstack([a * step - b * mean, a * step + b * mean]),
                np.hstack([matrix[2:], -matrix[2:]]),
            ]
            if half > 1
            else [[1.0, 1.0], [1.0, -1.0]]
        )
        matrix = matrix / np.sqrt(2)
    return matrix
