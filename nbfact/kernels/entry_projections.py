"""Projections that set or keep each entry on its own, in place."""

import numpy as np

from ._jit import kernel


@kernel
def project_supp(x: np.ndarray, support: np.ndarray) -> None:
    """Set the entries outside a support to zero, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Overwritten with the nearest matrix of that support.
    support : ndarray of bool, shape (m, n)
        Where entries are kept; only read.

    Notes
    -----
    The cost is one pass over x.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if not support[i, j]:
                x[i, j] = 0


@kernel
def project_const(x: np.ndarray, value: np.ndarray) -> None:
    """Replace a matrix by a constant one: the projection onto a set of one point.

    Parameters
    ----------
    x : ndarray, shape (m, n)
        Overwritten with value.
    value : ndarray, shape (m, n), of a dtype that x holds
        Only read.

    Notes
    -----
    The cost is one pass over x.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = value[i, j]


@kernel
def project_nonneg(x: np.ndarray) -> None:
    """Set the negative entries of a real matrix to zero, in place.

    Parameters
    ----------
    x : ndarray, shape (m, n), real
        Overwritten with the nearest matrix without negative entries. NaN is left as it
        is.

    Notes
    -----
    The cost is one pass over x.
    """
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] < 0:
                x[i, j] = 0
