"""Basis: orthonormal vectors of which the atoms of a dictionary are sparse sums."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Self

import numpy as np

from .._core.checks import shown
from ..algorithms.common.as_factors import as_factors
from ..algorithms.common.result import FactorsLike
from ..algorithms.dictionaries.fast_training import FastDictionaryFit
from ..operators import FactorProduct

ORTHONORMAL = 1e-5
"""Largest difference of an inner product of two vectors of a basis from 0, or from 1
with itself: what a basis of float32 may have."""


@dataclasses.dataclass(frozen=True)
class Basis:
    """An orthonormal basis as a product of factors; without factors, that of pixels.

    Attributes
    ----------
    factors : tuple of ndarray
        The factors in float64, left to right.
    """

    factors: Sequence[np.ndarray] = ()

    @classmethod
    def of(cls, given: FactorsLike | None, m: int) -> Self:
        """Return the basis of vectors with m entries that was given, or raise."""
        if given is None:
            return cls()
        matrices, scale = as_factors("basis", given)
        try:
            product = FactorProduct(matrices, scale)
        except ValueError as error:
            raise ValueError(f"basis: {error}") from None
        if product.shape != (m, m) or product.dtype.kind != "f":
            raise ValueError(
                f"basis has shape {product.shape} and dtype {product.dtype}: expected "
                f"real numbers, a vector in each of n_features={m} columns, {(m, m)}"
            )
        factors = [one.toarray().astype(np.float64) for one in product.factors]
        factors[0] = product.scale * factors[0]
        basis = cls(factors)
        away = np.abs(basis.array.T @ basis.array - np.eye(m)).max()
        if not away <= ORTHONORMAL:
            raise ValueError(
                f"basis must be orthonormal: an inner product of two of its columns "
                f"differs by {shown(float(away))} from 0 or 1"
            )
        return basis

    @functools.cached_property
    def array(self) -> np.ndarray:
        """The vectors, one in each column, (m, m)."""
        return FastDictionaryFit(list(self.factors)).array

    @property
    def nnz(self) -> int:
        """Number of non-zeros of the factors."""
        return FastDictionaryFit(list(self.factors)).nnz

    def coordinates(self, rows: np.ndarray) -> np.ndarray:
        """Return the coordinates of vectors (N, m) in this basis, (N, m)."""
        return rows @ self.array if self.factors else rows
