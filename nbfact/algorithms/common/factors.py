"""One factor as the algorithms hold it: sparse by rows and by columns, or dense.

Both kinds are immutable and share their methods. All arrays are C-contiguous.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from ...kernels import (
    PackedChain,
    adjoint_copy,
    chain_norm,
    count_nonzeros,
    csr_add,
    csr_apply_columns,
    csr_compress,
    csr_congruent,
    csr_entered,
    csr_gram,
    frobenius_norm,
    spectral_norm,
)

# Densities above which BLAS is faster: S x crosses at 0.42, 0.34 and 0.24 for n = 64,
# 512 and 1024 (0.11 for 204x8193, whose x leaves the caches), S Sᴴ at 0.26, 0.21 and
# 0.2, in float64 on Zen 4, one thread: `nbfact study crossover`.
DENSE = 0.3
GRAM = 0.2

# Bytes of a row of a tile, and of a whole one: of rows of 128, 256 and 512 bytes, these
# are the fastest at n = 512 (`nbfact bench -k "hierarchical n=512"`).
_TILE_ROW, _TILE = 256, 1 << 18

# Power iteration: at most this many steps, or a relative change below the tolerance.
# Over 200 sweeps of the 500x32 and 64x64 cases of FAµST, tolerances from 1e-12 to 1e-6
# give the same errors to four digits, 1e-4 does not (0.3301 becomes 0.3328).
_NORM_STEPS, _NORM_TOL = 300, 1e-6

CSR = tuple[np.ndarray, np.ndarray, np.ndarray]
Out = np.ndarray | None


class Dense:
    """A factor stored entry by entry."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape = array.shape

    @property
    def nnz(self) -> int:
        """Entries that are not zero."""
        return count_nonzeros(self.array)

    def toarray(self, out: Out = None) -> np.ndarray:
        """Return the factor as a dense array, not its own."""
        if out is None:
            return self.array.copy()
        out[:] = self.array
        return out

    def tocsr(self) -> sp.csr_array:
        """Return the factor as scipy has it."""
        return sp.csr_array(self.array)

    def apply(self, x: np.ndarray, out: Out = None) -> np.ndarray:
        """Return S x."""
        return np.matmul(self.array, x, out=out)

    def apply_adjoint(self, x: np.ndarray) -> np.ndarray:
        """Return Sᴴ x."""
        return self.array.conj().T @ x

    def gram(self, out: Out = None) -> np.ndarray:
        """Return S Sᴴ."""
        return np.matmul(self.array, self.array.conj().T, out=out)

    def gram_of_columns(self) -> np.ndarray:
        """Return Sᴴ S."""
        return self.array.conj().T @ self.array

    def congruent(
        self, gram: np.ndarray, scratch: Out = None, out: Out = None
    ) -> np.ndarray:
        """Return S G Sᴴ, for G Hermitian."""
        return np.matmul(self.array @ gram, self.array.conj().T, out=out)

    def add_to(self, x: np.ndarray) -> None:
        """Add the factor to x, in place."""
        x += self.array

    def norm(self) -> float:
        """Return ‖S‖_F."""
        return frobenius_norm(self.array)

    def scaled(self, number: float) -> "Dense":
        """Return number * S."""
        return Dense(self.array * self.array.real.dtype.type(number))

    def transposed(self) -> "Dense":
        """Return Sᵀ."""
        return Dense(np.ascontiguousarray(self.array.T))

    def adjoint(self) -> "Dense":
        """Return Sᴴ."""
        return Dense(adjoint(self.array))

    def entered(self, old: "Factor") -> int:
        """Return how many entries are non-zero and were zero in old."""
        return int(np.count_nonzero((self.array != 0) & (old.toarray() == 0)))


