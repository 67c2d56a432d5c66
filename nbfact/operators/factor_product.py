"""FactorProduct: the operator scale * S[0] @ S[1] @ ... @ S[J-1] of sparse factors."""

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import scipy.sparse as sp

from .._core.array_checks import check_matrix, matrix_of
from .._core.checks import sequence, shown
from .._core.dtypes import common_dtype, real_dtype
from ..kernels.sparse_chain import LEAST_BYTES
from .algebra import finite_number, is_number, maker
from .factor_inverse import inverse_factor
from .linear_operator import NotAnArray
from .multiplied_out import multiplied_out
from .operator_files import Saved, saved_factors
from .planned_operator import PlannedOperator
from .row_calls import turned_cost
from .sparse_multipliers import (
    FactorSizes,
    columns_multiplier,
    product_cost,
    sizes_of,
    vector_multiplier,
)
from .sparse_plan import merged

GATHERED = 1.5
"""How many times as long several single vectors take as is expected of a Zen 4, where
entries are gathered slowly: on processors of Intel."""


class FactorProduct(PlannedOperator):
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
    By its factors, ``F @ x`` costs at most `nnz` multiplications per column of x.
    Adjacent factors are multiplied out for it where their product costs less; the
    operator keeps both. The result is float32 when operator and x are float32, and
    complex64 when they are complex64; other dtypes promote as in NumPy. The results of
    ``+``, ``-`` and ``@`` with another FactorProduct, of ``* number``, ``.T``, ``.H``,
    ``.conj()`` and ``[rows, columns]`` are FactorProducts.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP, 2016 [lemagoarou2016]. Such a product is
    called FAμST there.

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
            raise TypeError(f"scale must be a number, got {shown(scale)}")
        scale = finite_number("scale", scale)
        listed = sequence("factors", factors, "matrices", 1)
        matrices = [_as_csr(factor, f"factors[{j}]") for j, factor in enumerate(listed)]
        for j, (left, right) in enumerate(itertools.pairwise(matrices)):
            if left.shape[1] != right.shape[0]:
                raise ValueError(
                    f"shapes do not chain: factors[{j}] is {left.shape}, "
                    f"factors[{j + 1}] is {right.shape}"
                )
        real_scale = scale.real
        if isinstance(scale, complex):
            smallest = min(range(len(matrices)), key=lambda j: matrices[j].nnz)
            matrices[smallest] = _as_csr(matrices[smallest] * scale, "scale")
            real_scale = 1.0
        dtype = common_dtype(*(matrix.dtype for matrix in matrices))
        with np.errstate(over="ignore"):
            if not np.isfinite(real_dtype(dtype).type(real_scale)):
                raise ValueError(f"scale must be finite in {dtype}, got {scale!r}")
        shape = (matrices[0].shape[0], matrices[-1].shape[1])
        super().__init__(dtype, shape)
        self._factors = tuple(matrix.astype(dtype, copy=False) for matrix in matrices)
        self.scale = real_scale
        self.nnz = sum(matrix.nnz for matrix in matrices)

    def _of_canonical(self, factors, scale):
        """Become the product of factors that `canonical_product` has been given."""
        shape = (factors[0].shape[0], factors[-1].shape[1])
        PlannedOperator.__init__(self, factors[0].dtype, shape)
        nnz = sum(len(factor.data) for factor in factors)
        self.__dict__.update(_factors=factors, scale=scale, nnz=nnz)
        self._seal()
        return self

    @property
    def factors(self) -> tuple[sp.csr_array, ...]:
        """The factors from left to right: new CSR arrays of the same data each time.

        To set an attribute of one, such as its `data`, does not change the operator.
        """
        return tuple(copy.copy(factor) for factor in self._factors)

    _owned = ("_factors",)
    _by_factors = True
    _made = (
        *PlannedOperator._made, "_merged", "_sizes", "_vectors", "_columns"
    )  # fmt: skip

    def _forget(self) -> None:
        """Start without the packed factors, made when first used."""
        super()._forget()
        # By dtype, the factors of a product, their sizes, and the functions that
        # multiply a vector or columns by them.
        self._merged: dict[np.dtype, list[sp.csr_array]] = {}
        self._sizes: dict[np.dtype, FactorSizes] = {}
        self._vectors: dict[np.dtype, Callable] = {}
        self._columns: dict[np.dtype, Callable] = {}

    def _dense(self) -> np.ndarray:
        """Let SciPy multiply: to plan a product for one call would cost more."""
        *others, last = self._factors
        found = last.toarray()
        for factor in reversed(others):
            found = factor @ found
        return self._times_scale(found)

    def _dense_and_wide(self) -> np.ndarray:
        """Return the dense matrix, multiplied from the left."""
        first, *others = self._factors
        found = first.toarray()
        for factor in others:
            found = found @ factor
        return self._times_scale(found)

    def _times_scale(self, found: np.ndarray) -> np.ndarray:
        """Return a dense product of the factors in the dtype of the operator."""
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(self.scale * found, dtype=self.dtype)

    # mypy refuses a variant that narrows one of the base class (FactorProduct is one of
    # NotAnArray), although its result narrows the result of that one.
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def __matmul__(self, other: np.ndarray) -> np.ndarray: ...
        @overload
        def __matmul__(self, other: "FactorProduct") -> "FactorProduct": ...
        @overload
        def __matmul__(self, other: NotAnArray) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that kernels are expected to take, in nanoseconds."""
        found = product_cost(self._sizes_for(dtype), dtype, batch)
        return found + turned_cost(self.shape, dtype, batch) if rows else found

    def _alone_cost(self, dtype, batch, rows):
        return GATHERED * super()._alone_cost(dtype, batch, rows)

    def _sizes_for(self, dtype: np.dtype) -> FactorSizes:
        """Return the numbers of the planned factors of a dtype, counted only once."""
        if dtype not in self._sizes:
            self._sizes[dtype] = sizes_of(self._factors_for(dtype), dtype)
        return self._sizes[dtype]

    def _matrix(self, dtype: np.dtype) -> np.ndarray | None:
        return multiplied_out(self._factors, self.scale, dtype)

    def _multiplier(self, dtype, shape):
        batch = shape[1] if len(shape) == 2 else 1
        if batch > 1 and batch * dtype.itemsize >= LEAST_BYTES:
            if dtype not in self._columns:
                plan = self._factors_for(dtype)
                self._columns[dtype] = columns_multiplier(plan, self.scale, dtype)
            return self._columns[dtype]
        if dtype not in self._vectors:
            plan = self._factors_for(dtype)
            self._vectors[dtype] = vector_multiplier(
                plan, self.scale, dtype, self._sizes_for(dtype)
            )
        vector, rows = self._vectors[dtype], self.shape[0]
        if len(shape) == 1:
            return vector

        def one_by_one(x, out=None):
            out = np.empty((rows, batch), dtype) if out is None else out
            for j in range(batch):
                out[:, j] = vector(x[:, j].copy())
            return out

        return one_by_one

    def _factors_for(self, dtype: np.dtype) -> list[sp.csr_array]:
        """Return what a product of a dtype multiplies by, planned only once."""
        if dtype not in self._merged:
            self._merged[dtype] = merged(self._factors, dtype)
        return self._merged[dtype]

    def _reversed(self, name: str) -> "FactorProduct":
        turned = (factor.T for factor in reversed(self._factors))
        factors = [factor.conj() if name == "H" else factor for factor in turned]
        return FactorProduct(factors, self.scale)

    def _joined(self, other: Any) -> "FactorProduct | None":
        if not (self._by_factors and other._by_factors):
            return None
        return FactorProduct(self._factors + other._factors, self.scale * other.scale)

    def _scaled(self, number: Any) -> "FactorProduct":
        return FactorProduct(self._factors, self.scale * number)

    def _added(self, other: Any) -> "FactorProduct | None":
        if not (self._by_factors and other._by_factors):
            return None
        return stacked([self, other], [0, 0], [0, 0], self.shape, least=2)

    def _conjugate(self) -> "FactorProduct":
        return FactorProduct([factor.conj() for factor in self._factors], self.scale)

    def _selected(
        self, rows: np.ndarray | None, columns: np.ndarray | None
    ) -> "FactorProduct":
        factors = list(self._factors)
        if rows is not None:
            factors[0] = factors[0][rows]
        if columns is not None:
            factors[-1] = factors[-1][:, columns]
        return FactorProduct(factors, self.scale)

    def _inverted(self) -> "FactorProduct":
        if self.scale == 0:
            raise ValueError("the scale is 0: the operator is singular")
        pairs = list(enumerate(self._factors))
        factors = [inverse_factor(factor, f"factor {j}") for j, factor in pairs[::-1]]
        return FactorProduct(factors, 1 / self.scale)

    def _columns_weighted(self, weights: np.ndarray) -> "FactorProduct":
        *others, last = self._factors
        return FactorProduct([*others, last * weights], self.scale)

    def to_factors(self) -> "FactorProduct":
        """Return the operator itself, which is a product of sparse factors."""
        return self

    def __repr__(self) -> str:
        m, n = self.shape
        lines = [
            f"FactorProduct {m}x{n}, {self.dtype}, {len(self._factors)} factors, "
            f"nnz {self.nnz}, density {self.density:.3g}, rcg {self.rcg:.4g}, "
            f"scale {self.scale:.6g}"
        ]
        for j, factor in enumerate(self._factors):
            rows, columns = factor.shape
            density = factor.nnz / (rows * columns)
            lines.append(
                f"  {j}: {rows}x{columns}, nnz {factor.nnz}, density {density:.3g}"
            )
        return "\n".join(lines) + self._who_multiplies()

    def _saved(self) -> Saved:
        return saved_factors(self._factors, self.scale)


def multiplies_by_blocks(product: FactorProduct) -> bool:
    """Return whether a product multiplies one vector by full blocks of entries."""
    return product._sizes_for(product.dtype).blocks is not None


@maker("sparse")
def sparse_operator(matrix: Any) -> FactorProduct:
    """Return a sparse array as the operator of one factor."""
    return FactorProduct([matrix])


def _as_csr(factor, name):
    """Return a factor as a new canonical CSR array of a supported dtype, or raise."""
    factor = matrix_of(name, factor)
    dtype = common_dtype(factor.dtype)
    check_matrix(name, factor.shape)
    matrix = sp.csr_array(factor, dtype=dtype)
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"{name} contains NaN or infinity")
    matrix = matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


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


def canonical_product(factors: Sequence[sp.csr_array], scale: float) -> FactorProduct:
    """Return the product of CSR arrays that need neither checks nor copies.

    Parameters
    ----------
    factors : sequence of csr_array
        Canonical: the columns of each row increase, and no entry is zero. They are
        finite, of one of the four dtypes, and of shapes that chain; their arrays
        belong to nobody else, and become read-only.
    scale : float
        Finite in that dtype.
    """
    return FactorProduct.__new__(FactorProduct)._of_canonical(tuple(factors), scale)
