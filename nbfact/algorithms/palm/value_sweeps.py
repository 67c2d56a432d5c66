"""Sweeps of `nbfact.refine`: the best values of one factor after the other."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from ...kernels import frobenius_norm, optimal_scale
from ...operators import FactorProduct
from ..common.problem import shift
from .least_squares import least_squares, sampled

_DENSE, _SMALL = 8, 1 << 14
"""A factor of which more than one entry in `_DENSE` is stored multiplies faster as a
dense array, and so does one with at most `_SMALL` entries, of which all others are
zeros: SciPy takes longer to make a sparse matrix than BLAS to multiply one of 128 rows
by 128 columns."""

Multiplier: TypeAlias = np.ndarray | sp.csr_array
"""A factor in the form that multiplies fastest."""


@dataclass(frozen=True)
class SupportFactor:
    """A factor as its values at given places (rows, cols), in double precision."""

    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    fixed: bool = False

    def matrix(self, values: np.ndarray | None = None) -> Multiplier:
        """Return the factor, or other values at its places, as a CSR or dense array."""
        values = self.values if values is None else values
        size = self.shape[0] * self.shape[1]
        if size <= _SMALL or _DENSE * values.size > size:
            dense = np.zeros(self.shape, values.dtype)
            dense[self.rows, self.cols] = values
            return dense
        coordinates = (values, (self.rows, self.cols))
        return sp.csr_array(coordinates, shape=self.shape)

    def adjoint(self) -> "SupportFactor":
        """Return the adjoint of the factor."""
        rows, columns = self.shape
        values = self.values.conj()
        return SupportFactor(self.cols, self.rows, values, (columns, rows), self.fixed)


@dataclass(frozen=True)
class ValueSweeps:
    """The factors and the target between two sweeps.

    A sweep goes from right to left. After it both are turned around, so that the next
    one, over the adjoints, goes from left to right.

    Attributes
    ----------
    target : ndarray
        The matrix A, in double precision, or its adjoint when `turned`.
    factors : list of SupportFactor
        The factors, or their adjoints in reverse order.
    grams : list of ndarray or None
        LᴴL for each factor, where L is the product of the factors on its left; None
        where L is the identity.
    residual : ndarray
        A minus the product of the factors.
    ridge : float
        What is added to the diagonal of linear systems, see `least_squares`.
    turned : bool
        Whether A and the factors are adjoints.
    """

    target: np.ndarray
    factors: list[SupportFactor]
    grams: list[np.ndarray | None]
    residual: np.ndarray
    ridge: float
    turned: bool = False

    @classmethod
    def of(
        cls,
        target: np.ndarray,
        product: FactorProduct,
        fixed: Collection[int],
        ridge: float,
    ) -> "ValueSweeps":
        """Start from the factors of a product.

        They are scaled by powers of two to the size of orthogonal matrices; the one
        that is solved first is multiplied by the best scale.
        """
        factors, _ = unit_factors(product, target.dtype, fixed)
        estimate = dense_product([factor.matrix() for factor in factors])
        solved = max(j for j, factor in enumerate(factors) if not factor.fixed)
        # A scale of 0 would lose the values; one this small changes no error.
        scale = optimal_scale(target, estimate)
        scale = scale or 1e-8 / max(frobenius_norm(estimate), 1.0)
        factors[solved] = replace(
            factors[solved], values=factors[solved].values * scale
        )
        left: np.ndarray | None = None
        grams: list[np.ndarray | None] = [None]
        for factor in factors[:-1]:
            matrix = factor.adjoint().matrix()
            left = _times(matrix, left)
            grams.append(_gram(matrix, grams[-1], left))
        return cls(target, factors, grams, target - scale * estimate, ridge)

    def swept(self) -> "ValueSweeps":
        """Solve for every factor once, from the last to the first, and turn around."""
        factors, residual = list(self.factors), self.residual.copy()
        matrices = [factor.matrix() for factor in factors]
        adjoints = [factor.adjoint().matrix() for factor in factors]
        right: np.ndarray | None = None
        behind: list[np.ndarray | None] = [None]  # R Rᴴ, from the last factor on
        for j in range(len(factors) - 1, -1, -1):
            if not factors[j].fixed:
                factors[j] = _solved(
                    factors[j], self.grams[j], behind[-1], right, residual,
                    matrices[:j], adjoints[:j], self.ridge,
                )  # fmt: skip
            if j > 0 and not (factors[j].fixed or factors[j - 1].fixed):
                factors[j - 1], factors[j] = _balanced(factors[j - 1], factors[j])
                matrices[j - 1] = factors[j - 1].matrix()
                adjoints[j - 1] = factors[j - 1].adjoint().matrix()
            matrix = factors[j].matrix()
            right = _times(matrix, right)
            if j > 0:
                behind.append(_gram(matrix, behind[-1], right))
        return ValueSweeps(
            np.ascontiguousarray(self.target.conj().T),
            [factor.adjoint() for factor in reversed(factors)],
            behind,
            np.ascontiguousarray((self.target - right).conj().T),
            self.ridge,
            not self.turned,
        )

    def product(
        self, start: FactorProduct, exponent: int, dtype: np.dtype
    ) -> FactorProduct:
        """Return the operator in the units of the target, its free factors of norm 1.

        Fixed factors are taken from `start`; the target is divided by 2**exponent.
        """
        factors = self.factors
        if self.turned:
            factors = [factor.adjoint() for factor in reversed(factors)]
        mantissa, matrices, free = 1.0, list(start.factors), []
        for j, factor in enumerate(factors):
            if factor.fixed:
                exponent -= _size_exponent(start.factors[j])
                continue
            norm = frobenius_norm(factor.values) or 1.0
            mantissa, own = np.frexp(mantissa * norm)
            exponent += int(own)
            coordinates = (factor.values / norm, (factor.rows, factor.cols))
            matrices[j] = sp.csr_array(coordinates, shape=factor.shape)
            free.append(j)
        # With fixed factors the scale may be one that the dtype does not hold.
        limit = np.finfo(dtype).maxexp - 2
        kept = min(max(exponent, -limit), limit)
        matrices[free[0]] = shift(matrices[free[0]], exponent - kept)
        matrices = [matrix.astype(dtype) for matrix in matrices]
        return FactorProduct(matrices, float(np.ldexp(mantissa, kept)))


def _solved(
    factor: SupportFactor, gram, right_gram, right, residual, lefts, adjoints, ridge
) -> SupportFactor:
    """Return the factor with the best values, and update the residual in place.

    `gram` is LᴴL and `right_gram` R Rᴴ, where the factors in `lefts` have the product
    L, `adjoints` holds their adjoints, and `right` is R; None stands for the identity.
    """
    pulled = residual
    for adjoint in adjoints:
        pulled = adjoint @ pulled
    if right is None:
        gradient = pulled[factor.rows, factor.cols]
    else:
        gradient = sampled(pulled, right.conj(), factor.rows, factor.cols)
    delta = least_squares(gram, right_gram, factor.rows, factor.cols, gradient, ridge)
    change = _times(factor.matrix(delta), right)
    for left in reversed(lefts):
        change = left @ change
    square = np.vdot(change, change).real
    step = np.vdot(change, residual).real / square if square > 0 else 0.0
    if not (np.isfinite(step) and step > 0):
        return factor
    residual -= step * change
    return replace(factor, values=factor.values + step * delta)


def _balanced(
    left: SupportFactor, right: SupportFactor
) -> tuple[SupportFactor, SupportFactor]:
    """Return two neighbours with nearly equal norms at each inner index.

    The norms are those of the columns of `left` and of the rows of `right`; they are
    multiplied and divided by powers of two, so that the product is the same.
    """
    inner = left.shape[1]
    columns = np.bincount(left.cols, np.abs(left.values) ** 2, inner)
    lines = np.bincount(right.rows, np.abs(right.values) ** 2, inner)
    both = (columns > 0) & (lines > 0)
    ratio = np.log2(np.where(both, lines, 1)) - np.log2(np.where(both, columns, 1))
    scales = 2.0 ** np.round(ratio / 4)
    return (
        replace(left, values=left.values * scales[left.cols]),
        replace(right, values=right.values / scales[right.rows]),
    )


def _gram(matrix, gram, product):
    """Return the Gram matrix of the rows of product = matrix @ x, from that of x.

    None stands for the Gram matrix of the identity.
    """
    turned = product if gram is None else matrix @ gram
    out = matrix @ np.ascontiguousarray(turned.conj().T)
    # Where rows of x nearly cancel, the diagonal of `out` may even be negative.
    np.fill_diagonal(out, np.einsum("ij,ij->i", product, product.conj()))
    return out


def dense_product(matrices: Sequence[Multiplier]) -> np.ndarray:
    """Return the product of at least one matrix as a dense array."""
    *rest, last = matrices
    product = _times(last, None)
    for matrix in reversed(rest):
        product = _times(matrix, product)
    return product


def _times(matrix: Multiplier, x: np.ndarray | None) -> np.ndarray:
    """Return matrix @ x as a dense array; x is None for the identity."""
    if x is None:
        return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return matrix @ x


def _size_exponent(matrix):
    """Return the binary exponent of the root mean square of the singular values."""
    # A copy, because the kernel would be compiled again for read-only arrays.
    norm = frobenius_norm(matrix.data.copy()) if matrix.nnz else 0.0
    return int(np.frexp(norm / np.sqrt(min(matrix.shape)))[1])


def unit_factors(
    product: FactorProduct, dtype: np.dtype, fixed: Collection[int] = ()
) -> tuple[list[SupportFactor], int]:
    """Return factors scaled to the size of orthogonal matrices, by powers of two.

    The exponent e is returned too: the factors of `product` have 2**e times the product
    of the returned ones.
    """
    factors: list[SupportFactor] = []
    total = 0
    for j, matrix in enumerate(product.factors):
        exponent = _size_exponent(matrix)
        total += exponent
        coo = matrix.tocoo()
        values = shift(coo.data.astype(dtype), -exponent)
        factors.append(SupportFactor(coo.row, coo.col, values, coo.shape, j in fixed))
    return factors, total
