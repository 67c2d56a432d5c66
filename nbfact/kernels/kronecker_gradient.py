"""Gradient of a loss with respect to the values of a Kronecker-sparse factor.

`kronecker.py` explains the pattern (a, b, c, d) and the values of a factor.
"""

import numpy as np

from ._jit import REASSOC, kernel


@kernel(fastmath=REASSOC)
def kronecker_gradient_columns(
    x: np.ndarray, gradient: np.ndarray, out: np.ndarray
) -> None:
    """Write the gradient of a loss with respect to the values of a factor.

    The Kronecker-sparse factor multiplies columns x, as in `kronecker_apply_columns`;
    the loss is a real function of the product.

    Parameters
    ----------
    x : ndarray, shape (a * c * d, batch)
        What the factor multiplies; only read.
    gradient : ndarray, shape (a * b * d, batch)
        The gradient of the loss with respect to the product, for complex numbers with
        respect to its conjugate; only read.
    out : ndarray, shape (a, b, c, d), of the dtype of x
        Overwritten with the gradient with respect to the values, for complex numbers
        with respect to their conjugates: the entries of ``gradient @ x.conj().T`` that
        the factor has.

    See Also
    --------
    butterfly_fit : Error and gradient of a dyadic butterfly.

    Notes
    -----
    The cost is a b c d multiplications for each column. The sum over the columns may be
    added in any order.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> x, gradient = np.array([[1.0], [2.0]]), np.array([[1.0], [10.0]])
    >>> out = np.empty((1, 2, 2, 1))
    >>> nf.kernels.kronecker_gradient_columns(x, gradient, out)
    >>> out.ravel()
    array([ 1.,  2., 10., 20.])
    """
    a, b, c, d = out.shape
    for i in range(a):
        for j in range(b):
            for k in range(c):
                for m in range(d):
                    g, y = gradient[(i * b + j) * d + m], x[(i * c + k) * d + m]
                    total = out.dtype.type(0)
                    for n in range(x.shape[1]):
                        total += g[n] * np.conj(y[n])
                    out[i, j, k, m] = total
