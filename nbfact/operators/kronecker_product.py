"""The Kronecker product of matrices as an exact butterfly."""

from typing import Any

import numpy as np

from .._core.checks import array_of
from .._core.dtypes import common_dtype
from .butterfly import Butterfly
from .chain import Chain


def kronecker(*matrices: Any) -> Butterfly:
    """Return the Kronecker product of matrices as a butterfly with one factor each.

    Parameters
    ----------
    *matrices : array_like, shapes (m[i], n[i])
        At least one matrix: real or complex, finite, not empty.

    Returns
    -------
    Butterfly
        The operator of shape (∏ m[i], ∏ n[i]), on the chain
        ``Chain.mixed_radix(m, n)``. Its dense matrix is `numpy.kron` of the matrices
        from left to right; its dtype is the promotion of theirs, where integers count
        as float64.

    Raises
    ------
    TypeError, ValueError
        When there is no matrix, or one is not a matrix of finite numbers.

    See Also
    --------
    hadamard : The Kronecker product of log2(n) matrices [[1, 1], [1, -1]].

    Notes
    -----
    Factor i is I ⊗ K[i] ⊗ I with the matrix K[i] and identities of the orders
    n[0] ... n[i-1] and m[i+1] ... m[-1]. It costs the product of these orders times
    m[i] n[i] multiplications. For J square matrices of order m, the relative complexity
    gain ``rcg`` is m^(J-1) / J.

    Examples
    --------
    >>> import nbfact as nf
    >>> block = [[2, 1], [1, 1]]
    >>> nf.transforms.kronecker(block, block).toarray().astype(int)
    array([[4, 2, 2, 1],
           [2, 2, 1, 1],
           [2, 1, 2, 1],
           [1, 1, 1, 1]])
    """
    if not matrices:
        raise ValueError("matrices is empty: a product needs at least one matrix")
    arrays = [array_of(f"matrices[{i}]", x, 2) for i, x in enumerate(matrices)]
    dtype = common_dtype(*(array.dtype for array in arrays))
    rows, columns = zip(*(array.shape for array in arrays), strict=True)
    chain = Chain.mixed_radix(rows, columns)
    values = [
        np.broadcast_to(array.astype(dtype)[None, :, :, None], pattern)
        for array, pattern in zip(arrays, chain, strict=True)
    ]
    return Butterfly(chain, values)
