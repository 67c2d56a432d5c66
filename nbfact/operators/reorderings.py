"""Permutations of rows and columns that fast transforms need, as index arrays."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.array_checks import permutation_of
from .._core.checks import power_of_two, size


def bit_reversal(n: int) -> np.ndarray:
    """Return the bit-reversal permutation, which is its own inverse.

    Parameters
    ----------
    n : int
        A power of two, at least 1.

    Returns
    -------
    ndarray of intp, shape (n,)
        Entry i is the number i with its log2(n) bits in reverse order.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two.

    Examples
    --------
    >>> bit_reversal(8)
    array([0, 4, 2, 6, 1, 5, 3, 7])
    """
    n_levels = power_of_two("n", n, "a bit reversal").bit_length() - 1
    index, reversal = np.arange(n), np.zeros(n, np.intp)
    for level in range(n_levels):
        reversal |= ((index >> level) & 1) << (n_levels - 1 - level)
    return reversal


def digit_reversal(factors: Sequence[int]) -> np.ndarray:
    """Return the permutation that reverses the digits of a mixed radix.

    Parameters
    ----------
    factors : sequence of int
        Radices f[0], ..., f[J-1], positive. Their product is n.

    Returns
    -------
    ndarray of intp, shape (n,)
        The DFT with its columns in this order is a product of factors on the chain
        ``Chain.mixed_radix(factors)``. When all radices are 2, the permutation is
        `bit_reversal`.

    Examples
    --------
    >>> digit_reversal([2, 3])
    array([0, 2, 4, 1, 3, 5])
    """
    index = np.arange(math.prod(factors)).reshape(tuple(factors)[::-1])
    return index.transpose().ravel()


def makhoul(n: int) -> np.ndarray:
    """Return Makhoul's permutation: even indices in order, odd ones in reverse order.

    The columns of a cosine transform in this order are real parts of the columns of a
    weighted Fourier transform (J. Makhoul, A fast cosine transform in one and two
    dimensions, IEEE Trans. Acoustics, Speech and Signal Processing, 1980).

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    ndarray of intp, shape (n,)

    Examples
    --------
    >>> makhoul(6)
    array([0, 2, 4, 5, 3, 1])
    """
    n = size("n", n)
    return np.concatenate([np.arange(0, n, 2), np.arange(1, n, 2)[::-1]])


def dao(n: int, split: bool, reverse_first: bool, reverse_second: bool) -> np.ndarray:
    """Return one of the eight permutations of Dao et al., ICML 2019.

    The permutation is made in steps, which rearrange blocks of n, n / 2, ..., 2
    positions.

    Parameters
    ----------
    n : int
        A power of two, at least 1.
    split : bool
        Whether each step puts the even positions of a block before the odd ones.
    reverse_first, reverse_second : bool
        Whether each step then reverses the first half, or the second half, of a block.

    Returns
    -------
    ndarray of intp, shape (n,)
        With ``split`` alone it is `bit_reversal`.

    Raises
    ------
    TypeError, ValueError
        When `n` is not an integer, or not a power of two.

    Examples
    --------
    >>> dao(8, True, False, False)
    array([0, 4, 2, 6, 1, 5, 3, 7])
    """
    n = power_of_two("n", n, "such a permutation")
    blocks = np.arange(n).reshape(1, n)
    while blocks.shape[1] > 1:
        half = blocks.shape[1] // 2
        if split:
            first, second = blocks[:, ::2], blocks[:, 1::2]
        else:
            first, second = blocks[:, :half], blocks[:, half:]
        first = first[:, ::-1] if reverse_first else first
        second = second[:, ::-1] if reverse_second else second
        blocks = np.stack([first, second], axis=1).reshape(-1, half)
    return blocks.ravel()


def checked_permutation(
    name: str, index: Any, length: int
) -> tuple[np.ndarray | None, int]:
    """Return an argument `rows` or `columns` of `Butterfly`, checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    index : array_like of int, shape (length,), or None
        What the caller passed.
    length : int
        Number of rows, or of columns, of the product of the factors.

    Returns
    -------
    index : ndarray of intp, or None
        None when all are in order.
    kept : int
        Number of indices that are not -1.

    Raises
    ------
    ValueError
        Unless each integer from 0 on occurs once, and no other one but -1.
    """
    if index is None:
        return None, length
    index = permutation_of(name, index, length, dropped=True)
    kept = int(np.count_nonzero(index >= 0))
    in_order = kept == length and np.all(index == np.arange(length))
    return (None if in_order else index), kept


def inverse(index: np.ndarray) -> np.ndarray:
    """Return the position of each index from 0 on in an array, where -1 is ignored.

    Examples
    --------
    >>> inverse(np.array([2, -1, 0, 1]))
    array([2, 3, 0])
    """
    places = np.flatnonzero(index >= 0)
    found = np.empty(len(places), np.intp)
    found[index[places]] = places
    return found


def chosen(
    index: np.ndarray | None, kept: np.ndarray, length: int, width: int
) -> np.ndarray:
    """Return a permutation `rows` of `Butterfly` for some of the rows alone.

    Parameters
    ----------
    index : ndarray of intp, shape (width,), or None
        The permutation for all rows; None stands for all in order.
    kept : ndarray of intp
        The rows to keep, in their new order, each once.
    length, width : int
        Number of all rows, and of rows of the product of the factors.

    Examples
    --------
    >>> chosen(np.array([1, -1, 0, 2]), np.array([2, 1]), 3, 4)
    array([ 1, -1, -1,  0])
    """
    places = np.full(length + 1, -1, np.intp)  # index -1 takes the last entry
    places[kept] = np.arange(len(kept))
    return places[np.arange(width) if index is None else index]


def cancel(columns: np.ndarray | None, rows: np.ndarray | None) -> bool:
    """Return whether two permutations are the same one that drops nothing.

    Between the factors of two butterflies they then cancel. None stands for the
    identity.
    """
    if columns is None or rows is None:
        return columns is rows
    return columns.min() >= 0 and np.array_equal(columns, rows)
