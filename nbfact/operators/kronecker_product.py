"""Kronecker products of matrices and fast operators, as fast operators."""

import functools
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import scipy.sparse as sp

from .._core.array_checks import array_of
from .._core.dtypes import common_dtype
from .._core.limits import check_memory
from .butterfly import Butterfly
from .chain import Chain
from .factor_product import FactorProduct
from .fast_operator import FastOperator, check_operator
from .operator_files import KRONECKER, Saved
from .planned_operator import PlannedOperator

CALL, MOVED = 6000.0, 0.1
"""Time of the calls of a product, and of each byte that is moved between the products
of the two operators, in nanoseconds."""


class KroneckerProduct(PlannedOperator):
    """The Kronecker product of two fast operators, as an operator.

    It is a `scipy.sparse.linalg.LinearOperator` that multiplies the rows and the
    columns of x, reshaped to a matrix.

    Parameters
    ----------
    left, right : FastOperator, shapes (m, n) and (p, q)
        The factors of the Kronecker product.

    Attributes
    ----------
    left, right : FastOperator
    shape, dtype, nnz, rcg, density
        See `FastOperator`; the shape is (m p, n q), and `nnz` is p times that of
        `left` plus n times that of `right`.

    See Also
    --------
    nbfact.transforms.kronecker : Returns a faster form where there is one.

    Examples
    --------
    >>> import numpy as np, nbfact as nf
    >>> both = nf.transforms.kronecker(nf.transforms.haar(2), nf.transforms.dct(2))
    >>> type(both).__name__, (both @ np.ones(4)).round(12) + 0.0
    ('KroneckerProduct', array([2., 0., 0., 0.]))
    """

    def __init__(self, left: FastOperator, right: FastOperator) -> None:
        check_operator("left", left)
        check_operator("right", right)
        self.left, self.right = left, right
        (m, n), (p, q) = left.shape, right.shape
        super().__init__(common_dtype(left.dtype, right.dtype), (m * p, n * q))
        self.nnz = p * left.nnz + n * right.nnz

    def _cost(self, dtype: np.dtype, batch: int, rows: bool) -> float:
        """Return the time that the parts are expected to take, in nanoseconds."""
        (_, n), (p, q) = self.left.shape, self.right.shape
        moved = MOVED * n * (p + q) * batch * dtype.itemsize
        inner = self.right._cost(dtype, n * batch, False)
        return CALL + moved + inner + self.left._cost(dtype, p * batch, False)

    def _computed(self, dtype: np.dtype, x: np.ndarray) -> np.ndarray:
        """Multiply x, (n,) or (n, batch): of the dtype, C-contiguous, not empty."""
        (m, n), (p, q) = self.left.shape, self.right.shape
        inner = x.reshape(n, q, -1).swapaxes(0, 1).reshape(q, -1)
        outer = (self.right @ inner).reshape(p, n, -1).swapaxes(0, 1).reshape(n, -1)
        result = (self.left @ outer).reshape(m * p, *x.shape[1:])
        return result.astype(dtype, copy=False)

    def _reversed(self, name: str) -> "KroneckerProduct":
        return KroneckerProduct(getattr(self.left, name), getattr(self.right, name))

    def _conjugate(self) -> "KroneckerProduct":
        return KroneckerProduct(self.left.conj(), self.right.conj())

    def _scaled(self, number: Any) -> "KroneckerProduct":
        return KroneckerProduct(self.left * number, self.right)

    def _inverted(self) -> "KroneckerProduct":
        return KroneckerProduct(self.left.inverse(), self.right.inverse())

    def to_factors(self) -> FactorProduct:
        """Return the product as one product of sparse factors."""
        return _kronecker_factors(self.left.to_factors(), self.right.to_factors())

    def _saved(self) -> Saved:
        return Saved(KRONECKER, {}, [self.left._saved(), self.right._saved()])

    def __repr__(self) -> str:
        (m, n), who = self.shape, self._who_multiplies()
        head = f"KroneckerProduct {m}x{n}, {self.dtype}, nnz {self.nnz}{who}"
        return f"{head}\n⊗ {self.left!r}\n⊗ {self.right!r}"


