"""The matrix to factor, in the form that sweeps read: its adjoint."""

import math
from typing import Any

import numpy as np

from .._dtypes import common_dtype
from ..kernels import chain_residual, frobenius_norm, max_abs
from .factors import Chain, adjoint

# Binary exponents up to which sums of squares keep all their digits.
_SAFE = {"d": 300, "f": 30}


class Target:
    """A, or Aᵀ when turned; ``adjoint`` is its adjoint, C-contiguous."""

    def __init__(self, array: np.ndarray, turned: bool) -> None:
        self.adjoint = array.conj() if turned else adjoint(array)
        self.dtype = array.dtype
        self.real = array.real.dtype
        self.norm = frobenius_norm(array)

    def inner(self, cross: np.ndarray, product: np.ndarray) -> float:
        """Return Re<C, product>, from Cᴴ."""
        return np.vdot(adjoint(cross), product).real

    def error(self, x, scale, chain=None, tiles=None) -> float:
        """Return ‖A - λ L x‖ / ‖A‖, L the chain, or the identity without one."""
        if chain is None:
            chain, tiles = Chain([], self.dtype), np.empty((2, len(x), 8), self.dtype)
        square = chain_residual(
            *chain.forward, chain.length, x, self.adjoint, self.real.type(scale), tiles
        )
        return math.sqrt(square) / self.norm


def checked_target(target: Any) -> np.ndarray:
    """Return a target as a C-contiguous array of a supported dtype, or raise."""
    array = target.toarray() if hasattr(target, "toarray") else np.asarray(target)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"target must be a matrix that is not empty, got shape {array.shape}"
        )
    array = np.ascontiguousarray(array, common_dtype(array.dtype))
    if not np.isfinite(array).all():
        raise ValueError(f"target {array.shape} contains NaN or infinity")
    return array


def shift_exponent(array: np.ndarray) -> int | None:
    """Return the power of two to divide by so that no square over- or underflows.

    0 where that is so already, None for a zero array.
    """
    largest = max_abs(array)
    if largest == 0:
        return None
    exponent = int(np.frexp(largest)[1])
    return exponent if abs(exponent) > _SAFE[array.real.dtype.char] else 0


def shift(array: np.ndarray, exponent: int) -> np.ndarray:
    """Return array * 2**exponent (in two steps: 2**1030 is not a double)."""
    if exponent == 0:
        return array
    half = exponent // 2
    real = array.real.dtype.type
    return (array * real(2.0) ** half) * real(2.0) ** (exponent - half)
