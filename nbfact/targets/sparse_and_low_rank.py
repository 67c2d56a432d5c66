"""Sums of a sparse matrix and one of low rank."""

import numpy as np

from .._core.checks import RandomState, generator, real_number, size
from .._core.limits import dense_order


def sparse_plus_low_rank(
    n: int, rank: int = 2, *, density: float = 0.1, random_state: RandomState = None
) -> np.ndarray:
    """Return the sum of a sparse matrix and one of low rank, of equal norms.

    Parameters
    ----------
    n : int
        Order, at least 1.
    rank : int
        Rank of the second matrix, a product of Gaussian ones, at most `n`.
    density : float
        Share of the entries that the first matrix has, Gaussian and at random places,
        above 0 and at most 1. It has at least one.
    random_state : None, int or numpy.random.Generator
        A seed, a generator, or ``None`` for a fresh one.

    Returns
    -------
    ndarray of float64, shape (n, n)

    Raises
    ------
    TypeError, ValueError
        When `n` or `rank` is not a positive integer, the rank exceeds `n`, or the
        density is out of range.

    See Also
    --------
    planted : Products of sparse factors alone.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> A = nf.targets.sparse_plus_low_rank(8, 1, density=1 / 64, random_state=0)
    >>> int(np.linalg.matrix_rank(A))
    2
    """
    n = dense_order("n", n)
    rank = size("rank", rank)
    if rank > n:
        raise ValueError(f"rank={rank}: must be at most n={n}")
    density = real_number("density", density, above=0, most=1)
    rng = generator("random_state", random_state)
    sparse = np.zeros(n * n)
    kept = max(1, round(density * n * n))
    places = rng.choice(n * n, kept, replace=False)
    sparse[places] = rng.standard_normal(kept)
    low = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n))
    sparse *= np.linalg.norm(low) / np.linalg.norm(sparse)
    return sparse.reshape(n, n) + low
