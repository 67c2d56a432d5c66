"""FactorProduct: the operator scale * S[0] @ S[1] @ ... @ S[J-1] of sparse factors."""

import itertools
import numbers
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import scipy.sparse as sp

from .._core.array_checks import check_matrix
from .._core.dtypes import common_dtype, real_dtype
from .._core.threads import current, share, shared_from
from ..kernels import PackedChain, chain_apply, chain_apply_columns
from ..kernels.csr import apply_chain_tiles
from .algebra import Algebra, is_number, maker
from .factor_inverse import inverse_factor
from .fast_operator import FastOperator
from .linear_operator import NotAnArray
from .operator_files import Saved, saved_factors

MAX_SLOTS = 16
"""Largest number of entries per row of a factor that is stored slot by slot (the first
entry of each row, then the second one, ...); all rows must have the same number."""
TILE = 256
"""Largest number of columns that go through all factors together, because a larger tile
is no faster."""


class FactorProduct(FastOperator):
    """The product of sparse factors, scale * S[0] @ ... @ S[J-1], as an operator.

    It is a `scipy.sparse.linalg.LinearOperator` that multiplies factor by factor.

    Parameters
    ----------
    factors : sequence of array_like or scipy sparse array
        The factors S[0], ..., S[J-1] from left to right, at least one: real or complex,
        finite. Their shapes must chain: S[0] has m rows, S[-1] has n columns, and each
        factor has as many columns as the next one has rows. They are copied and stored
        as CSR arrays without explicit zeros.
    scale : float, default 1.0
        The scalar λ, finite in the dtype of the factors. A complex scale is multiplied
        into the factor with the fewest entries.

    Attributes
    ----------
    factors : tuple of scipy.sparse.csr_array
        Their arrays are read-only.
    scale : float
    shape, dtype, nnz, rcg, density
        See `FastOperator`. The dtype is the promotion of those of the factors, where
        integers count as float64; `nnz` is the number of entries of all factors.

    Raises
    ------
    TypeError
        When a factor does not hold numbers, or the scale is not a number.
    ValueError
        When there is no factor, when shapes do not chain or a dimension is 0, or when a
        factor or the scale is not finite.

    See Also
    --------
    Butterfly : The factors have regular supports, so that a product takes less time.
    nbfact.load : Read what the method `save` wrote.

    Notes
    -----
    ``F @ x`` costs `nnz` multiplications per column of x and allocates two buffers. The
    result is float32 when operator and x are float32, and complex64 when they are
    complex64; other dtypes promote as in NumPy. The results of ``+``, ``-`` and ``@``
    with another FactorProduct, of ``* number``, ``.T``, ``.H``, ``.conj()`` and
    ``[rows, columns]`` are FactorProducts.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multilayer sparse approximations of
    matrices and applications, IEEE JSTSP, 2016. Such a product is called FAμST there.

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
        if not is_number(scale) or isinstance(scale, bool):
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
        real_scale = complex(scale).real
        if isinstance(scale, numbers.Complex) and not isinstance(scale, numbers.Real):
            smallest = min(range(len(matrices)), key=lambda j: matrices[j].nnz)
            matrices[smallest] = _as_csr(matrices[smallest] * complex(scale), "scale")
            real_scale = 1.0
        dtype = common_dtype(*(matrix.dtype for matrix in matrices))
        with np.errstate(over="ignore"):
            if not np.isfinite(real_dtype(dtype).type(real_scale)):
                raise ValueError(f"scale must be finite in {dtype}, got {scale!r}")
        shape = (matrices[0].shape[0], matrices[-1].shape[1])
        super().__init__(dtype, shape)
        self.factors = tuple(matrix.astype(dtype, copy=False) for matrix in matrices)
        self.scale = real_scale
        self.nnz = sum(matrix.nnz for matrix in self.factors)
        self._forget()

    _owned = ("factors",)
    _made = ("_packed", "_adjoints")

    def _forget(self) -> None:
        """Start without the packed factors and the adjoints, made when first used."""
        # By dtype: the packed factors, the scale, the largest number of rows, and the
        # number of columns from which threads may share a product.
        self._packed: dict[np.dtype, tuple[_Packed, Any, int, float]] = {}
        self._adjoints: dict[str, FactorProduct] = {}

    def _run(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        if dtype not in self._packed:
            chain = _pack(self.factors, dtype)
            rows = max(factor.shape[0] for factor in self.factors)
            wide = shared_from(self.nnz * dtype.itemsize)
            self._packed[dtype] = chain, real_dtype(dtype).type(self.scale), rows, wide
        chain, scale, rows, wide = self._packed[dtype]
        out = np.empty((self.shape[0], *x.shape[1:]), dtype)
        if x.ndim == 1 or x.shape[1] == 1:
            scratch = np.empty((2, rows), dtype)
            chain_apply(*chain, scale, x.reshape(-1), scratch, out.reshape(-1))
        else:
            if x.shape[1] < wide or current() == 1:
                scratch = np.empty((2, rows, min(TILE, x.shape[1])), dtype)
                chain_apply_columns(*chain, scale, x, scratch, out)
            else:
                self._share(PackedChain(*chain), scale, x, rows, out)
        return out

    def _share(self, chain, scale, x, rows, out):
        """Multiply many columns on threads."""

        def multiply(begin, end):
            apply_chain_tiles(chain, scale, x, spare.pop(), out, begin, end)

        # Made here, because new memory is slower in the threads that help.
        shape, count = (2, rows, min(TILE, x.shape[1])), current()
        spare = [np.empty(shape, x.dtype) for _ in range(count)]
        share(self.nnz * x.itemsize, x.shape[1], multiply)

    def _transpose(self) -> "FactorProduct":
        return self._reversed("T", lambda factor: factor.T)

    def _adjoint(self) -> "FactorProduct":
        if self.dtype.kind != "c":
            return self._transpose()
        return self._reversed("H", lambda factor: factor.T.conj())

    def _reversed(self, name, turn):
        """Return the product of the turned factors in reverse order, made once."""
        if name not in self._adjoints:
            factors = [turn(factor) for factor in reversed(self.factors)]
            self._adjoints[name] = FactorProduct(factors, self.scale)
        return self._adjoints[name]

    # mypy refuses a variant that narrows one of the base class (FactorProduct is one of
    # NotAnArray), although its result, FactorProduct, narrows the result of that one.
    @overload  # type: ignore[override]
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...
    @overload
    def __matmul__(self, other: "FactorProduct") -> "FactorProduct": ...
    @overload
    def __matmul__(self, other: NotAnArray) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        return super().__matmul__(other)

    def _joined(self, other: Algebra) -> "FactorProduct | None":
        if not isinstance(other, FactorProduct):
            return None
        return FactorProduct(self.factors + other.factors, self.scale * other.scale)

    def _scaled(self, number: Any) -> "FactorProduct":
        return FactorProduct(self.factors, self.scale * number)

    def _added(self, other: Algebra) -> "FactorProduct | None":
        if not isinstance(other, FactorProduct):
            return None
        return stacked([self, other], [0, 0], [0, 0], self.shape, least=2)

    def _conjugate(self) -> "FactorProduct":
        return FactorProduct([factor.conj() for factor in self.factors], self.scale)

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "FactorProduct":
        factors = list(self.factors)
        if rows is not None:
            factors[0] = factors[0][rows]
        if columns is not None:
            factors[-1] = factors[-1][:, columns]
        return FactorProduct(factors, self.scale)

    def _inverted(self) -> "FactorProduct":
        if self.scale == 0:
            raise ValueError("the scale is 0: the operator is singular")
        pairs = list(enumerate(self.factors))
        factors = [inverse_factor(factor, f"factor {j}") for j, factor in pairs[::-1]]
        return FactorProduct(factors, 1 / self.scale)

    def _columns_weighted(self, weights: np.ndarray) -> "FactorProduct":
        *others, last = self.factors
        return FactorProduct([*others, last * weights], self.scale)

    def to_factors(self) -> "FactorProduct":
        """Return the operator itself, which is a product of sparse factors."""
        return self

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

    def _saved(self) -> Saved:
        return saved_factors(self.factors, self.scale)


@maker("sparse")
def sparse_operator(matrix: Any) -> FactorProduct:
    """Return a sparse array as the operator of one factor."""
    return FactorProduct([matrix])


def _as_csr(factor, name):
    """Return a factor as a new canonical CSR array of a supported dtype, or raise."""
    if not sp.issparse(factor):
        factor = np.asarray(factor)
    dtype = common_dtype(factor.dtype)
    check_matrix(name, factor.shape)
    matrix = sp.csr_array(factor, dtype=dtype)
    try:  # an index out of bounds would let a kernel read or write anywhere
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(f"{name} is not a valid sparse matrix: {error}") from None
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"{name} contains NaN or infinity")
    matrix = matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


_Packed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""What `nbfact.kernels.chain_apply` takes of factors: data, indices, indptr, layout."""


