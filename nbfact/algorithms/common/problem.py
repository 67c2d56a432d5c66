"""The matrix that a call factors: checked, measured and shifted once, read many times.

A public function makes one `Problem` of what it is given, and hands it to everything
below. Sweeps read it as `Explicit` or `Implicit`: a dense array, or products with the
matrix alone.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias, overload

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ..._core.array_checks import check_matrix, check_sparse, dense_array
from ..._core.dtypes import common_dtype, real_dtype
from ...kernels import chain_residual, frobenius_norm, max_abs
from .factors import Factor, Sparse, adjoint
from .packed_factors import PackedFactors

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


class Wide(NamedTuple):
    """A matrix in double precision, divided by 2**exponent, and its norm.

    The largest modulus of the real and imaginary parts of `array` is in [1/2, 1).
    """

    array: np.ndarray
    exponent: int
    norm: float


class Problem:
    """A matrix A to factor: checked, with its norm, and divided by a power of two.

    What is derived from A is computed when it is first read, and only once. A problem
    is not changed once made.

    Parameters
    ----------
    matrix : ndarray, csr_array or LinearOperator, (m, n)
        The matrix as `problem_of` returns it, in its own units, or a dense part of one.
    norm : float
        ‖A‖_F; infinity where it overflows although no entry does.
    exponent : int, optional
        See `exponent`, which is computed if it is not given.

    Attributes
    ----------
    matrix, norm
        The parameters.
    shape : (int, int)
    dtype, real : numpy.dtype
        The dtype of A, and the real dtype of the same precision.
    """

    def __init__(
        self, matrix: Matrix, norm: float, exponent: int | None = None
    ) -> None:
        self.matrix, self.norm, self._given = matrix, norm, exponent
        self.shape: tuple[int, int] = matrix.shape
        self.dtype = np.dtype(matrix.dtype)

    def part(self, array: np.ndarray) -> "Problem":
        """Return the problem of a dense residual of the shifted matrix, as it is."""
        return Problem(array, frobenius_norm(array.reshape(-1)), exponent=0)

    def __reduce__(self) -> tuple[type["Problem"], tuple[Matrix, float, int | None]]:
        """Pickle the matrix and its norm; the rest is computed again when read."""
        return Problem, (self.matrix, self.norm, self._given)

    @functools.cached_property
    def real(self) -> np.dtype:
        """The real dtype of the precision of A."""
        return real_dtype(self.dtype)

    @property
    def zero(self) -> bool:
        """Whether A is zero."""
        return self.norm == 0

    @property
    def dense(self) -> np.ndarray | None:
        """The matrix A where it is a dense array, for `Factorization.target`."""
        return self.matrix if isinstance(self.matrix, np.ndarray) else None

    @property
    def array(self) -> np.ndarray:
        """The matrix A of a problem with one factor: always a dense array."""
        assert isinstance(self.matrix, np.ndarray)
        return self.matrix

    @functools.cached_property
    def exponent(self) -> int:
        """The e for which the squared norm of A / 2**e neither over- nor underflows.

        It is 0 where A needs no division. Dividing by a power of two changes no digit.
        """
        if self._given is not None:
            return self._given
        exponent = self.norm_exponent
        return exponent if abs(exponent) > _SAFE[self.real.char] else 0

    @property
    def norm_exponent(self) -> int:
        """The binary exponent of ‖A‖_F; 0 for a zero matrix."""
        return math.frexp(self.norm)[1] if math.isfinite(self.norm) else 1024

    @functools.cached_property
    def shifted(self) -> Matrix:
        """The matrix A / 2**exponent."""
        return shift(self.matrix, -self.exponent)

    @functools.cached_property
    def upright(self) -> "Explicit | Implicit":
        """The shifted matrix, as sweeps from right to left read it."""
        return self._view(turned=False)

    @functools.cached_property
    def turned(self) -> "Explicit | Implicit":
        """The transpose of the shifted matrix, for sweeps from left to right."""
        return self._view(turned=True)

    def _view(self, turned: bool) -> "Explicit | Implicit":
        """Return the shifted matrix, or its transpose, as sweeps read it."""
        matrix, size = self.shifted, self.norm
        if self.exponent:
            size = _checked_norm(matrix)
        if isinstance(matrix, np.ndarray):
            return Explicit(matrix, size, turned)
        return Implicit(matrix, size, turned)

    @functools.cached_property
    def wide(self) -> Wide:
        """The dense matrix A in double precision, as least squares read it."""
        array = self.array
        exponent = math.frexp(max_abs(array.reshape(-1)))[1]
        wide = shift(array.astype(np.result_type(array, np.float64)), -exponent)
        return Wide(wide, exponent, frobenius_norm(wide.reshape(-1)))


def problem_of(target: Any, n_factors: int = 1) -> Problem:
    """Return the problem of what a public function is given, or raise.

    Parameters
    ----------
    target : array_like, scipy sparse or LinearOperator, (m, n)
        Any object with `toarray` is accepted too. Integers become float64.
    n_factors : int, default 1
        Number of factors. With 1 the matrix is a dense array, because algorithms
        then read A itself. Otherwise sparse matrices and operators of more than
        `SMALL` entries are not made dense.

    Raises
    ------
    TypeError
        A target whose entries are not numbers, or that is a masked array.
    ValueError
        A target that is empty or has not two axes, NaN or infinity, a sparse matrix
        with indices out of bounds.
    """
    matrix = target
    implicit = not isinstance(matrix, np.ndarray) and (
        sp.issparse(matrix) or isinstance(matrix, LinearOperator)
    )
    if not implicit:
        matrix = dense_array("target", matrix)
    elif sp.issparse(matrix):
        check_sparse("target", matrix)
    check_matrix("target", matrix.shape)
    try:
        dtype = common_dtype(matrix.dtype)
    except TypeError as error:  # that of an operator
        raise TypeError(f"target: {error}") from None
    if implicit and (n_factors == 1 or math.prod(matrix.shape) <= SMALL):
        implicit = False
        if hasattr(matrix, "toarray"):
            matrix = matrix.toarray()
        else:
            matrix = matrix @ np.eye(matrix.shape[1], dtype=dtype)
    if not implicit:
        matrix = np.ascontiguousarray(matrix, dtype)
    elif sp.issparse(matrix):
        matrix = sp.csr_array(matrix, dtype=dtype)
    elif np.dtype(matrix.dtype) != dtype:
        # This makes an operator of integers one of floats.
        matrix = matrix * dtype.type(1)
    return Problem(matrix, _checked_norm(matrix))


def _checked_norm(matrix: Matrix) -> float:
    """Return ‖A‖_F, or raise where an entry of A is not finite.

    The norm neither overflows nor vanishes unless A does. One that is finite and not 0
    shows that all entries are finite, without a second pass over them.
    """
    if isinstance(matrix, np.ndarray):
        return _array_norm(matrix, matrix.shape)
    if sp.issparse(matrix):
        return _array_norm(matrix.data, matrix.shape) if matrix.nnz else 0.0
    parts = (_array_norm(part, matrix.shape) for _, part in _columns(matrix))
    return math.hypot(*parts)


def _array_norm(array: np.ndarray, shape: tuple[int, int]) -> float:
    """Return the Frobenius norm of entries of the target, or raise."""
    norm = frobenius_norm(array.reshape(-1))
    # An entry that is NaN may be lost beside zeros, and the norm may overflow alone.
    if (norm == 0 or not math.isfinite(norm)) and not np.isfinite(array).all():
        raise ValueError(f"target {shape} contains NaN or infinity")
    return norm


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

    def __init__(self, array: np.ndarray, norm: float, turned: bool) -> None:
        self.adjoint = array.conj() if turned else adjoint(array)
        self.dtype = array.dtype
        self.real = array.real.dtype
        self.norm = norm

    def residual(
        self,
        factors: PackedFactors,
        scale: float,
        tiles: np.ndarray,
        out: np.ndarray,
    ) -> float:
        """Return ‖A - λ S[0] ... S[J-1]‖_F, summed from the residual itself.

        `tiles` is the scratch of `tile_scratch`; `out`, of the shape of the last
        factor, is clobbered.
        """
        last, first = len(factors) - 1, factors.length
        x = factors.toarray(last, out)
        for j in range(last - 1, first - 1, -1):
            x = factors[j].apply(x)
        square = chain_residual(
            factors.chain, first, x, self.adjoint, self.real.type(scale), tiles
        )
        return math.sqrt(square)


class Implicit:
    """A large sparse matrix or operator A, or its transpose when `turned`.

    It is never made dense as a whole. The attributes are those of `Explicit`, but
    `adjoint` is None.
    """

    adjoint = None

    def __init__(self, matrix: Matrix, norm: float, turned: bool) -> None:
        self._matrix = matrix.T if turned else matrix
        self.dtype = np.dtype(matrix.dtype)
        self.real = real_dtype(self.dtype)
        self.norm = norm

    def times(self, factor: Factor) -> np.ndarray:
        """Return S Aᴴ."""
        if sp.issparse(self._matrix) and isinstance(factor, Sparse):
            product = factor.tocsr() @ _adjoint(self._matrix)
            return np.ascontiguousarray(product.toarray())
        return adjoint(self._by(self._matrix, factor.toarray().conj().T))

    def adjoint_times(self, x: np.ndarray) -> np.ndarray:
        """Return Aᴴ x as a new array."""
        return self._by(_adjoint(self._matrix), x)

    def residual(
        self,
        factors: PackedFactors,
        scale: float,
        tiles: np.ndarray,
        out: np.ndarray,
    ) -> float:
        """Return ‖A - λ S[0] ... S[J-1]‖_F, a block of columns at a time.

        `out`, of the shape of the last factor, is clobbered; `tiles` is there for
        `Explicit` and not used.
        """
        *others, final = factors
        last, total = final.toarray(out), 0.0
        for start, columns in _columns(self._matrix):
            x = np.ascontiguousarray(last[:, start : start + columns.shape[1]])
            for factor in reversed(others):
                x = factor.apply(x)
            rest = columns - self.real.type(scale) * x
            total = math.hypot(total, frobenius_norm(rest.reshape(-1)))
        return total

    def _by(self, matrix, x):
        """Return matrix @ x, C-contiguous and of the dtype of the target."""
        return np.ascontiguousarray(matrix @ np.ascontiguousarray(x), self.dtype)


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
            unit = np.eye(n, width, -start, dtype=matrix.dtype)
            part = source @ unit
        yield start, np.ascontiguousarray(part)
