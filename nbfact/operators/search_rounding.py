"""What rounding does to a search for the nearest row, and what it allows for."""

import math
from typing import NamedTuple

import numpy as np

from .fast_operator import FastOperator
from .rounding_bounds import norms, reach_of

UNMOVED = 2.0**-10
"""Largest rounding error of products with points as they are given, as a share of the
squared norm of the longest row, up to which the offset is not subtracted from them."""


class SearchRounding(NamedTuple):
    """How points of a dtype are compared with the rows of an operator.

    Attributes
    ----------
    margin : ndarray, (2,), of the dtype
        Two values of a point x, as it is multiplied, differ by at most margin[0] +
        margin[1] |x| through rounding.
    bias : ndarray of float64, (K,)
        What is added to -2 <v, x>.
    offset : ndarray, (D,), of the dtype, or None
        What is subtracted from the points first.
    """

    margin: np.ndarray
    bias: np.ndarray
    offset: np.ndarray | None


def search_rounding(
    operator: FastOperator,
    dense: np.ndarray | None,
    bias: np.ndarray,
    offset: np.ndarray | None,
    dtype: np.dtype,
) -> SearchRounding:
    """Return how points of a dtype are compared with rows v plus an offset.

    Parameters
    ----------
    operator : FastOperator, shape (K, D)
    dense : ndarray, (K, D), or None
        The operator where it is multiplied as a dense matrix.
    bias : ndarray of float64, (K,)
        What is added to -2 <v, x - offset>.
    offset : ndarray, (D,), or None
    dtype : numpy.dtype
        float32 or float64.

    Notes
    -----
    The value bias - 2 <v, x> has an error of at most ``errors`` ε / 2 times bias +
    2 reach |x|, and the rounded row v one of as many times reach. Errors of n roundings
    are as likely up as down: twice the root of n is more than they add up to. The
    points less the offset are rounded once more. So is the offset in this dtype, and so
    are the rows plus the offset: what they lose is known.

    Where that keeps enough digits, <v, x> - <v, offset> stands for <v, x - offset>,
    because the subtraction takes time: rows less the offset are short.
    """
    reach, steps = _reach_and_steps(operator, dense)
    errors = min(steps, 2 * math.sqrt(steps))
    eps = float(max(np.finfo(dtype).eps, np.finfo(operator.dtype).eps))
    least = 1e3 * float(np.finfo(dtype).smallest_normal)
    with np.errstate(over="ignore"):
        largest = float(np.abs(bias).max()) + reach * reach
        fixed = eps * (errors * largest + 4 * reach * reach) + least
        slope = eps * (3 * errors + 4) * reach
        if offset is not None:
            of_rows, of_points = _lost_by_offset(operator, offset, dtype)
            far = 2 * slope * float(norms(offset.astype(np.float64)))
            slope += 4 * of_rows
            fixed += 4 * reach * of_rows + 2 * of_rows**2
            if far <= UNMOVED * reach * reach:
                fixed += far
                bias = bias + 2 * np.asarray(operator @ offset, np.float64)
                offset = None
            else:
                fixed += 4 * reach * of_points
                offset = offset.astype(dtype)
        return SearchRounding(np.array([fixed, slope]).astype(dtype), bias, offset)


def _reach_and_steps(
    operator: FastOperator, dense: np.ndarray | None
) -> tuple[float, int]:
    """Return what bounds the rounding errors of products: see `reach_of`."""
    if dense is not None:
        lengths = norms(dense.astype(np.float64))
        return float(lengths.max()), 3 + dense.shape[1]
    reach, steps = reach_of(operator)
    return float(reach.max()), steps


def _lost_by_offset(
    operator: FastOperator, offset: np.ndarray, dtype: np.dtype
) -> tuple[float, float]:
    """Return how far rounding moves the rows plus an offset, and the offset, at most.

    What a sum of two numbers loses is known exactly (Knuth's TwoSum).
    """
    rows = operator.toarray()
    total = rows + offset
    part = total - rows
    lost = (rows - (total - part)) + (offset - part)
    cast = offset.astype(dtype).astype(np.float64) - offset
    return float(norms(lost.astype(np.float64)).max()), float(norms(cast))