def _pack(factors: Sequence[sp.csr_array], dtype: np.dtype) -> _Packed:
    """Return the factors as `nbfact.kernels.chain_apply` takes them.

    The factor that is applied first, the rightmost one, comes first.
    """
    data: list[np.ndarray] = []
    indices: list[np.ndarray] = []
    indptr, layout = [np.zeros(0, np.int64)], []
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


def stacked(
    products: Sequence[FactorProduct],
    row_starts: Sequence[int],
    column_starts: Sequence[int],
    shape: tuple[int, int],
    *,
    least: int = 1,
) -> FactorProduct:
    """Return the sum of products, each at its place in a larger matrix, as one product.

    Parameters
    ----------
    products : sequence of FactorProduct
        Operators of any shapes. Identities are appended to those with fewer factors.
    row_starts, column_starts : sequence of int
        The first row, and the first column, of the place of each operator.
    shape : (int, int)
        Shape of the whole.
    least : int
        Least number of factors of the result: 2 when places overlap, so that all
        entries stay apart.

    Returns
    -------
    FactorProduct
        The product [L0 R0] diag(L1, R1) ... [LJ; RJ] for the sum of two operators L, R.
    """
    n_factors = max(least, *(len(one.factors) for one in products))
    padded = []
    for one in products:
        first, *rest = one.factors
        identity = sp.eye_array(one.shape[1], format="csr", dtype=one.dtype)
        missing = n_factors - 1 - len(rest)
        padded.append([first * one.scale, *rest, *[identity] * missing])
    groups = list(zip(*padded, strict=True))
    ends = [shape[0], *(sum(f.shape[1] for f in group) for group in groups[:-1])]
    factors, tops = [], row_starts
    for number, group in enumerate(groups):
        widths = [0, *(factor.shape[1] for factor in group)]
        lefts, width = list(itertools.accumulate(widths))[:-1], sum(widths)
        if number == n_factors - 1:
            lefts, width = list(column_starts), shape[1]
        factors.append(_placed(group, tops, lefts, (ends[number], width)))
        tops = lefts
    return FactorProduct(factors)


def _placed(matrices, tops, lefts, shape):
    """Return a sparse array of matrices that start at some rows and columns."""
    parts = [matrix.tocoo() for matrix in matrices]
    rows = [part.row + top for part, top in zip(parts, tops, strict=True)]
    columns = [part.col + left for part, left in zip(parts, lefts, strict=True)]
    data = np.concatenate([part.data for part in parts])
    places = (np.concatenate(rows), np.concatenate(columns))
    return sp.coo_array((data, places), shape=shape)
