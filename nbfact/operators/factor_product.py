"""FactorProduct: scale * S[0] @ S[1] @ ... @ S[J-1], applied factor by factor."""

import itertools
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._core.dtypes import common_dtype, real_dtype
from ..kernels import chain_apply, chain_apply_columns
from .fast_operator import FastOperator
from .operator_files import write_factors

# Rows with the same number of entries, at most this many, are stored slot by slot.
MAX_SLOTS = 16
# Columns that go through all factors together: past it, a block no longer gains.
TILE = 256


class FactorProduct(FastOperator):
    """Product of sparse factors, a scipy LinearOperator.

    Parameters
    ----------
    factors : sequence of array_like or scipy sparse
        S[0], ..., S[J-1], at least one, of shapes that chain: S[0] is (m, .), S[-1]
        is (., n). Real or complex, finite; stored as CSR without explicit zeros.
    scale : float, default 1.0
        The scalar λ, finite in the dtype of the factors. A complex scale is
        multiplied into the smallest factor.

    Attributes
    ----------
    factors : list of scipy.sparse.csr_array
    scale : float
    shape, dtype, nnz, rcg, density
        See `FastOperator`; dtype is the promotion of the factors' (integers: float64).

    Raises
    ------
    TypeError
        Factors that are not numeric, or a scale that is not a number.
    ValueError
        No factor, shapes that do not chain, NaN or infinity, an empty dimension.

    Notes
    -----
    ``F @ x`` costs `nnz` multiplications a column and allocates two buffers. float32
    stays float32 and complex64 complex64; other dtypes promote as in NumPy.
    ``+``, ``-``, ``@`` with another FactorProduct and ``* number`` give FactorProducts;
    so do ``.T`` and ``.H``.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP, 2016 (the name there: FAμST).

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> butterfly = [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, -1, 0], [0, 1, 0, -1]]
    >>> pairs = [[1, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 1], [0, 0, 1, -1]]
    >>> F = nf.FactorProduct([butterfly, pairs], scale=0.5)
    >>> F @ np.ones(4)
    array([2., 0., 0., 0.])
    >>> F.nnz, F.rcg
    (16, 1.0)
    """

    def __init__(self, factors: Sequence[Any], scale: complex = 1.0) -> None:
        if not isinstance(scale, numbers.Number) or isinstance(scale, bool):
            raise TypeError(f"scale must be a number, got {scale!r}")
        if len(factors) == 0:
            raise ValueError("factors is empty: a product needs at least one factor")
        matrices = [
            _as_csr(factor, f"factors[{j}]") for j, factor in enumerate(factors)
        ]
        for j, (left, right) in enumerate(itertools.pairwise(matrices)):
            if left.shape[1] != right.shape[0]:
                raise ValueError(
                    f"shapes do not chain: factors[{j}] is {left.shape}, "
                    f"factors[{j + 1}] is {right.shape}"
                )
        if isinstance(scale, numbers.Complex) and not isinstance(scale, numbers.Real):
            smallest = min(range(len(matrices)), key=lambda j: matrices[j].nnz)
            matrices[smallest] = _as_csr(matrices[smallest] * complex(scale), "scale")
            scale = 1.0
        dtype = common_dtype(*(matrix.dtype for matrix in matrices))
        with np.errstate(over="ignore"):
            if not np.isfinite(np.real(dtype.type(scale))):
                raise ValueError(f"scale must be finite in {dtype}, got {scale!r}")
        shape = (matrices[0].shape[0], matrices[-1].shape[1])
        super().__init__(dtype, shape)
        self.factors = [matrix.astype(dtype, copy=False) for matrix in matrices]
        self.scale = float(scale)
        self.nnz = sum(matrix.nnz for matrix in self.factors)
        self._packed = {}
        self._adjoints = {}

    def __getstate__(self) -> dict:
        return {**super().__getstate__(), "_packed": {}, "_adjoints": {}}

    def _run(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Call a kernel; x: (n,) or (n, batch) of dtype, C-contiguous, not empty."""
        if dtype not in self._packed:
            chain = _pack(self.factors, dtype)
            rows = max(factor.shape[0] for factor in self.factors)
            self._packed[dtype] = (chain, real_dtype(dtype).type(self.scale), rows)
        chain, scale, rows = self._packed[dtype]
        out = np.empty((self.shape[0], *x.shape[1:]), dtype)
        if x.ndim == 1 or x.shape[1] == 1:
            scratch = np.empty((2, rows), dtype)
            chain_apply(*chain, scale, x.reshape(-1), scratch, out.reshape(-1))
        else:
            scratch = np.empty((2, rows, min(TILE, x.shape[1])), dtype)
            chain_apply_columns(*chain, scale, x, scratch, out)
        return out

    def _transpose(self) -> "FactorProduct":
        return self._reversed("T", lambda factor: factor.T)

    def _adjoint(self) -> "FactorProduct":
        if self.dtype.kind != "c":
            return self._transpose()
        return self._reversed("H", lambda factor: factor.T.conj())

    def _reversed(self, name, turn):
        """Product of the turned factors in reverse order, built once."""
        if name not in self._adjoints:
            factors = [turn(factor) for factor in reversed(self.factors)]
            self._adjoints[name] = FactorProduct(factors, self.scale)
        return self._adjoints[name]

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, FactorProduct):
            if self.shape[1] != other.shape[0]:
                raise ValueError(
                    f"shapes do not chain: {self.shape} @ {other.shape}, "
                    f"{self.shape[1]} is not {other.shape[0]}"
                )
            return FactorProduct(self.factors + other.factors, self.scale * other.scale)
        return super().__matmul__(other)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, numbers.Number):
            return FactorProduct(self.factors, self.scale * other)
        return self @ other

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, FactorProduct):
            return super().__add__(other)
        if self.shape != other.shape:
            raise ValueError(f"shapes differ: {self.shape} + {other.shape}")
        return _stacked(self, other)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __repr__(self) -> str:
        m, n = self.shape
        lines = [
            f"FactorProduct {m}x{n}, {self.dtype}, {len(self.factors)} factors, "
            f"nnz {self.nnz}, density {self.density:.3g}, rcg {self.rcg:.4g}, "
            f"scale {self.scale:.6g}"
        ]
        for j, factor in enumerate(self.factors):
            rows, columns = factor.shape
            density = factor.nnz / (rows * columns)
            lines.append(
                f"  {j}: {rows}x{columns}, nnz {factor.nnz}, density {density:.3g}"
            )
        return "\n".join(lines)

    def save(self, path: Any) -> None:
        """Write the operator to `path`, whole or not at all; see `nbfact.load`.

        Parameters
        ----------
        path : str or path-like
            ``.npz``: nbfact's own format. ``.mat``: the factor list of FAμST
            (``faust_factors``), the scale multiplied into the first factor.

        Raises
        ------
        ValueError
            For another suffix.
        OSError
            When the file can not be written.
        """
        write_factors(self.factors, self.scale, path)


def _as_csr(factor, name):
    """Return a new canonical CSR array of a supported dtype, or raise."""
    if not sp.issparse(factor):
        factor = np.asarray(factor)
    dtype = common_dtype(factor.dtype)
    if factor.ndim != 2 or 0 in factor.shape:
        raise ValueError(
            f"{name} must be a matrix that is not empty, got {factor.shape}"
        )
    matrix = sp.csr_array(factor, dtype=dtype)
    try:  # a kernel must never follow an index out of bounds
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(f"{name} is not a valid sparse matrix: {error}") from None
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"{name} contains NaN or infinity")
    matrix = matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _pack(factors, dtype):
    """Pack factors for `nbfact.kernels.chain_apply`, first applied first."""
    data, indices, indptr, layout = [], [], [np.zeros(0, np.int64)], []
    first = first_row = 0
    for factor in reversed(factors):
        rows = factor.shape[0]
        counts = np.diff(factor.indptr)
        slots = int(counts[0])
        if 0 < slots <= MAX_SLOTS and (counts == slots).all():
            data.append(factor.data.reshape(rows, slots).T.ravel())
            indices.append(factor.indices.reshape(rows, slots).T.ravel())
            layout.append((rows, slots, first, 0))
        else:
            data.append(factor.data)
            indices.append(factor.indices)
            indptr.append(factor.indptr.astype(np.int64) + first)
            layout.append((rows, 0, first, first_row))
            first_row += rows + 1
        first += factor.nnz
    unsigned = np.uint32 if first < 2**32 else np.uint64
    return (
        np.concatenate(data).astype(dtype),
        np.concatenate(indices).astype(unsigned),
        np.concatenate(indptr).astype(unsigned),
        np.array(layout, np.int64),
    )


def _stacked(left, right):
    """Return left + right as [L0 R0] diag(L1, R1) ... [LJ; RJ]."""
    n_factors = max(len(left.factors), len(right.factors), 2)
    padded = []
    for operator in (left, right):
        first, *rest = operator.factors
        identity = sp.eye_array(operator.shape[1], format="csr", dtype=operator.dtype)
        missing = n_factors - 1 - len(rest)
        padded.append([first * operator.scale, *rest, *[identity] * missing])
    pairs = list(zip(*padded, strict=True))
    middle = [sp.block_diag(pair, format="csr") for pair in pairs[1:-1]]
    return FactorProduct([sp.hstack(pairs[0]), *middle, sp.vstack(pairs[-1])])
