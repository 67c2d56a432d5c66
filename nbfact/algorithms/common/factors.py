"""One factor S while an algorithm works on it: sparse by rows and columns, or dense.

`Sparse` and `Dense` share their methods, so that an algorithm need not know which one
it holds. Neither is changed once made. All arrays are C-contiguous.
"""

from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from ...kernels import (
    adjoint_copy,
    count_nonzeros,
    csr_add,
    csr_apply_columns,
    csr_compress,
    csr_entered,
    csr_gram,
    frobenius_norm,
)
from ...kernels.chain_absorb import SCATTERED

DENSE = 0.3
"""Density (share of non-zeros) above which a factor is kept dense, because BLAS then
computes S x faster than the sparse kernel. The two are equally fast at a density of
0.42, 0.34 and 0.24 for n = 64, 512 and 1024, and of 0.11 for a 204 x 8193 factor, whose
x leaves the caches (float64, Zen 4, one thread: `nbfact study crossover`)."""

CSR: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Data, indices and indptr of a matrix in compressed sparse row (CSR) form."""

Out: TypeAlias = np.ndarray | None
"""An array to write to, or None for a new one."""


class Dense:
    """A factor stored as a dense array, and the number of its non-zeros if known."""

    def __init__(self, array: np.ndarray, nnz: int | None = None) -> None:
        self.array = array
        self.shape = array.shape
        self._nnz = nnz

    @property
    def nnz(self) -> int:
        """Number of entries that are not zero, counted once."""
        if self._nnz is None:
            self._nnz = count_nonzeros(self.array)
        return self._nnz

    def toarray(self, out: Out = None) -> np.ndarray:
        """Return the factor as a dense array, a copy that may be written to."""
        if out is None:
            return self.array.copy()
        out[:] = self.array
        return out

    def tocsr(self) -> sp.csr_array:
        """Return the factor as a new scipy CSR array, canonical."""
        return compressed(self.array, 1.0).tocsr()

    def apply(self, x: np.ndarray, out: Out = None) -> np.ndarray:
        """Return S x, for x of shape (columns of S, batch)."""
        return np.matmul(self.array, x, out=out)

    def apply_adjoint(self, x: np.ndarray) -> np.ndarray:
        """Return Sᴴ x, for x of shape (rows of S, batch)."""
        return conjugate(self.array).T @ x

    def gram(self, out: Out = None) -> np.ndarray:
        """Return S Sᴴ."""
        return np.matmul(self.array, conjugate(self.array).T, out=out)

    def gram_of_columns(self) -> np.ndarray:
        """Return Sᴴ S."""
        return conjugate(self.array).T @ self.array

    def congruent(self, gram: np.ndarray, out: Out = None) -> np.ndarray:
        """Return S G Sᴴ, where G is Hermitian."""
        return np.matmul(self.array @ gram, conjugate(self.array).T, out=out)

    def add_to(self, x: np.ndarray) -> None:
        """Add the factor to the dense array x, in place."""
        x += self.array

    def norm(self) -> float:
        """Return ‖S‖_F."""
        return frobenius_norm(self.array.reshape(-1))

    def scaled(self, number: float) -> "Dense":
        """Return number * S, where the number is real."""
        return Dense(self.array * self.array.real.dtype.type(number))

    def transposed(self) -> "Dense":
        """Return Sᵀ."""
        return Dense(np.ascontiguousarray(self.array.T))

    def adjoint(self) -> "Dense":
        """Return Sᴴ."""
        return Dense(adjoint(self.array))

    def entered(self, old: "Factor") -> int:
        """Return the number of entries that are non-zero here and zero in `old`."""
        if old.nnz == self.array.size:
            return 0
        return int(np.count_nonzero((self.array != 0) & (old.toarray() == 0)))


class Sparse:
    """A factor stored twice: in CSR form (`rows`), and its adjoint in it (`columns`).

    Products with S and with Sᴴ, and the Gram matrices, then all read along rows.
    """

    def __init__(self, shape: tuple[int, int], rows: CSR, columns: CSR) -> None:
        self.shape = shape
        self.rows = rows
        self.columns = columns

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return self.rows[0].size

    def toarray(self, out: Out = None) -> np.ndarray:
        """Return the factor as a dense array."""
        out = np.empty(self.shape, self.rows[0].dtype) if out is None else out
        out.fill(0)
        csr_add(*self.rows, out)
        return out

    def tocsr(self) -> sp.csr_array:
        """Return the factor as a new scipy CSR array, canonical but for zeros."""
        data, indices, indptr = self.rows
        indices, indptr = indices.astype(np.int32), indptr.astype(np.int32)
        return sp.csr_array((data.copy(), indices, indptr), shape=self.shape)

    def apply(self, x: np.ndarray, out: Out = None) -> np.ndarray:
        """Return S x, for x of shape (columns of S, batch)."""
        out = np.empty((self.shape[0], x.shape[1]), x.dtype) if out is None else out
        csr_apply_columns(*self.rows, x, out)
        return out

    def apply_adjoint(self, x: np.ndarray) -> np.ndarray:
        """Return Sᴴ x, for x of shape (rows of S, batch)."""
        out = np.empty((self.shape[1], x.shape[1]), x.dtype)
        csr_apply_columns(*self.columns, x, out)
        return out

    def gram(self, out: Out = None, limit: float = SCATTERED) -> np.ndarray:
        """Return S Sᴴ, computed by BLAS where the density is above `limit`."""
        p, q = self.shape
        out = np.empty((p, p), self.rows[0].dtype) if out is None else out
        if self.nnz > limit * p * q:
            array = self.toarray()
            return np.matmul(array, conjugate(array).T, out=out)
        csr_gram(*self.rows, *self.columns, out)
        return out

    def gram_of_columns(self) -> np.ndarray:
        """Return Sᴴ S."""
        out = np.empty((self.shape[1], self.shape[1]), self.rows[0].dtype)
        csr_gram(*self.columns, *self.rows, out)
        return out

    def congruent(self, gram: np.ndarray, out: Out = None) -> np.ndarray:
        """Return S G Sᴴ, where G is Hermitian."""
        return self.apply(adjoint(self.apply(gram)), out)

    def add_to(self, x: np.ndarray) -> None:
        """Add the factor to the dense array x, in place."""
        csr_add(*self.rows, x)

    def norm(self) -> float:
        """Return ‖S‖_F."""
        return frobenius_norm(self.rows[0])

    def scaled(self, number: float) -> "Sparse":
        """Return number * S, where the number is real."""
        real = self.rows[0].real.dtype.type(number)
        rows = (self.rows[0] * real, *self.rows[1:])
        return Sparse(self.shape, rows, (self.columns[0] * real, *self.columns[1:]))

    def transposed(self) -> "Sparse":
        """Return Sᵀ, which is the conjugate of the adjoint."""
        rows = (self.columns[0].conj(), *self.columns[1:])
        return Sparse(self.shape[::-1], rows, (self.rows[0].conj(), *self.rows[1:]))

    def adjoint(self) -> "Sparse":
        """Return Sᴴ."""
        return Sparse(self.shape[::-1], self.columns, self.rows)

    def entered(self, old: "Factor") -> int:
        """Return the number of entries that are non-zero here and zero in `old`."""
        if not isinstance(old, Sparse):
            return Dense(self.toarray()).entered(old)
        return csr_entered(*old.rows[1:], *self.rows[1:])


Factor: TypeAlias = Dense | Sparse


def compressed(x: np.ndarray, limit: float = DENSE) -> Factor:
    """Return x as a sparse factor, or a dense copy if its density is above `limit`."""
    nnz = count_nonzeros(x)
    if nnz > limit * x.size:
        return Dense(x.copy())
    (m, n), first = x.shape, nnz + 1  # the adjoint comes behind a place for scratch
    data, indices = np.empty(first + nnz, x.dtype), np.empty(first + nnz, np.uint32)
    indptr = np.empty(m + n + 2, np.uint32)
    places, none = (0, 0, m + 1, first), indptr[:0]
    csr_compress(x, nnz, data, indices, indptr, places, none, none)
    rows = data[:nnz], indices[:nnz], indptr[: m + 1]
    ends = indptr[m + 1 :] - np.uint32(first)
    return Sparse(x.shape, rows, (data[first:], indices[first:], ends))


def diagonal(shape: tuple[int, int], dtype: np.dtype, ones: bool) -> Factor:
    """Return the factor with ones on its diagonal, or the zero one.

    It is made without kernels, which a first call would have to compile.
    """
    m, n = shape
    nnz = min(m, n) if ones else 0
    if nnz > DENSE * m * n:
        return Dense(np.eye(m, n, dtype=dtype))
    places = np.arange(nnz, dtype=np.uint32)
    ends = np.minimum(np.arange(max(m, n) + 1), nnz).astype(np.uint32)
    rows, columns = (
        (np.ones(nnz, dtype), places, ends[: length + 1]) for length in shape
    )
    return Sparse((m, n), rows, columns)


def conjugate(x: np.ndarray) -> np.ndarray:
    """Return the complex conjugate, which of a real array is that array itself."""
    return x.conj() if x.dtype.kind == "c" else x


def adjoint(x: np.ndarray, out: Out = None) -> np.ndarray:
    """Return xᴴ as a C-contiguous array."""
    out = np.empty(x.shape[::-1], x.dtype) if out is None else out
    adjoint_copy(x, out)
    return out
