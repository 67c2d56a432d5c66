"""The centers of QuicK-means: rows of a product of sparse factors, and a mean."""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..operators import FactorProduct, NearestRows
from .row_tiles import tiles


@dataclass(frozen=True)
class FactoredCenters:
    """K centers in D dimensions: the rows of a product, plus an offset for all.

    Attributes
    ----------
    product : FactorProduct, (K, D)
    offset : (D,) array or None
    """

    product: FactorProduct
    offset: np.ndarray | None = None

    @functools.cached_property
    def array(self) -> np.ndarray:
        """The centers as a dense array, (K, D)."""
        dense = self.product.toarray()
        return dense if self.offset is None else dense + self.offset

    @property
    def n_parameters(self) -> int:
        """Non-zeros of the factors, and entries of the offset."""
        return self.product.nnz + (0 if self.offset is None else len(self.offset))

    @functools.cached_property
    def operator(self) -> FactorProduct:
        """The centers as one product of factors: the offset is a row of the last."""
        if self.offset is None:
            return self.product
        n_clusters, dtype = self.product.shape[0], self.product.dtype
        between = [np.ones((1, 1), dtype)] * (len(self.product.factors) - 2)
        ones = np.ones((n_clusters, 1), dtype)
        return self.product + FactorProduct([ones, *between, self.offset[None]])

    def distances(self, x: np.ndarray) -> np.ndarray:
        """Return the distances of points, (N, D), to all centers: (N, K)."""
        if self.offset is not None:
            x = x - self.offset
        squares = (self.product @ x.T).T
        squares *= -2
        squares += self._norms.astype(x.dtype)
        squares += _squares(x)[:, None]
        return np.sqrt(np.maximum(squares, 0, out=squares), out=squares)

    def squares(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return squared distances, (N,), of points to the centers they are at.

        From differences, as they are zero for points on their center.
        """
        squares = np.empty(len(x), x.dtype)
        for part in tiles(*x.shape):
            squares[part] = _squares(x[part] - self.array[labels[part]])
        return squares

    @functools.cached_property
    def nearest(self) -> NearestRows:
        """What finds the nearest center of points."""
        if self.offset is None:
            return NearestRows(self.product, self._norms)
        offset = self.offset.astype(np.float64)
        return NearestRows(self.product, self._norms + 2 * (self.product @ offset))

    @functools.cached_property
    def _norms(self):
        """Squared norms of the rows of the product, in double precision."""
        return _squares(self.product.toarray().astype(np.float64))

    def objective(self, statistics: "Statistics") -> float:
        """Return the sum of squared distances of points to the centers they are at.

        It is summed as Σ_k (S_k - n_k ‖u_k‖²) + n_k ‖u_k - v_k‖² for the n_k points of
        a center v_k, of mean u_k, S_k the sum of their squared norms.
        """
        scatter = statistics.squares - statistics.counts * _squares(statistics.means)
        return max(0.0, float(scatter.sum())) + self.distance(statistics)

    def distance(self, statistics: "Statistics") -> float:
        """Return Σ_k n_k ‖u_k - v_k‖²."""
        moved = statistics.means - (self.array - statistics.origin)
        return float(statistics.counts @ _squares(moved))


@dataclass(frozen=True)
class Statistics:
    """What the points at each center sum to, in float64, relative to an origin.

    Attributes
    ----------
    origin : (D,)
    sums : (K, D)
        Sums of weighted points, less the origin.
    counts : (K,)
        Sums of weights.
    squares : (K,)
        Sums of weighted squared distances to the origin.
    """

    origin: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    squares: np.ndarray

    @functools.cached_property
    def means(self) -> np.ndarray:
        """Means of the points at each center, less the origin; zero without points."""
        counts = np.where(self.counts > 0, self.counts, 1.0)
        return self.sums / counts[:, None]

    def __add__(self, other: "Statistics") -> "Statistics":
        """Return the statistics of the points of both."""
        return Statistics(
            self.origin,
            self.sums + other.sums,
            self.counts + other.counts,
            self.squares + other.squares,
        )


def scaled_rows(product: FactorProduct, weights: np.ndarray) -> FactorProduct:
    """Return diag(weights) @ product, with the same supports."""
    first, *rest = product.factors
    diagonal = sp.diags_array(weights.astype(product.dtype))
    return FactorProduct([(diagonal @ first).tocsr(), *rest], product.scale)


def _squares(rows):
    return np.einsum("kd,kd->k", rows, rows)
