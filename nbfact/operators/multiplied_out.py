"""Dense matrices of small operators: factors multiplied out, where nothing is lost."""

from collections.abc import Iterable, Sequence

import numpy as np

from .._core.dtypes import real_dtype

MOST_MULTIPLIED = 1 << 22
"""Largest number of values between factors that are multiplied out, and of entries of
the factors: a few rows of a large operator are a small matrix of large factors."""


def multiplied_out(
    factors: Sequence, scale: float, dtype: np.dtype
) -> np.ndarray | None:
    """Return scale times a product of factors as a dense matrix of a dtype, or None.

    It is computed in double precision. There is none where a value of the factors, or
    of the product, comes near the limits of the dtype, or above `MOST_MULTIPLIED`.

    Parameters
    ----------
    factors : sequence of csr_array
    scale : float
    dtype : numpy.dtype
    """
    turned = factors[0].shape[0] < factors[-1].shape[1]
    if turned:  # from the side of fewer vectors
        factors = [factor.T.tocsr() for factor in factors[::-1]]
    inner = [factor.shape[1] for factor in factors[:-1]]
    (most, _), (inside, batch) = factors[0].shape, factors[-1].shape
    if batch * max(most, inside, *inner) > MOST_MULTIPLIED:
        return None
    if not in_range([factor.data for factor in factors], inner, dtype):
        return None
    wide = np.promote_types(dtype, np.float64)
    values = factors[-1].toarray().astype(wide)
    for factor in reversed(factors[:-1]):
        values = factor.astype(wide) @ values
    with np.errstate(all="ignore"):
        found = rounded(values * float(scale), dtype)
    return found.T if turned and found is not None else found


def rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray | None:
    """Return a dense matrix in a dtype, or None where that would lose its values."""
    low, high = limits(dtype)
    sizes = np.abs(values)
    if not low < sizes[sizes > 0].min(initial=1) <= sizes.max() < high:
        return None
    return values.astype(dtype)


def in_range(
    arrays: Iterable[np.ndarray], inner: Iterable[int], dtype: np.dtype
) -> bool:
    """Return whether no product of entries comes near the limits of the dtype.

    Parameters
    ----------
    arrays : iterable of ndarray
        The entries of each factor that are not zero.
    inner : iterable of int
        Numbers of columns of the factors but the last.
    dtype : numpy.dtype
    """
    least, largest = 1.0, float(np.prod([1, *inner]))
    with np.errstate(over="ignore", under="ignore"):
        for array in arrays:
            if not array.size:
                return False
            sizes = np.abs(array)
            smallest, most = float(sizes.min()), float(sizes.max())
            least, largest = least * min(smallest, 1.0), largest * max(most, 1.0)
    low, high = limits(dtype)
    return low < least and largest < high


def limits(dtype: np.dtype) -> tuple[float, float]:
    """Return between which sizes values keep their precision, with room to spare."""
    found = np.finfo(real_dtype(dtype))
    return float(found.tiny / found.eps), float(found.max * found.eps)
