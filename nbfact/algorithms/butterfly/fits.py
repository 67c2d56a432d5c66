"""A transform that has no construction as a butterfly: its matrix is factored."""

from typing import Any

import numpy as np

from ... import targets
from ..._core.checks import dtype_of, power_of_two
from ..._core.limits import check_memory, dense_order
from ...operators import Butterfly, Chain
from .butterfly_factorize import butterfly_factorize


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
    nbfact.butterfly_factorize : finds the values.

    Notes
    -----
    Factoring the matrix costs O(n² log n) for a fixed rank.

    References
    ----------
    T. Dao et al., Learning fast algorithms for linear transforms using butterfly
    factorizations, ICML 2019: the transform, and its approximation of rank one
    [dao2019].

    Examples
    --------
    >>> import nbfact as nf
    >>> L = nf.targets.legendre(64)
    >>> approximations = [nf.transforms.legendre(64, rank) for rank in (1, 2)]
    >>> [round(nf.relative_error(L, B), 2) for B in approximations]
    [0.55, 0.43]
    """
    dtype = dtype_of(dtype, "f")
    n = dense_order("n", power_of_two("n", n, "a butterfly"))
    chain = Chain.mixed_radix([2] * (n.bit_length() - 1) or [1], rank=rank)
    check_memory(f"n={n} with rank={rank}", 3 * chain.n_parameters)
    found = butterfly_factorize(targets.legendre(n), chain, transpose=False)
    return found.operator.astype(dtype)
