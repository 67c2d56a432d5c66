"""The dense matrices of the Haar and slant transforms, which split in halves."""

import numpy as np

from .._core.checks import flag, power_of_two
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
