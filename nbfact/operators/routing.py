"""Any permutation as an exact butterfly: the network of Beneš."""

from typing import Any

import numpy as np

from .._core.checks import array_of, dtype_of
from .butterfly import Butterfly
from .chain import Chain


def permutation(p: Any, dtype: Any = np.float64) -> Butterfly:
    """Return a permutation as a product of two butterflies of opposite strides.

    Parameters
    ----------
    p : array_like of int, shape (n,)
        Each of 0, ..., n - 1 once, n at least 1.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        Of shape (n, n): ``(B @ x)[i]`` is ``x[p[i]]``, exactly. All values are 0 or 1,
        on the chain ``C @ C.T`` with C = ``Chain.square_dyadic(N)``, N the next power
        of two; from there rows and columns from n on are dropped.

    Raises
    ------
    TypeError, ValueError
        When `p` is not a vector of integers, or not a permutation; for another dtype.

    Notes
    -----
    Routing by the looping algorithm, O(n log n). A product costs 4 N log2(N): ``rcg``
    is n / (4 log2 n) for powers of two. It serves to learn from, and inside products;
    to permute and nothing else, ``x[p]`` costs nothing, as do the `rows` and
    `columns` of a `Butterfly`.

    References
    ----------
    V. Beneš, Mathematical theory of connecting networks and telephone traffic, 1965.
    D. Opferman and N. Tsao-Wu, On a class of rearrangeable switching networks, Bell
    System Technical Journal, 1971. T. Dao et al., Kaleidoscope, ICLR 2020 (BB*).

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.transforms.permutation([2, 0, 1]) @ np.array([10.0, 20.0, 30.0])
    array([30., 10., 20.])
    """
    p = array_of("p", p, 1) if np.size(p) == 0 else np.asarray(p)
    if p.ndim != 1 or p.dtype.kind not in "iu":
        raise ValueError(
            f"p has shape {p.shape} and dtype {p.dtype}: expected a vector of integers"
        )
    dtype = dtype_of(dtype, "f")
    n = len(p)
    if not np.array_equal(np.sort(p), np.arange(n)):
        raise ValueError(f"p is no permutation: 0 to {n - 1} must stand once each")
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
    """Return which switches are crossed, a boolean array a factor, left to right.

    p: list, its length a power of two. Entry i of each array is that of position i.
    """
    order = len(p)
    left, right = [], []
    half = order // 2
    while half:
        inverse = [0] * order
        for i, source in enumerate(p):
            inverse[source] = i
        # The outputs of a switch, i and i ^ half, go through different halves of the
        # network, and so do the inputs of a switch: walk each cycle of constraints.
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
        # What output i reads, inside its half: both position and source move there.
        inner = np.empty(order, np.intp)
        there = np.where(is_lower, half, 0)
        inner[(position & ~half) | there] = (sources & ~half) | there
        p, half = inner.tolist(), half // 2
    return [*left, *right[::-1]] or [np.zeros(1, bool)] * 2


def _switches(crossed, pattern):
    """Return the values (a, b, c, d) of switches, 0 and 1, from one flag a position."""
    a, b, _, d = pattern
    flag = crossed.reshape(a, b, 1, d)
    straight = np.eye(b, dtype=bool).reshape(1, b, b, 1)
    return straight != flag
