"""Hadamard, Haar and Kronecker products as exact operators."""

import functools
import itertools
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.checks import array_of, dtype_of, power_of_two
from .._core.dtypes import common_dtype
from .butterfly import Butterfly
from .chain import Chain
from .factor_product import FactorProduct


def hadamard(n: int, normalized: bool = True, *, dtype: Any = np.float64) -> Butterfly:
    """Return the Walsh-Hadamard transform, natural order, as a butterfly.

    Parameters
    ----------
    n : int
        Order, a power of two.
    normalized : bool
        ``True``: orthonormal. ``False``: entries 1 and -1.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        Of shape (n, n) on ``Chain.square_dyadic(n)``; equal to `targets.hadamard`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two; for another dtype.

    Notes
    -----
    A product costs 2 n log2(n): ``rcg`` is n / (2 log2 n). Without values at all,
    `nbfact.kernels.fwht` needs additions only.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.transforms.hadamard(2, normalized=False).toarray()
    array([[ 1.,  1.],
           [ 1., -1.]])
    >>> nf.transforms.hadamard(1024).rcg
    51.2
    """
    n = power_of_two("n", n, "a Hadamard matrix")
    dtype = dtype_of(dtype, "f")
    block = np.array([[1.0, 1.0], [1.0, -1.0]] if n > 1 else [[1.0]])
    chain = Chain.square_dyadic(n)
    values = [np.broadcast_to(block[None, :, :, None], pattern) for pattern in chain]
    if normalized:
        values[0] = values[0] / np.sqrt(n)
    return Butterfly(chain, values).astype(dtype)


def kronecker(*matrices: Any) -> Butterfly:
    """Return the Kronecker product of matrices as a butterfly, one factor each.

    Parameters
    ----------
    *matrices : array_like, shapes (m[i], n[i])
        At least one; real or complex, finite, none empty.

    Returns
    -------
    Butterfly
        Of shape (∏ m[i], ∏ n[i]) on ``Chain.mixed_radix(m, n)``, of the promoted dtype
        (integers: float64); equal to `numpy.kron` of the matrices from left to right.

    Raises
    ------
    TypeError, ValueError
        Without a matrix; for one that is not a matrix of finite numbers.

    Notes
    -----
    Factor i is I ⊗ K[i] ⊗ I, with n[0] ... n[i-1] and m[i+1] ... m[-1] the orders of
    the identities; it costs their product times m[i] n[i]. For J square matrices of
    order m, ``rcg`` is m^(J-1) / J.

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


def haar(n: int, dtype: Any = np.float64) -> FactorProduct:
    """Return the orthonormal Haar wavelet transform as sparse factors.

    Parameters
    ----------
    n : int
        Order, a power of two.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    FactorProduct
        Of shape (n, n); equal to `targets.haar`: the mean, then details from coarse to
        fine. The product with a vector is its Haar transform, that with ``.H`` the
        inverse.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two; for another dtype.

    Notes
    -----
    A factor makes one or more levels, and hands the details of earlier ones on, which
    costs an entry each. The levels are grouped so that the entries are fewest: about
    5.9 n for n = 1024, where one level a factor needs 12 n and the dense matrix has
    11 n that are not zero. A butterfly could not skip the rest of a level.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> H = nf.transforms.haar(8)
    >>> np.round(H @ np.arange(8.0), 3)
    array([ 9.899, -5.657, -2.   , -2.   , -0.707, -0.707, -0.707, -0.707])
    >>> nf.transforms.haar(1024).nnz
    6016
    """
    n = power_of_two("n", n, "a Haar matrix")
    dtype = dtype_of(dtype, "f")
    factors, active = [], n
    for n_levels in _groups(n.bit_length() - 1):
        block = _haar_levels(active, n_levels)
        kept = sp.eye_array(n - active, format="csr")
        factors.insert(0, sp.block_diag([block, kept], format="csr").astype(dtype))
        active >>= n_levels
    return FactorProduct(factors or [np.ones((1, 1), dtype)])


def _haar_levels(active, n_levels):
    """Return some levels of the Haar transform of order `active`, as CSR."""
    width = 1 << n_levels
    block = np.ones((1, 1))
    while (half := len(block)) < width:
        fine = np.kron(np.eye(half), [1, -1])
        block = np.vstack([np.kron(block, [1, 1]), fine])
    block /= np.sqrt(np.count_nonzero(block, axis=1, keepdims=True))
    # The means of all blocks first, then the details of each level.
    ends = [0, *(1 << level for level in range(n_levels + 1))]
    blocks = sp.eye_array(active // width)
    rows = [
        sp.kron(blocks, sp.csr_array(block[start:stop]))
        for start, stop in itertools.pairwise(ends)
    ]
    return sp.csr_array(sp.vstack(rows))


@functools.cache
def _groups(n_levels):
    """Return how many levels each factor makes, the first applied first.

    Least entries over all groupings, counted for order 2^n_levels: a factor of g
    levels that starts with m entries has m (g + 1), and hands on the rest.
    """
    order = 1 << n_levels
    best = {n_levels: (0, ())}  # from the level on that is not made yet
    for made in range(n_levels - 1, -1, -1):
        active = order >> made
        best[made] = min(
            (
                active * (g + 1) + order - active + best[made + g][0],
                (g, *best[made + g][1]),
            )
            for g in range(1, n_levels - made + 1)
        )
    return best[0][1]
