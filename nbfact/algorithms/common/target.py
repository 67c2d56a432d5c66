"""The matrix to factor, as sweeps read it: a dense array, or products with it alone."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ..._core.checks import check_matrix
from ..._core.dtypes import common_dtype, real_dtype
from ...kernels import chain_residual, frobenius_norm
from .factors import Factor, PackedFactors, Sparse, adjoint

SMALL = 1 << 22
"""Largest number of entries (rows times columns) of a sparse target or an operator that
is made dense, because dense products are then faster: 32 MB in float64."""

_SAFE = {"d": 300, "f": 30}
"""Largest binary exponent, up or down, of a norm whose square keeps all its digits, by
the character of the real dtype (float64, float32): targets beyond it are shifted."""

_BLOCK = 64
"""Number of columns of an implicit target that are made dense at a time."""

Matrix: TypeAlias = np.ndarray | sp.csr_array | LinearOperator
"""A checked target: a dense array, or a large sparse matrix or operator."""

TargetLike: TypeAlias = ArrayLike | sp.sparray | sp.spmatrix | LinearOperator
"""What the public functions accept as a target: anything with numbers in two axes."""


class Explicit:
    """A dense target A, or its transpose when `turned`.

    Attributes
    ----------
    adjoint : ndarray
        Aᴴ, C-contiguous, because the sweeps keep C = A Rᴴ as its adjoint.
    dtype, real : numpy.dtype
        The dtype of A, and the real dtype of the same precision.
    norm : float
        ‖A‖_F.
    """

    def __init__(self, array: np.ndarray, turned: bool) -> None:
        self.adjoint = array.conj() if turned else adjoint(array)
        self.dtype = array.dtype
        self.real = array.real.dtype
        self.norm = frobenius_norm(array)

    def times(self, factor: Factor, out: np.ndarray) -> np.ndarray:
        """Write S Aᴴ to out, and return it."""
        return factor.apply(self.adjoint, out)

    def from_left(self, left: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write left A to out, and return it."""
        return np.matmul(left, self.adjoint.conj().T, out=out)

    def residual(
        self,
        factors: Sequence[Factor],
        scale: float,
        chain: PackedFactors,
        tiles: np.ndarray,
        out: np.ndarray,
    ) -> float:
        """Return ‖A - λ S[0] ... S[J-1]‖_F, summed from the residual itself.

        `chain` holds the first factors, as many as are sparse, packed; `tiles` is the
        scratch of `tile_scratch`; `out`, of the shape of the last factor, is clobbered.
        """
        x = factors[-1].toarray(out)
        for factor in reversed(factors[chain.length : -1]):
            x = factor.apply(x)
        square = chain_residual(
            chain.chain, chain.length, x, self.adjoint, self.real.type(scale), tiles
        )
        return math.sqrt(square)


