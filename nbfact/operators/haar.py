"""The Haar wavelet transform as an exact product of sparse factors."""

import functools
import itertools
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.checks import dtype_of, power_of_two
from .._core.limits import check_memory
from .factor_product import FactorProduct


def haar(n: int, dtype: Any = np.float64) -> FactorProduct:
    """Return the orthonormal Haar wavelet transform as a product of sparse factors.

    Parameters
    ----------
    n : int
        Order, a power of two.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    FactorProduct
        The operator H of shape (n, n). ``H @ x`` is the Haar transform of a vector x,
        first the mean and then the details from coarse to fine, and ``H.H @ y`` is the
        inverse transform. The dense matrix is `nbfact.targets.haar`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer or not a power of two, or the dtype is another.

    See Also
    --------
    nbfact.targets.haar : The dense matrix.

    Notes
    -----
    Each factor computes one or more levels of details, and hands on the details of the
    earlier levels, which costs an entry each. The levels are grouped so that the number
    of entries is least: about 5.9 n for n = 1024, where factors of one level each need
    12 n, and the dense matrix has 11 n that are not zero. The transform is no
    butterfly, because a butterfly computes all n entries in each factor.

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
    check_memory(f"n={n}", 24 * n, 16)
    dtype = dtype_of(dtype, "f")
    factors: list[Any] = []
    active = n
    for n_levels in _levels_per_factor(n.bit_length() - 1):
        block = _haar_levels(active, n_levels)
        kept = sp.eye_array(n - active, format="csr")
        factors.insert(0, sp.block_diag([block, kept], format="csr").astype(dtype))
        active >>= n_levels
    return FactorProduct(factors or [np.ones((1, 1), dtype)])


def _haar_levels(active, n_levels):
    """Return the first levels of the Haar transform of order `active`, as CSR."""
    width = 1 << n_levels
    block = np.ones((1, 1))
    while (half := len(block)) < width:
        fine = np.kron(np.eye(half), [1, -1])
        block = np.vstack([np.kron(block, [1, 1]), fine])
    block /= np.sqrt(np.count_nonzero(block, axis=1, keepdims=True))
    # Rows are the means of all blocks first, then the details level by level.
    ends = [0, *(1 << level for level in range(n_levels + 1))]
    blocks = sp.eye_array(active // width)
    rows = [
        sp.kron(blocks, sp.csr_array(block[start:stop]))
        for start, stop in itertools.pairwise(ends)
    ]
    return sp.csr_array(sp.vstack(rows))


@functools.cache
def _levels_per_factor(n_levels: int) -> tuple[int, ...]:
    """Return how many levels each factor computes, from the one applied first on.

    The grouping has the fewest entries, by dynamic programming over all groupings for
    order 2^n_levels. A factor of g levels that starts with m means has m (g + 1)
    entries, and one for each detail that it hands on.
    """
    order = 1 << n_levels
    # Fewest entries, and their grouping, by the number of levels computed before.
    best: dict[int, tuple[int, tuple[int, ...]]] = {n_levels: (0, ())}
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
