"""The slant transform as an exact butterfly."""

from typing import Any

import numpy as np

from .._core.checks import dtype_of, power_of_two
from .._core.limits import check_memory
from .butterfly import Butterfly
from .chain import Chain


def slant(n: int, dtype: Any = np.float64) -> Butterfly:
    """Return the slant transform, which is exact in blocks of rank two.

    Parameters
    ----------
    n : int
        Order, a power of two.
    dtype : numpy dtype
        float64 or float32.

    Returns
    -------
    Butterfly
        The operator of shape (n, n), on the chain ``Chain.rank2(n)``. Its dense matrix
        is `nbfact.targets.slant`, to a few units in the last place.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, not a power of two or too large for the memory of
        this machine, or the dtype is another.

    See Also
    --------
    nbfact.targets.slant : The dense matrix.

    Notes
    -----
    The transform of order n is made of two transforms of order n / 2, whose rows are
    added and subtracted; two of its rows are sums of four of theirs, which takes blocks
    of rank two. The values are known, so that an operator is made in the time of
    writing them. The relative complexity gain ``rcg`` is n / (8 log2(n) - 8).

    References
    ----------
    W. Pratt, W.-H. Chen, L. Welch, Slant transform image coding, IEEE Trans.
    Communications, 1974.

    Examples
    --------
    >>> import nbfact as nf
    >>> S = nf.transforms.slant(64)
    >>> S.nnz, bool(nf.relative_error(nf.targets.slant(64), S) < 1e-14)
    (2560, True)
    """
    n = power_of_two("n", n, "a slant matrix")
    dtype = dtype_of(dtype, "f")
    check_memory(f"n={n}", 16 * n * n.bit_length())
    chain = Chain.rank2(n)
    values = [_values(pattern) for pattern in chain] if n > 1 else [np.ones(chain[0])]
    return Butterfly(chain, values).astype(dtype)


def _values(pattern):
    """Return the values of one factor of the slant transform.

    The factor makes transforms of order 2 d of pairs of transforms of order d, which
    have two slots at each position. The first slot holds the row of that position, and
    the second one nothing; but the positions 0 and 1 hold both the rows 0 (the mean)
    and 1 (the slope), because row 1 of order 2 d needs both.
    """
    _, b, c, d = pattern
    half = np.sqrt(0.5)
    if c == 2:  # of order 1: two numbers, whose mean and slope are sum and difference
        rows = np.array([[half, half], [half, -half]])
        return np.broadcast_to(np.repeat(rows, b // 2, axis=0)[:, :, None], pattern)
    # A row of the block holds the coefficients of the slots of the first transform and
    # of those of the second one.
    up, down = half * np.sqrt(np.array([3 * d**2, d**2 - 1]) / (4 * d**2 - 1))
    mean, slope = [half, 0, half, 0], [up, down, -up, down]
    block = np.zeros((b, 4, d))
    block[0], block[1] = (
        np.reshape(mean, (4, 1)),
        np.reshape([half, 0, -half, 0], (4, 1)),
    )
    block[1, :, 0], block[1, :, 1] = [0, half, 0, -half], [-down, up, down, up]
    if b == 2:
        block[0, :, 1] = slope
    else:  # the rows are (slot, half of the positions)
        block[2, :, 0] = block[2, :, 1] = slope
    return np.broadcast_to(block, pattern)