@overload
def kronecker(*matrices: np.ndarray | Butterfly | Sequence[Any]) -> Butterfly: ...
@overload
def kronecker(*matrices: Any) -> FastOperator: ...
def kronecker(*matrices: Any) -> FastOperator:
    """Return the Kronecker product of matrices and operators as a fast operator.

    Parameters
    ----------
    *matrices : array_like or FastOperator, shapes (m[i], n[i])
        At least one. An array is real or complex, finite, not empty.

    Returns
    -------
    FastOperator
        The operator of shape (∏ m[i], ∏ n[i]). Its dense matrix is `numpy.kron` of the
        matrices from left to right; its dtype is the promotion of theirs, where
        integers count as float64. It is a `Butterfly` when all are arrays or
        butterflies, on the chain ``Chain.mixed_radix(m, n)`` for arrays; a
        `FactorProduct` when all are FactorProducts; a `KroneckerProduct` otherwise.

    Raises
    ------
    TypeError, ValueError
        When there is no matrix, or one is not a matrix of finite numbers.

    See Also
    --------
    hadamard : The Kronecker product of log2(n) matrices [[1, 1], [1, -1]].
    nbfact.operators.block_diag : Operators along the diagonal of a matrix.

    Notes
    -----
    For arrays, factor i is I ⊗ K[i] ⊗ I with the matrix K[i] and identities of the
    orders n[0] ... n[i-1] and m[i+1] ... m[-1]. It costs the product of these orders
    times m[i] n[i] multiplications. For J square matrices of order m, the relative
    complexity gain ``rcg`` is m^(J-1) / J. BLAS multiplies by each matrix along its
    axis of x, where matrices have at least 16 entries.

    Examples
    --------
    >>> import nbfact as nf
    >>> block = [[2, 1], [1, 1]]
    >>> nf.transforms.kronecker(block, block).toarray().astype(int)
    array([[4, 2, 2, 1],
           [2, 2, 1, 1],
           [2, 1, 2, 1],
           [1, 1, 1, 1]])
    """
    if not matrices:
        raise ValueError("matrices is empty: a product needs at least one matrix")
    operators = [_operator(f"matrices[{i}]", x) for i, x in enumerate(matrices)]
    return functools.reduce(_kronecker, operators)


def _operator(name, matrix):
    """Return an operator unchanged, and an array as a butterfly of one factor."""
    if isinstance(matrix, FastOperator):
        return matrix
    values = array_of(name, matrix, 2)[None, :, :, None]
    return Butterfly([values.shape], [values])


def _kronecker(left, right):
    """Return the Kronecker product of two operators in the fastest form."""
    butterflies = isinstance(left, Butterfly) and isinstance(right, Butterfly)
    if butterflies and left._by_kernels() and right._by_kernels():
        return _kronecker_butterfly(left, right)
    if left._by_factors and right._by_factors:
        return _kronecker_factors(left, right)
    return KroneckerProduct(left, right)


def _kronecker_butterfly(left, right):
    """Return the Kronecker product of two butterflies, (A ⊗ I) (I ⊗ B), as one."""
    dtype = common_dtype(left.dtype, right.dtype)
    below, beside = right.chain.shape[0], left.chain.shape[1]
    entries = below * left.nnz + beside * right.nnz
    check_memory(f"matrices with {entries} values", 2 * entries, dtype.itemsize)
    values = [np.repeat(value.astype(dtype), below, axis=3) for value in left.values]
    values += [
        np.tile(value.astype(dtype), (beside, 1, 1, 1)) for value in right.values
    ]
    ends = []
    for axis, name in enumerate(("rows", "columns")):
        outer, inner = (
            np.arange(one.chain.shape[axis])
            if getattr(one, name) is None
            else getattr(one, name)
            for one in (left, right)
        )
        index = outer[:, None] * right.shape[axis] + inner
        index[(outer[:, None] < 0) | (inner < 0)] = -1
        ends.append(index.ravel())
    chain = Chain([value.shape for value in values])
    return Butterfly(chain, values, rows=ends[0], columns=ends[1])


def _kronecker_factors(left, right):
    """Return the Kronecker product of two FactorProducts, (A ⊗ I) (I ⊗ B), as one."""
    entries = right.shape[0] * left.nnz + left.shape[1] * right.nnz
    check_memory(f"matrices with {entries} entries", 2 * entries, 16)
    below = sp.eye_array(right.shape[0], dtype=right.dtype)
    beside = sp.eye_array(left.shape[1], dtype=left.dtype)
    factors = [sp.kron(factor, below, format="csr") for factor in left.factors]
    factors += [sp.kron(beside, factor, format="csr") for factor in right.factors]
    return FactorProduct(factors, left.scale * right.scale)