class Implicit:
    """A large sparse matrix or operator A, or its transpose when `turned`.

    It is never made dense as a whole. The attributes are those of `Explicit`, but
    `adjoint` is None.
    """

    adjoint = None

    def __init__(self, matrix: Matrix, turned: bool) -> None:
        self._matrix = matrix.T if turned else matrix
        self.dtype = np.dtype(matrix.dtype)
        self.real = real_dtype(self.dtype)
        self.norm = norm(matrix)

    def times(self, factor: Factor, out: np.ndarray) -> np.ndarray:
        """Return S Aᴴ as a new array; `out` is there for `Explicit` and not used."""
        if sp.issparse(self._matrix) and isinstance(factor, Sparse):
            product = factor.tocsr() @ _adjoint(self._matrix)
            return np.ascontiguousarray(product.toarray())
        return adjoint(self._by(self._matrix, factor.toarray().conj().T))

    def from_left(self, left: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Return left A as a new array; `out` is there for `Explicit` and not used."""
        return adjoint(self._by(_adjoint(self._matrix), left.conj().T))

    def residual(
        self,
        factors: Sequence[Factor],
        scale: float,
        chain: PackedFactors,
        tiles: np.ndarray,
        out: np.ndarray,
    ) -> float:
        """Return ‖A - λ S[0] ... S[J-1]‖_F, a block of columns at a time.

        `out`, of the shape of the last factor, is clobbered; `chain` and `tiles` are
        there for `Explicit` and not used.
        """
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


Target: TypeAlias = Explicit | Implicit


def target_of(matrix: Matrix, turned: bool) -> Target:
    """Return a checked matrix, or its transpose when `turned`, as sweeps read it."""
    if isinstance(matrix, np.ndarray):
        return Explicit(matrix, turned)
    return Implicit(matrix, turned)


@overload
def checked_target(target: TargetLike, n_factors: Literal[1]) -> np.ndarray: ...
@overload
def checked_target(target: TargetLike, n_factors: int) -> Matrix: ...
def checked_target(target: TargetLike, n_factors: int) -> Matrix:
    """Return a target in a form that sweeps read, or raise.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        Any object with `toarray` is accepted too. Integers become float64.
    n_factors : int
        Number of factors. With 1 the result is a dense array: the one factor is
        updated from A itself.

    Returns
    -------
    ndarray, csr_array or LinearOperator
        A C-contiguous array, the one given where it needs no conversion. Sparse
        matrices and operators of more than `SMALL` entries are not made dense.

    Raises
    ------
    TypeError
        A target whose entries are not numbers.
    ValueError
        A target that is empty or has not two axes, NaN or infinity.
    """
    matrix: Any = target
    implicit = sp.issparse(matrix) or isinstance(matrix, LinearOperator)
    if not implicit:
        matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    check_matrix("target", matrix.shape)
    dtype = common_dtype(matrix.dtype)
    if implicit and (n_factors == 1 or math.prod(matrix.shape) <= SMALL):
        implicit, matrix = False, _array(matrix, dtype)
    parts: Iterable[np.ndarray]
    if not implicit:
        matrix = np.ascontiguousarray(matrix, dtype)
        parts = [matrix]
    elif sp.issparse(matrix):
        matrix = sp.csr_array(matrix, dtype=dtype)
        parts = [matrix.data]
    else:
        if np.dtype(matrix.dtype) != dtype:
            # This makes an operator of integers one of floats.
            matrix = matrix * dtype.type(1)
        parts = (part for _, part in _columns(matrix))
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError(f"target {matrix.shape} contains NaN or infinity")
    return matrix


def norm(matrix: Matrix) -> float:
    """Return ‖A‖_F, which neither overflows nor vanishes unless A does."""
    if isinstance(matrix, np.ndarray):
        return frobenius_norm(matrix)
    if sp.issparse(matrix):
        return frobenius_norm(matrix.data) if matrix.nnz else 0.0
    return math.hypot(*(frobenius_norm(part) for _, part in _columns(matrix)))


def shift_exponent(matrix: Matrix) -> int | None:
    """Return e such that the squared norm of A / 2**e neither overflows nor underflows.

    It is 0 where A needs no division, and None for a zero matrix. Dividing by a power
    of two changes no digit.
    """
    size = norm(matrix)
    if size == 0:
        return None
    # The norm may overflow although no entry does.
    exponent = math.frexp(size)[1] if math.isfinite(size) else 1024
    safe = _SAFE[real_dtype(matrix.dtype).char]
    return exponent if abs(exponent) > safe else 0


@overload
def shift(matrix: np.ndarray, exponent: int) -> np.ndarray: ...
@overload
def shift(matrix: Matrix, exponent: int) -> Matrix: ...
def shift(matrix: Matrix, exponent: int) -> Matrix:
    """Return matrix * 2**exponent, in two steps because 2**1030 is not a double."""
    if exponent == 0:
        return matrix
    half = exponent // 2
    real = real_dtype(matrix.dtype).type
    return (matrix * real(2.0) ** half) * real(2.0) ** (exponent - half)


def _adjoint(matrix):
    """Return the adjoint of a sparse matrix or an operator."""
    return matrix.conj().T if sp.issparse(matrix) else matrix.H


def _array(matrix, dtype):
    """Return a sparse matrix or an operator as a dense array."""
    if hasattr(matrix, "toarray"):
        return matrix.toarray()
    return matrix @ np.eye(matrix.shape[1], dtype=dtype)


def _columns(matrix) -> Iterator[tuple[int, np.ndarray]]:
    """Yield blocks of dense columns of a sparse matrix or an operator.

    Each comes with the index of its first column.
    """
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
