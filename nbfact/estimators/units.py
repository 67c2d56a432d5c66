"""The unit of points: a power of two that keeps their squares within their dtype."""

import math

import numpy as np

SAFE, MOST = 20, 66
"""Exponents of two of a typical entry of float32 points. Up to the first, on both sides
of one, squared distances keep their digits; up to the second, points are divided by a
power of two; beyond it they are refused. Their products with it are exact."""

_OUT_OF_RANGE = "X is too {} for {}: squared distances would overflow or vanish"


def unit_of(square: float, n_features: int, dtype: np.dtype) -> float:
    """Return the power of two that points are divided by; it is mostly one.

    Parameters
    ----------
    square : float
        The mean of the squared norms of the points, in double precision.
    n_features : int
        Number of features D.
    dtype : numpy.dtype
        float32 or float64. The latter has room for all squares that are not refused.

    Raises
    ------
    ValueError
        If squared distances would overflow or vanish even then.
    """
    if square == 0:
        return 1.0
    if dtype != np.float32:
        check_mean_square(square, dtype)
        return 1.0
    exponent = math.log2(square / n_features) / 2 if np.isfinite(square) else math.inf
    if abs(exponent) <= SAFE:
        return 1.0
    if abs(exponent) > MOST:
        word = "large" if exponent > 0 else "small"
        raise ValueError(_OUT_OF_RANGE.format(word, dtype))
    return 2.0 ** round(exponent)


def check_mean_square(square: float, dtype: np.dtype) -> None:
    """Raise ValueError if the mean square of points is near the limits of their dtype.

    The squares of their differences could then overflow, or vanish.
    """
    info = np.finfo(dtype)
    if not square < 1e-4 * float(info.max):
        raise ValueError(_OUT_OF_RANGE.format("large", dtype))
    if 0 < square < 1e8 * float(info.smallest_normal):
        raise ValueError(_OUT_OF_RANGE.format("small", dtype))


def refuse_vanished(dtype: np.dtype) -> None:
    """Raise the ValueError for points that are not zero while all their squares are."""
    raise ValueError(_OUT_OF_RANGE.format("small", dtype))