class Sparse:
    """A factor in CSR form, and its adjoint in CSR form."""

    def __init__(self, shape: tuple[int, int], rows: CSR, columns: CSR) -> None:
        self.shape = shape
        self.rows = rows
        self.columns = columns

    @property
    def nnz(self) -> int:
        """Stored entries."""
        return self.rows[0].size

    def toarray(self, out: Out = None) -> np.ndarray:
        """Return the factor as a dense array."""
        out = np.empty(self.shape, self.rows[0].dtype) if out is None else out
        out.fill(0)
        csr_add(*self.rows, out)
        return out

    def tocsr(self) -> sp.csr_array:
        """Return the factor as scipy has it, without copying the values."""
        data, indices, indptr = self.rows
        indices, indptr = indices.astype(np.int32), indptr.astype(np.int32)
        return sp.csr_array((data, indices, indptr), shape=self.shape)

    def apply(self, x: np.ndarray, out: Out = None) -> np.ndarray:
        """Return S x."""
        out = np.empty((self.shape[0], x.shape[1]), x.dtype) if out is None else out
        csr_apply_columns(*self.rows, x, out)
        return out

    def apply_adjoint(self, x: np.ndarray) -> np.ndarray:
        """Return Sᴴ x."""
        out = np.empty((self.shape[1], x.shape[1]), x.dtype)
        csr_apply_columns(*self.columns, x, out)
        return out

    def gram(self, out: Out = None, limit: float = GRAM) -> np.ndarray:
        """Return S Sᴴ, by BLAS where the density is above the limit."""
        p, q = self.shape
        out = np.empty((p, p), self.rows[0].dtype) if out is None else out
        if self.nnz > limit * p * q:
            array = self.toarray()
            return np.matmul(array, array.conj().T, out=out)
        csr_gram(*self.rows, *self.columns, out)
        return out

    def gram_of_columns(self) -> np.ndarray:
        """Return Sᴴ S."""
        out = np.empty((self.shape[1], self.shape[1]), self.rows[0].dtype)
        csr_gram(*self.columns, *self.rows, out)
        return out

    def congruent(
        self, gram: np.ndarray, scratch: Out = None, out: Out = None
    ) -> np.ndarray:
        """Return S G Sᴴ, for G Hermitian."""
        p, q = self.shape
        scratch = np.empty((2, p * q), gram.dtype) if scratch is None else scratch
        out = np.empty((p, p), gram.dtype) if out is None else out
        csr_congruent(*self.rows, gram, scratch, out)
        return out

    def add_to(self, x: np.ndarray) -> None:
        """Add the factor to x, in place."""
        csr_add(*self.rows, x)

    def norm(self) -> float:
        """Return ‖S‖_F."""
        return frobenius_norm(self.rows[0])

    def scaled(self, number: float) -> "Sparse":
        """Return number * S."""
        real = self.rows[0].real.dtype.type(number)
        rows = (self.rows[0] * real, *self.rows[1:])
        return Sparse(self.shape, rows, (self.columns[0] * real, *self.columns[1:]))

    def transposed(self) -> "Sparse":
        """Return Sᵀ: the conjugate of the adjoint."""
        rows = (self.columns[0].conj(), *self.columns[1:])
        return Sparse(self.shape[::-1], rows, (self.rows[0].conj(), *self.rows[1:]))

    def adjoint(self) -> "Sparse":
        """Return Sᴴ."""
        return Sparse(self.shape[::-1], self.columns, self.rows)

    def entered(self, old: "Factor") -> int:
        """Return how many entries are non-zero and were zero in old."""
        if not isinstance(old, Sparse):
            return Dense(self.toarray()).entered(old)
        return csr_entered(*old.rows[1:], *self.rows[1:])


Factor = Dense | Sparse


def compressed(x: np.ndarray, limit: float = DENSE) -> Factor:
    """Return x as a factor: sparse, or a copy if its density is above the limit."""
    nnz = count_nonzeros(x)
    if nnz > limit * x.size:
        return Dense(x.copy())
    m, n = x.shape
    data, indices = np.empty(nnz + 1, x.dtype), np.empty(nnz + 1, np.uint32)
    indptr = np.empty(m + 1, np.uint32)
    columns = (
        np.empty(nnz, x.dtype), np.empty(nnz, np.uint32), np.empty(n + 1, np.uint32)
    )  # fmt: skip
    csr_compress(x, data, indices, indptr, *columns)
    return Sparse(x.shape, (data[:nnz], indices[:nnz], indptr), columns)


def adjoint(x: np.ndarray, out: Out = None) -> np.ndarray:
    """Return xᴴ, C-contiguous."""
    out = np.empty(x.shape[::-1], x.dtype) if out is None else out
    adjoint_copy(x, out)
    return out


class PackedFactors:
    """The sparse factors of a product, packed for the kernels of `nbfact.kernels.palm_steps`.

    ``chain`` holds data, indices, indptr and layout of the factors, followed by those
    of their adjoints.
    """

    def __init__(self, factors: Sequence[Sparse], dtype: np.dtype) -> None:
        self.length = len(factors)
        forms = [factor.rows for factor in factors]
        forms += [factor.columns for factor in factors]
        self.chain = PackedChain(*_packed(forms, dtype))

    def norm(
        self, first: int, last: int, vector: np.ndarray, steps: int = _NORM_STEPS
    ) -> float:
        """Return ‖S[first] ... S[last - 1]‖₂, starting from vector."""
        largest = self.chain.layout[:, 0].max()
        scratch = np.empty((2, largest), vector.dtype)
        return chain_norm(self.chain, first, last, vector, scratch, steps, _NORM_TOL)


def tile_scratch(rows: int, dtype: np.dtype) -> np.ndarray:
    """Return the scratch of `chain_gradient`: two tiles of columns of so many rows."""
    width = min(_TILE_ROW // dtype.itemsize, _TILE // (dtype.itemsize * rows))
    return np.empty((2, rows, max(8, width)), dtype)


def dense_norm(x: np.ndarray, vector: np.ndarray, steps: int = _NORM_STEPS) -> float:
    """Return ‖x‖₂, starting from vector."""
    return spectral_norm(x, vector, steps, _NORM_TOL)


def _packed(forms, dtype):
    """Concatenate CSR forms; return data, indices, indptr and the layout."""
    if not forms:
        nothing = np.empty(0, np.uint32)
        layout = np.empty((0, 4), np.int64)
        return np.empty(0, dtype), nothing, nothing, layout
    layout = np.zeros((len(forms), 4), np.int64)
    pointers = []
    first = first_row = 0
    for j, (data, _, indptr) in enumerate(forms):
        rows = indptr.size - 1
        layout[j] = rows, 0, first, first_row
        pointers.append(indptr + np.uint32(first) if first else indptr)
        first += data.size
        first_row += rows + 1
    data, indices, _ = zip(*forms, strict=True)
    return *map(np.concatenate, (data, indices, pointers)), layout
