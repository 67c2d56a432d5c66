"""Named transforms of small order by their dense matrix: one call of BLAS.

A call of scipy.fft, or of the kernels of a chain, takes longer than all operations of a
small transform: BLAS multiplies a few vectors by the dense matrix in that time.
"""

from collections.abc import Callable

import numpy as np

from .formulas import Formula, multiplier

LARGEST_ORDER = 256
"""Largest order: the matrix is at most a megabyte."""
CALLS = {"real": (1100.0, 1100.0), "complex": (1100.0, 3900.0)}
"""Time of a product with very few numbers, for one vector and for several, in
nanoseconds."""
RATES = {"real": (0.019, 0.038), "complex": (0.105, 0.21)}
"""Nanoseconds for each entry of the matrix and vector, of single and of double
precision. ``nbfact study rates`` prints them."""


def matrix_cost(n: int, dtype: np.dtype, batch: int) -> float:
    """Return the time that a product with the matrix is expected to take.

    Parameters
    ----------
    n : int
        Order of the transform.
    dtype : numpy.dtype
        Dtype of the product.
    batch : int
        Number of columns; 1 for a vector.

    Returns
    -------
    float
        Nanoseconds; infinity above :data:`LARGEST_ORDER`.
    """
    if n > LARGEST_ORDER:
        return np.inf
    kind = "complex" if dtype.kind == "c" else "real"
    double = dtype.itemsize == (16 if dtype.kind == "c" else 8)
    return CALLS[kind][batch > 1] + RATES[kind][double] * n * n * batch


def matrix_multiplier(formula: Formula, n: int, dtype: np.dtype) -> Callable:
    """Return the function (x, out=None, axis=0) that multiplies by the matrix.

    x and out are as those of `multiplier`. The matrix is computed by scipy.fft.
    """
    matrix = multiplier(formula, n, dtype)(np.eye(n, dtype=dtype))
    turned, matmul = matrix.T, np.matmul

    def multiply(x, out=None, axis=0):
        return matmul(x, turned, out) if axis else matmul(matrix, x, out)

    return multiply
