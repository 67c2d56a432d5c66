"""Measures of an approximation: its error, its size, and how much it saves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from ._core.array_checks import check_matrix, dense_array, matrix_of
from ._core.checks import shown

__all__ = ["density", "nnz", "rcg", "relative_error"]


def relative_error(A: Any, F: Any) -> float:
    """Return ‖A − F‖_F / ‖A‖_F, safe from overflow and underflow.

    Parameters
    ----------
    A, F : array_like, scipy sparse array, LinearOperator or result, shape (m, n)
        The matrix and its approximation: any matrix, operator, or result of an
        algorithm of nbfact. Both are made dense in double precision.

    Returns
    -------
    float
        The error, at least 0 and never NaN. It is infinite when `F` holds NaN or
        infinity, or when `A` is zero and `F` is not; it is 0 when both are zero.

    Raises
    ------
    ValueError
        When the shapes differ, or `A` holds NaN or infinity.
    TypeError
        When one of them does not hold numbers, or is a masked array.

    See Also
    --------
    nbfact.metrics.rcg : The other axis: entries of the matrix over non-zeros.

    Notes
    -----
    Before numbers are squared, both matrices are divided by the largest modulus of `A`,
    and their difference by its own largest modulus, so that the result is correct for
    entries from 1e-300 to 1e300.

    Examples
    --------
    >>> import nbfact as nf
    >>> nf.relative_error([[3.0, 4.0]], [[3.0, 0.0]])
    0.8
    """
    A, F = _dense("A", A), _dense("F", F)
    if A.shape != F.shape:
        raise ValueError(f"A has shape {A.shape} but F has shape {F.shape}")
    if not np.isfinite(A).all():
        raise ValueError("A holds NaN or infinity: no error is relative to it")
    if not np.isfinite(F).all():
        return float("inf")
    # Real and imaginary parts are separated, because a complex division can overflow.
    A, F = np.stack([A.real, A.imag]), np.stack([F.real, F.imag])
    largest = _largest(A)
    if largest == 0.0:
        return 0.0 if _largest(F) == 0.0 else float("inf")
    with np.errstate(over="ignore", under="ignore"):
        # Half of each is taken, so that the difference does not overflow when A and F
        # do not.
        difference = F / largest * 0.5 - A / largest * 0.5
        spread = _largest(difference)
        if spread == 0.0 or not np.isfinite(spread):
            return spread
        ratio = np.linalg.norm(difference / spread) / np.linalg.norm(A / largest)
        return float(2.0 * spread * ratio)


def nnz(F: Any) -> int:
    """Return the number of entries of an operator or of a list of factors.

    It is the number of multiplications of a product with a vector.

    Parameters
    ----------
    F : FastOperator, result, scipy sparse array, ndarray, or a sequence of the last two
        The operator, a result of an algorithm, or factors. A sparse factor counts all
        stored entries, because a product multiplies by stored zeros too. A dense factor
        counts its non-zeros.

    Returns
    -------
    int
        The sum over the factors.

    Raises
    ------
    TypeError
        When `F` is none of these, or a factor does not hold numbers.
    ValueError
        When the sequence is empty, or a factor is no matrix with entries.

    See Also
    --------
    rcg, density : The number relative to the entries of the dense matrix.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.metrics.nnz([np.eye(4), np.eye(4)])
    8
    """
    return sum(
        int(factor.nnz) if hasattr(factor, "nnz") else int(np.count_nonzero(factor))
        for factor in _factors(F)
    )


def rcg(F: Any) -> float:
    """Return the relative complexity gain (RCG): m n / nnz for an (m, n) operator.

    It says how many times fewer multiplications a product needs than one with the dense
    matrix.

    Parameters
    ----------
    F : FastOperator, result, scipy sparse array, ndarray, or a sequence of the last two
        The operator, a result of an algorithm, or factors from left to right.

    Returns
    -------
    float
        The gain; infinity when `nnz` is 0.

    Raises
    ------
    TypeError, ValueError
        The errors of `nnz`; also when the shapes of the factors do not chain.

    See Also
    --------
    nnz : The number of entries.
    density : The inverse of the gain.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP, 2016 [lemagoarou2016].

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.metrics.rcg([np.eye(8), np.eye(8)])
    4.0
    """
    kept = nnz(F)
    rows, columns = _shape(F)
    return rows * columns / kept if kept else float("inf")


def density(F: Any) -> float:
    """Return the density nnz / (m n) of an operator of shape (m, n).

    Parameters
    ----------
    F : FastOperator, result, scipy sparse array, ndarray, or a sequence of the last two
        The operator, a result of an algorithm, or factors from left to right.

    Returns
    -------
    float
        The inverse of `rcg`. It is above 1 when the factors have more entries than the
        dense matrix.

    Raises
    ------
    TypeError, ValueError
        The errors of `rcg`.

    See Also
    --------
    nnz : The number of entries.
    rcg : The inverse of the density.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> nf.metrics.density([np.eye(8), np.eye(8)])
    0.25
    """
    return nnz(F) / np.prod(_shape(F), dtype=float).item()


def _dense(name, matrix):
    """Return a matrix as a dense float64 or complex128 array, or raise a TypeError."""
    matrix = getattr(matrix, "operator", matrix)
    if isinstance(matrix, LinearOperator) and not hasattr(matrix, "toarray"):
        matrix = matrix @ np.eye(matrix.shape[1])
    array = dense_array(name, matrix)
    return array.astype(complex if array.dtype.kind == "c" else float, copy=False)


def _largest(array):
    """Return the largest modulus of the entries, 0 for an empty array."""
    return float(np.abs(array).max(initial=0.0))


def _factors(F):
    """Return an operator, a matrix or a sequence of factors as a list of factors.

    There is at least one, and each is a plain array, or has `shape` and `nnz`.
    """
    F = getattr(F, "operator", F)
    if isinstance(F, np.ndarray) or _counts_itself(F):
        named = {"F": F}
    elif isinstance(F, Sequence) and not isinstance(F, str | bytes):
        named = {f"F[{j}]": factor for j, factor in enumerate(F)}
    else:
        raise TypeError(f"F is {shown(F)}; expected an operator or factors")
    if not named:
        raise ValueError("F is an empty list; expected at least one factor")
    for name, factor in named.items():
        if sp.issparse(factor) or not _counts_itself(factor):
            named[name] = matrix_of(name, factor)
        check_matrix(name, named[name].shape)
    return list(named.values())


def _counts_itself(factor):
    """Return whether a matrix or an operator has an attribute `nnz`."""
    if sp.issparse(factor):  # that of a damaged one may raise
        return True
    return hasattr(factor, "nnz") and not isinstance(factor, type)


def _shape(F):
    """Return the shape of an operator, or of the product of a list of factors."""
    shapes = [factor.shape for factor in _factors(F)]
    for left, right in pairwise(shapes):
        if left[1] != right[0]:
            raise ValueError(f"F has factors of shapes {shapes}, which do not chain")
    return shapes[0][0], shapes[-1][1]
