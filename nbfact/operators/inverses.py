"""Inverses of operators: by their parts, of orthogonal ones, and of circulant ones."""

import functools
import itertools

import numpy as np

from .._core.dtypes import real_dtype
from .algebra import maker
from .butterfly import Butterfly
from .chain import Chain
from .circulants import circulant
from .fast_operator import FastOperator
from .patterns import shape_of

DOUBT = 0.01
"""Largest relative error of ``A @ (inverse @ x)`` for a random vector x. It is above 1
for a singular A, and of the size of rounding times the condition number otherwise."""


@maker("inverse")
def inverse(operator: FastOperator) -> FastOperator:
    """Return the inverse of an operator, or raise a ValueError, see `FastOperator`."""
    m, n = operator.shape
    found, reason = None, ""
    try:
        with np.errstate(all="ignore"):
            found = operator._inverted()
    except ValueError as error:
        reason = str(error)
    if m != n:
        reason = f": {reason}" if reason else ""
        raise ValueError(f"an operator of shape {(m, n)} has no inverse{reason}")
    x = _random(n, operator.dtype)
    if found is None:
        found = _of_orthogonal(operator, x)
    if found is None:
        found = _of_circulant(operator, x, reason)
    if found is None and isinstance(operator, Butterfly):
        found = _by_segments(operator)
    if found is None:
        raise ValueError(
            f"no fast inverse is known: {reason}; and the operator has no orthogonal "
            "rows or columns, is no root of the identity, and is not circulant"
        )
    with np.errstate(all="ignore"):
        apart = np.linalg.norm(operator @ (found @ x) - x)
    if not apart <= DOUBT * np.linalg.norm(x):
        raise ValueError("the operator is singular, or too ill-conditioned to invert")
    return found


def _random(n, dtype):
    """Return a random vector of a dtype, the same one in each call."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n)
    return (x + 1j * rng.standard_normal(n) if dtype.kind == "c" else x).astype(dtype)


def _tolerance(operator):
    """Return the relative rounding error of a product with an operator and another."""
    eps = np.finfo(operator.dtype).eps
    return (100 + 16 * np.sqrt(operator.shape[0])) * eps


def _is_near(operator, y, expected):
    """Return whether a product y is what was expected but for rounding."""
    error = np.linalg.norm(y - expected)
    return error <= _tolerance(operator) * np.linalg.norm(expected)


def _of_orthogonal(operator, x):
    """Return the inverse from orthogonal rows or columns, or from a square of c I."""
    adjoint = operator.H
    weights = _weights(operator, adjoint, x)
    if weights is not None:
        return _divided(adjoint, weights)
    weights = _weights(adjoint, operator, x)
    if weights is not None:  # A⁻¹ = D⁻¹ A^H, the adjoint of A D⁻¹
        return _divided(operator, weights).H
    square = operator @ (operator @ x)
    factor = np.vdot(x, square) / np.vdot(x, x)
    if abs(factor) > 0 and _is_near(operator, square, factor * x):
        factor = factor if operator.dtype.kind == "c" else float(factor)
        return operator * (1 / factor)
    return None


def _weights(left, right, x):
    """Return the diagonal D of left @ right when it is diagonal and positive, or None.

    `right` is the adjoint of `left`.
    """
    ones = np.ones(len(x), x.dtype)
    weights = np.real(left @ (right @ ones))
    if not weights.min() > 0 or not _is_near(left, left @ (right @ x), weights * x):
        return None
    return weights


def _divided(operator, weights):
    """Return the operator with each column divided by a weight."""
    tolerance = _tolerance(operator)
    mean = weights.mean(dtype=float)
    if (abs(weights - mean) <= tolerance * mean).all():
        return operator if abs(mean - 1) <= tolerance else operator * (1 / mean)
    return operator._columns_weighted((1 / weights).astype(real_dtype(operator.dtype)))


def _of_circulant(operator, x, reason):
    """Return the inverse of a circulant matrix, which is circulant, or None."""
    import scipy.fft  # not at the top: it takes longer to import than nbfact

    first = np.zeros(len(x), x.dtype)
    first[0] = 1
    column = operator @ first
    spectrum = scipy.fft.fft(column.astype(complex))
    expected = scipy.fft.ifft(spectrum * scipy.fft.fft(x.astype(complex)))
    if not _is_near(operator, operator @ x, expected):
        return None
    size = abs(spectrum)
    if not size.min() > _tolerance(operator) * size.max():
        raise ValueError(
            f"the circulant matrix is singular, its spectrum has a zero: {reason}"
        )
    inverse_column = scipy.fft.ifft(1 / spectrum)
    if operator.dtype.kind != "c":
        inverse_column = inverse_column.real
    return circulant(inverse_column.astype(operator.dtype))


def _by_segments(operator):
    """Return the inverse from those of square products of neighbouring factors.

    None is returned when no neighbours make a square product but all of them.
    """
    n, patterns = operator.shape[0], list(operator.chain)
    if operator.chain.shape != (n, n):
        return None
    inner = [shape_of(pattern)[1] for pattern in patterns]
    ends = [j + 1 for j, width in enumerate(inner) if width == n]
    if len(ends) < 2:
        return None
    segments = []
    for start, stop in itertools.pairwise([0, *ends]):
        segments.append(
            Butterfly(
                Chain(patterns[start:stop]),
                operator.values[start:stop],
                rows=operator.rows if start == 0 else None,
                columns=operator.columns if stop == len(patterns) else None,
            )
        )
    return functools.reduce(
        lambda left, right: left @ right, [one.inverse() for one in segments[::-1]]
    )
