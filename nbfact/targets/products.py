"""Products of random sparse factors."""

import numpy as np
import scipy.sparse

from .._checks import RandomState, size


def planted(
    n: int,
    n_factors: int,
    k: int,
    random_state: RandomState = None,
    return_factors: bool = False,
) -> np.ndarray | tuple[np.ndarray, list[scipy.sparse.csr_array]]:
    """Return a product of random sparse factors, which an algorithm should find again.

    Parameters
    ----------
    n : int
        Order of the matrix and of every factor.
    n_factors : int
        Number of factors, J.
    k : int
        Non-zeros in each row and in each column of each factor, from 1 to `n`.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.
    return_factors : bool
        Return the factors as well.

    Returns
    -------
    matrix : ndarray of float64, shape (n, n)
        S[0] @ S[1] @ ... @ S[J-1].
    factors : list of scipy.sparse.csr_array
        Only with `return_factors`; each (n, n) with ``n * k`` non-zeros.

    Raises
    ------
    TypeError, ValueError
        When a size is not an integer, not positive, or `k` exceeds `n`.

    Notes
    -----
    A support is k random diagonals of a circulant matrix under a random permutation
    of rows and another of columns. Values are Gaussian of variance 1/k, so a column
    of the product keeps a norm of about one at any depth.

    Examples
    --------
    >>> matrix, factors = planted(8, 3, 2, random_state=0, return_factors=True)
    >>> matrix.shape, [factor.nnz for factor in factors]
    ((8, 8), [16, 16, 16])
    """
    n, n_factors, k = size("n", n), size("n_factors", n_factors), size("k", k)
    if k > n:
        raise ValueError(f"k={k}: a row of n={n} entries has at most {n} non-zeros")
    rng = np.random.default_rng(random_state)
    factors = [_planted_factor(n, k, rng) for _ in range(n_factors)]
    matrix = factors[-1].toarray()
    for factor in factors[-2::-1]:
        matrix = factor @ matrix
    return (matrix, factors) if return_factors else matrix


def _planted_factor(n, k, rng):
    """Return one CSR factor with exactly k Gaussian entries per row and column."""
    rows, columns = rng.permutation(n), rng.permutation(n)
    offsets = rng.choice(n, size=k, replace=False)
    shifted = (np.arange(n)[:, None] + offsets) % n
    values = rng.standard_normal(n * k) / np.sqrt(k)
    coordinates = (np.repeat(rows, k), columns[shifted.ravel()])
    return scipy.sparse.coo_array((values, coordinates), shape=(n, n)).tocsr()
