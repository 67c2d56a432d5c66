"""Transforms that have no construction as a butterfly: their matrix is factored."""

from typing import Any

import numpy as np

from ... import targets
from ..._core.checks import dtype_of
from ...operators import Butterfly, Chain
from .butterfly_factorize import butterfly_factorize


def slant(n: int, dtype: Any = np.float64) -> Butterfly:
    """Return the slant transform, which is exact in blocks of rank two.

    Parameters
    ----------
    n : int
        Order, a power of two.
    dtype : {float32, float64}
        Dtype of the values.

    Returns
    -------
    Butterfly, (n, n)
        The matrix `nbfact.targets.slant` to a few units in the last place, in
        ``Chain.rank2(n)``. Its relative complexity gain (RCG), which is n² divided by
        the number of values, is n / (8 log2(n) - 8).

    Raises
    ------
    TypeError, ValueError
        As `nbfact.targets.slant`, or if the dtype is another one.

    See Also
    --------
    butterfly_factorize : finds the values.

    Notes
    -----
    Factoring the matrix costs O(n² log n).

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
        Rank of the blocks between factors, at least 1. A larger one lowers the error
        and increases the number of values.
    dtype : {float32, float64}
        Dtype of the values.

    Returns
    -------
    Butterfly, (n, n)
        An operator close to `nbfact.targets.legendre`. For n = 64 its relative error is
        0.55, 0.43, 0.31 and 0.21 for the ranks 1 to 4: no butterfly of few values is
        exact.

    Raises
    ------
    TypeError, ValueError
        As `nbfact.targets.legendre`, or if the rank or the dtype is not valid.

    See Also
    --------
    butterfly_factorize : finds the values.

    Notes
    -----
    Factoring the matrix costs O(n² log n) for a fixed rank.

    References
    ----------
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019: the transform, and its approximation of rank one.

    Examples
    --------
    >>> import nbfact as nf
    >>> L = nf.targets.legendre(64)
    >>> approximations = [nf.transforms.legendre(64, rank) for rank in (1, 2)]
    >>> [round(nf.relative_error(L, B), 2) for B in approximations]
    [0.55, 0.43]
    """
    dtype = dtype_of(dtype, "f")
    dyadic = Chain.square_dyadic(n)
    chain = Chain.mixed_radix([pattern[1] for pattern in dyadic], rank=rank)
    found = butterfly_factorize(targets.legendre(n), chain, transpose=False)
    return found.operator.astype(dtype)
