"""Transforms that are butterflies by fit: their matrix is factored, not constructed."""

from typing import Any

import numpy as np

from ... import targets
from ..._core.checks import dtype_of
from ...operators import Butterfly, Chain
from .butterfly_factorize import butterfly_factorize


def slant(n: int, dtype: Any = np.float64) -> Butterfly:
    """Return the slant transform, exact: its blocks have rank two.

    Parameters
    ----------
    n : int
        Order, a power of two.
    dtype : {float32, float64}
        Of the values.

    Returns
    -------
    Butterfly, (n, n)
        `targets.slant` to a few units in the last place, in ``Chain.rank2(n)``: rcg
        n / (8 log2(n) - 8).

    Raises
    ------
    TypeError, ValueError
        As `targets.slant`, or for another dtype.

    Notes
    -----
    O(n² log n) to factor the matrix.

    Examples
    --------
    >>> import nbfact as nf
    >>> S = nf.transforms.slant(64)
    >>> S.nnz, bool(nf.relative_error(nf.targets.slant(64), S) < 1e-14)
    (2560, True)
    """
    dtype = dtype_of(dtype, "f")
    found = butterfly_factorize(targets.slant(n), Chain.rank2(n), transpose=False)
    return found.operator.astype(dtype)


def legendre(n: int, rank: int = 1, *, dtype: Any = np.float64) -> Butterfly:
    """Return an approximation of the discrete Legendre transform.

    Parameters
    ----------
    n : int
        Order, a power of two.
    rank : int
        Of the blocks between factors, at least 1: error against complexity.
    dtype : {float32, float64}
        Of the values.

    Returns
    -------
    Butterfly, (n, n)
        Close to `targets.legendre`. Its relative error is 0.55, 0.43, 0.31, 0.21 for
        n = 64 and ranks 1 to 4: there is no exact butterfly of few values.

    Raises
    ------
    TypeError, ValueError
        As `targets.legendre`, or for another rank or dtype.

    References
    ----------
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019: the transform, and its approximation of rank one.

    Examples
    --------
    >>> import nbfact as nf
    >>> L = nf.targets.legendre(64)
    >>> [round(nf.relative_error(L, nf.transforms.legendre(64, rank)), 2) for rank in (1, 2)]
    [0.55, 0.43]
    """
    dtype = dtype_of(dtype, "f")
    dyadic = Chain.square_dyadic(n)
    chain = Chain.mixed_radix([pattern[1] for pattern in dyadic], rank=rank)
    found = butterfly_factorize(targets.legendre(n), chain, transpose=False)
    return found.operator.astype(dtype)
