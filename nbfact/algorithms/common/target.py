"""The matrix to factor, as sweeps read it: in memory, or by its products alone."""

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from ..._core.dtypes import common_dtype, real_dtype
from ...kernels import chain_residual, frobenius_norm
from .factors import Factor, PackedFactors, Sparse, adjoint

# Sparse targets and operators with at most so many entries are made dense.
SMALL = 1 << 22

# Binary exponents of norms whose squares keep all their digits.
_SAFE = {"d": 300, "f": 30}

# Columns of an implicit target that are made dense at a time.
_BLOCK = 64

Matrix = np.ndarray | sp.csr_array | LinearOperator


class Explicit:
    """A, or Aᵀ when turned, in memory; ``adjoint`` is its adjoint, C-contiguous."""

    def __init__(self, array: np.ndarray, turned: bool) -> None:
        self.adjoint = array.conj() if turned else adjoint(array)
        self.dtype = array.dtype
        self.real = array.real.dtype
        self.norm = frobenius_norm(array)

    def times(self, factor: Factor, out: np.ndarray) -> np.ndarray:
        """Return S Aᴴ, in out."""
        return factor.apply(self.adjoint, out)

    def from_left(self, left: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Return left A, in out."""
        return np.matmul(left, self.adjoint.conj().T, out=out)

    def residual(
        self, factors, scale, chain: PackedFactors, tiles: np.ndarray, out: np.ndarray
    ) -> float:
        """Return ‖A - λ S[0] ... S[J-1]‖; chain: the sparse factors from the left.

        out: clobbered, of the shape of the last factor.
        """
        x = factors[-1].toarray(out)
        for factor in reversed(factors[chain.length : -1]):
            x = factor.apply(x)
        square = chain_residual(
            *(chain.chain, chain.length, x, self.adjoint),
            *(self.real.type(scale), tiles),
        )
        return math.sqrt(square)


class Implicit:
    """A, or Aᵀ when turned, by its products: a sparse matrix or an operator."""

    adjoint = None

    def __init__(self, matrix: Matrix, turned: bool) -> None:
        self._matrix = matrix.T if turned else matrix
        self.dtype = np.dtype(matrix.dtype)
        self.real = real_dtype(self.dtype)
        self.norm = norm(matrix)

    def times(self, factor: Factor, out: np.ndarray) -> np.ndarray:
        """Return S Aᴴ; out is not used."""
        if sp.issparse(self._matrix) and isinstance(factor, Sparse):
            product = factor.tocsr() @ _adjoint(self._matrix)
            return np.ascontiguousarray(product.toarray())
        return adjoint(self._by(self._matrix, factor.toarray().conj().T))

    def from_left(self, left: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Return left A; out is not used."""
        return adjoint(self._by(_adjoint(self._matrix), left.conj().T))

    def residual(self, factors, scale, chain, tiles, out) -> float:
        """Return ‖A - λ S[0] ... S[J-1]‖, some columns at a time."""
        last, total = factors[-1].toarray(out), 0.0
        for start, columns in _columns(self._matrix):
            x = np.ascontiguousarray(last[:, start : start + columns.shape[1]])
            for factor in reversed(factors[:-1]):
                x = factor.apply(x)
            total = math.hypot(
                total, frobenius_norm(columns - self.real.type(scale) * x)
            )
        return total

    def _by(self, matrix, x):
        """Return matrix @ x, C-contiguous and of the dtype of the target."""
        return np.ascontiguousarray(matrix @ np.ascontiguousarray(x), self.dtype)


Target = Explicit | Implicit


def target_of(matrix: Matrix, turned: bool) -> Target:
    """Return a checked matrix, or its transpose, as sweeps read it."""
    return (Explicit if isinstance(matrix, np.ndarray) else Implicit)(matrix, turned)


def checked_target(target: Any, n_factors: int) -> Matrix:
    """Return a target in a form that sweeps read, or raise."""
    implicit = sp.issparse(target) or isinstance(target, LinearOperator)
    if not implicit:
        target = target.toarray() if hasattr(target, "toarray") else np.asarray(target)
    if target.ndim != 2 or 0 in target.shape:
        raise ValueError(
            f"target must be a matrix that is not empty, got shape {target.shape}"
        )
    dtype = common_dtype(target.dtype)
    if implicit and (n_factors == 1 or math.prod(target.shape) <= SMALL):
        implicit, target = False, _array(target, dtype)
    if not implicit:
        target = np.ascontiguousarray(target, dtype)
        parts = [target]
    elif sp.issparse(target):
        target = sp.csr_array(target, dtype=dtype)
        parts = [target.data]
    else:
        if np.dtype(target.dtype) != dtype:
            target = target * dtype.type(1)  # integers, as an operator of floats
        parts = (part for _, part in _columns(target))
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError(f"target {target.shape} contains NaN or infinity")
    return target


def norm(matrix: Matrix) -> float:
    """Return ‖A‖_F, which neither overflows nor vanishes unless A does."""
    if isinstance(matrix, np.ndarray):
        return frobenius_norm(matrix)
    if sp.issparse(matrix):
        return frobenius_norm(matrix.data) if matrix.nnz else 0.0
    return math.hypot(*(frobenius_norm(part) for _, part in _columns(matrix)))


def shift_exponent(matrix: Matrix) -> int | None:
    """Return the power of two to divide by so that no square over- or underflows.

    0 where that is so already, None for a zero matrix.
    """
    size = norm(matrix)
    if size == 0:
        return None
    # A norm may overflow where no entry does.
    exponent = math.frexp(size)[1] if math.isfinite(size) else 1024
    safe = _SAFE[real_dtype(matrix.dtype).char]
    return exponent if abs(exponent) > safe else 0


def shift(matrix: Matrix, exponent: int) -> Matrix:
    """Return matrix * 2**exponent (in two steps: 2**1030 is not a double)."""
    if exponent == 0:
        return matrix
    half = exponent // 2
    real = real_dtype(matrix.dtype).type
    return (matrix * real(2.0) ** half) * real(2.0) ** (exponent - half)


def _adjoint(matrix):
    """Return the adjoint of a sparse matrix or an operator."""
    return matrix.conj().T if sp.issparse(matrix) else matrix.H


def _array(matrix, dtype):
    """Return a sparse matrix or an operator as an array."""
    if hasattr(matrix, "toarray"):
        return matrix.toarray()
    return matrix @ np.eye(matrix.shape[1], dtype=dtype)


def _columns(matrix):
    """Yield the columns of a sparse matrix or an operator, dense, some at a time."""
    n = matrix.shape[1]
    source = matrix.tocsc() if sp.issparse(matrix) else matrix
    for start in range(0, n, _BLOCK):
        width = min(_BLOCK, n - start)
        if sp.issparse(source):
            part = source[:, start : start + width].toarray()
        else:
            unit = np.eye(n, width, -start, dtype=common_dtype(matrix.dtype))
            part = source @ unit
        yield start, np.ascontiguousarray(part)
