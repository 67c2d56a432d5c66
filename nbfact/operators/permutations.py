"""Permutations that fast transforms need, as arrays of indices."""

import numpy as np


def bit_reversal(n: int) -> np.ndarray:
    """Return the bit-reversal permutation, its own inverse.

    Parameters
    ----------
    n : int
        A power of two, at least 1.

    Returns
    -------
    ndarray of intp, shape (n,)
        Entry i is i with its log2(n) bits in reverse order.

    Examples
    --------
    >>> bit_reversal(8)
    array([0, 4, 2, 6, 1, 5, 3, 7])
    """
    n_levels = n.bit_length() - 1
    index, reversal = np.arange(n), np.zeros(n, np.intp)
    for level in range(n_levels):
        reversal |= ((index >> level) & 1) << (n_levels - 1 - level)
    return reversal
