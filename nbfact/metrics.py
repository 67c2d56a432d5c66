"""How good an approximation is, and how much it saves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["density", "nnz", "rcg", "relative_error"]


def relative_error(A: Any, F: Any) -> float:
    """Return ‖A − F‖_F / ‖A‖_F, safe from overflow and underflow.

    Parameters
    ----------
    A, F : array, scipy sparse array or LinearOperator, of one shape
        The matrix and its approximation. Both are made dense, in double precision.

    Returns
    -------
    float
        At least 0 and never NaN: infinity when `F` holds NaN or infinity, or when
        `A` is zero and `F` is not. Two zeros give 0.

    Raises
    ------
    ValueError
        When the shapes differ, or `A` holds NaN or infinity.
    TypeError
        When one of them does not hold numbers.

    Notes
    -----
    Both are divided by the largest modulus of `A`, and the difference by its own,
    before anything is squared: right from 1e-300 to 1e300.

    Examples
    --------
    >>> relative_error([[3.0, 4.0]], [[3.0, 0.0]])
    0.8
    """
    A, F = _dense("A", A), _dense("F", F)
    if A.shape != F.shape:
        raise ValueError(f"A has shape {A.shape} but F has shape {F.shape}")
    if not np.isfinite(A).all():
        raise ValueError("A holds NaN or infinity: no error is relative to it")
    if not np.isfinite(F).all():
        return float("inf")
    # Real and imaginary parts apart: dividing complex numbers can overflow.
    A, F = np.stack([A.real, A.imag]), np.stack([F.real, F.imag])
    largest = _largest(A)
    if largest == 0.0:
        return 0.0 if _largest(F) == 0.0 else float("inf")
    with np.errstate(over="ignore", under="ignore"):
        # Half of each, so that the difference cannot overflow where they do not.
        difference = F / largest * 0.5 - A / largest * 0.5
        spread = _largest(difference)
        if spread == 0.0 or not np.isfinite(spread):
            return spread
        ratio = np.linalg.norm(difference / spread) / np.linalg.norm(A / largest)
        return float(2.0 * spread * ratio)


def nnz(F: Any) -> int:
    """Return the number of stored entries of an operator or of a list of factors.

    Parameters
    ----------
    F : FactorProduct, sparse array, array, or a sequence of the last two
        A sparse factor counts its stored entries, which are what a product costs; a
        dense one its non-zeros.

    Returns
    -------
    int
        The sum over the factors.

    Raises
    ------
    TypeError
        When `F` is none of these.
    ValueError
        When the sequence is empty.

    Examples
    --------
    >>> nnz([np.eye(4), np.eye(4)])
    8
    """
    if hasattr(F, "nnz"):
        return int(F.nnz)
    return sum(
        int(factor.nnz) if hasattr(factor, "nnz") else int(np.count_nonzero(factor))
        for factor in _factors(F)
    )


def rcg(F: Any) -> float:
    """Return the relative complexity gain: entries of the matrix / non-zeros kept.

    Parameters
    ----------
    F : FactorProduct, sparse array, array, or a sequence of the last two
        The operator, or its factors from left to right.

    Returns
    -------
    float
        How many times fewer multiplications than the dense matrix; infinity when
        nothing is kept.

    Raises
    ------
    TypeError, ValueError
        As :func:`nnz`, and when the shapes of the factors do not chain.

    Examples
    --------
    >>> rcg([np.eye(8), np.eye(8)])
    4.0
    """
    kept = nnz(F)
    rows, columns = _shape(F)
    return rows * columns / kept if kept else float("inf")


def density(F: Any) -> float:
    """Return non-zeros kept / entries of the matrix: 1 / :func:`rcg`.

    Parameters
    ----------
    F : FactorProduct, sparse array, array, or a sequence of the last two
        The operator, or its factors from left to right.

    Returns
    -------
    float
        Above 1 when the factors hold more than the matrix.

    Raises
    ------
    TypeError, ValueError
        As :func:`rcg`.

    Examples
    --------
    >>> density([np.eye(8), np.eye(8)])
    0.25
    """
    return nnz(F) / np.prod(_shape(F), dtype=float).item()


def _dense(name, matrix):
    """Return `matrix` as a float64 or complex128 array."""
    if hasattr(matrix, "toarray"):
        matrix = matrix.toarray()
    elif hasattr(matrix, "matmat"):
        matrix = matrix @ np.eye(matrix.shape[1])
    array = np.asarray(matrix)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} has dtype {array.dtype}; expected numbers")
    return array.astype(complex if array.dtype.kind == "c" else float, copy=False)


def _largest(array):
    """Return the largest absolute value, 0 for an empty array."""
    return float(np.abs(array).max(initial=0.0))


def _factors(F):
    """Return `F` as a list of factors, none of them missing."""
    if isinstance(F, np.ndarray):
        return [F]
    if not isinstance(F, Sequence):
        raise TypeError(f"F is a {type(F).__name__}; expected an operator or factors")
    if not F:
        raise ValueError("F is an empty list; expected at least one factor")
    return [f if hasattr(f, "shape") else np.asarray(f) for f in F]


def _shape(F):
    """Return the shape of an operator or of the product of a list of factors."""
    shapes = [F.shape] if hasattr(F, "nnz") else [f.shape for f in _factors(F)]
    if any(len(shape) != 2 for shape in shapes):
        raise ValueError(f"F has factors of shapes {shapes}; expected matrices")
    for left, right in pairwise(shapes):
        if left[1] != right[0]:
            raise ValueError(f"F has factors of shapes {shapes}, which do not chain")
    return shapes[0][0], shapes[-1][1]
