"""Named transforms of small order by their dense matrix: one call of BLAS.

A call of scipy.fft, or of the kernels of a chain, takes longer than all operations of a
small transform: BLAS multiplies a few vectors by the dense matrix in that time.
"""

from collections.abc import Callable

import numpy as np

from .convolution_formula import Convolution
from .formulas import Formula

LARGEST_ORDER = 256
"""Largest order: the matrix is at most a megabyte."""
CALLS = {"real": (1100.0, 1100.0), "complex": (1100.0, 3900.0)}
"""Time of a product with very few numbers, for one vector and for several, in
nanoseconds."""
RATES = {"real": (0.019, 0.038), "complex": (0.105, 0.21)}
"""Nanoseconds for each entry of the matrix and vector, of single and of double
precision. ``nbfact study rates`` prints them."""


def matrix_cost(shape: tuple[int, int], dtype: np.dtype, batch: int) -> float:
    """Return the time that a product with the matrix is expected to take.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the matrix.
    dtype : numpy.dtype
        Dtype of the product.
    batch : int
        Number of columns; 1 for a vector.

    Returns
    -------
    float
        Nanoseconds; infinity above :data:`LARGEST_ORDER`.
    """
    m, n = shape
    if max(shape) > LARGEST_ORDER:
        return np.inf
    kind = "complex" if dtype.kind == "c" else "real"
    double = dtype.itemsize == (16 if dtype.kind == "c" else 8)
    return CALLS[kind][batch > 1] + RATES[kind][double] * m * n * batch


def matrix_multiplier(
    formula: Formula | Convolution, n: int, dtype: np.dtype
) -> Callable:
    """Return the function (x, out=None, axis=0) that multiplies by the matrix.

    n is the number of columns; x and out are as those of `Formula.multiplier`.
    """
    matrix = formula.matrix(n, dtype)
    turned, dot = matrix.T, matrix.dot  # a method, because numpy.matmul costs more

    def multiply(x, out=None, axis=0):
        return x.dot(turned, out) if axis else dot(x, out)

    return multiply
