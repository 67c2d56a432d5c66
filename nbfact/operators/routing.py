"""Any permutation as an exact butterfly, by the switching network of Beneš."""

from typing import Any

import numpy as np

from .._core.array_checks import permutation_of, plain_array
from .._core.checks import dtype_of
from .butterfly import Butterfly
from .chain import Chain


def permutation(p: Any, dtype: Any = np.float64) -> Butterfly:
    """Return a permutation as a product of two butterflies of opposite strides.

    Parameters
    ----------
    p : array_like of int, shape (n,)
        The permutation: each of 0, ..., n - 1 once, n at least 1.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        The operator B of shape (n, n) for which ``(B @ x)[i]`` is exactly ``x[p[i]]``.
        All its values are 0 or 1. Its chain is ``C @ C.T`` with
        ``C = Chain.square_dyadic(N)``, where N is the least power of two that is at
        least n; its rows and columns from n on are dropped.

    Raises
    ------
    TypeError, ValueError
        When `p` is not a vector of integers or not a permutation, or the dtype is
        not that of real numbers.

    See Also
    --------
    nbfact.targets.permuted : A dense matrix with rows and columns in random orders.

    Notes
    -----
    The switches are set by the looping algorithm in O(n log n) operations. A product
    costs 4 N log2(N): the relative complexity gain ``rcg`` is n / (4 log2 n) for powers
    of two. Use the operator as an example to learn, and inside products. To permute
    alone, ``x[p]`` needs no multiplications, and neither do the `rows` and `columns` of
    a `Butterfly`.

    References
    ----------
    V. Beneš, Mathematical theory of connecting networks and telephone traffic, 1965.
    D. Opferman and N. Tsao-Wu, On a class of rearrangeable switching networks, Bell
    System Technical Journal, 1971. T. Dao et al., Kaleidoscope, ICLR 2020, where the
    matrices on this chain, B₁ B₂ᵀ with two butterflies, are the class BB* [dao2020].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.transforms.permutation([2, 0, 1]) @ np.array([10.0, 20.0, 30.0])
    array([30., 10., 20.])
    """
    p = plain_array("p", p)
    if p.ndim != 1 or not p.size:
        raise ValueError(f"p has shape {p.shape}: expected a vector of integers")
    n = len(p)
    p = permutation_of("p", p, n)
    dtype = dtype_of(dtype, "f")
    order = 1 << (n - 1).bit_length()
    chain = Chain.square_dyadic(order)
    chain = chain @ chain.T
    swaps = _route([*p.tolist(), *range(n, order)])
    values = [
        _switches(swap, pattern).astype(dtype)
        for swap, pattern in zip(swaps, chain, strict=True)
    ]
    kept = np.where(np.arange(order) < n, np.arange(order), -1)
    return Butterfly(chain, values, rows=kept, columns=kept)


def _route(p):
    """Return which switches are crossed, as one boolean array for each factor.

    The factors are in the order of the chain. `p` is a list whose length is a power of
    two. Entry i of an array is that of position i.
    """
    order = len(p)
    left, right = [], []
    half = order // 2
    while half:
        inverse = [0] * order
        for i, source in enumerate(p):
            inverse[source] = i
        # The two outputs of a switch, i and i ^ half, must come from different halves
        # of the network, and so must the two inputs of a switch. These constraints
        # form cycles, each of which is walked once.
        lower = [-1] * order
        for start in range(order):
            i = start
            while lower[i] < 0:
                lower[i], lower[i ^ half] = 0, 1
                i = inverse[p[i ^ half] ^ half]
        is_lower, sources = np.array(lower, bool), np.array(p)
        position = np.arange(order)
        at_lower = (position & half) != 0
        left.append(is_lower != at_lower)
        right.append(is_lower[inverse] != at_lower)
        # The permutation inside the two halves: position and source of output i move
        # to its half.
        inner = np.empty(order, np.intp)
        start_of_half = np.where(is_lower, half, 0)
        inner[(position & ~half) | start_of_half] = (sources & ~half) | start_of_half
        p, half = inner.tolist(), half // 2
    return [*left, *right[::-1]] or [np.zeros(1, bool)] * 2


def _switches(crossed, pattern):
    """Return the values, 0 or 1, of a factor of switches from one flag per position."""
    a, b, _, d = pattern
    flag = crossed.reshape(a, b, 1, d)
    straight = np.eye(b, dtype=bool).reshape(1, b, b, 1)
    return straight != flag
