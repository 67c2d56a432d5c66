"""The centers of QuicK-means as factors, and the sums over the points of each."""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .._core.threads import share
from ..operators import FactorProduct, NearestRows
from .row_tiles import tiles


@dataclass(frozen=True)
class FactoredCenters:
    """K centers in D dimensions: the rows of a product, plus a common offset.

    Attributes
    ----------
    product : FactorProduct, (K, D)
    offset : array, (D,), or None
        A vector that is added to each row of the product.
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
        """Number of non-zeros of the factors and of entries of the offset."""
        return self.product.nnz + (0 if self.offset is None else len(self.offset))

    @functools.cached_property
    def operator(self) -> FactorProduct:
        """The centers as one product, which has the offset as a row of the last factor.

        A column of ones in the first factor adds it to all centers.
        """
        if self.offset is None:
            return self.product
        n_clusters, dtype = self.product.shape[0], self.product.dtype
        between = [np.ones((1, 1), dtype)] * (len(self.product.factors) - 2)
        ones = np.ones((n_clusters, 1), dtype)
        return self.product + FactorProduct([ones, *between, self.offset[None]])

    def distances(self, x: np.ndarray) -> np.ndarray:
        """Return the distances of points (N, D) to all centers: (N, K)."""
        dtype, norms = np.result_type(self.product.dtype, x.dtype), self._norms
        distances = np.empty((self.product.shape[0], len(x)), dtype).T

        def measure(begin, end):
            points = x[begin:end] if self.offset is None else x[begin:end] - self.offset
            squares = (self.product @ points.T).T
            squares *= -2
            squares += norms.astype(x.dtype)
            squares += _squared_norms(points)[:, None]
            np.sqrt(np.maximum(squares, 0, out=squares), out=distances[begin:end])

        # Each of the passes over the distances takes about as long as a multiplication.
        share((self.product.nnz + 4 * len(norms)) * dtype.itemsize, len(x), measure)
        return distances

    def squares(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the squared distances, (N,), of points to their own centers.

        They are sums of squared differences, so that they are exactly zero for a point
        that equals its center.
        """
        squares = np.empty(len(x), x.dtype)
        for part in tiles(*x.shape):
            squares[part] = _squared_norms(x[part] - self.array[labels[part]])
        return squares

    @functools.cached_property
    def nearest(self) -> NearestRows:
        """The object that finds the nearest center of each of many points."""
        if self.offset is None:
            return NearestRows(self.product, self._norms)
        offset = self.offset.astype(np.float64)
        return NearestRows(self.product, self._norms + 2 * (self.product @ offset))

    @functools.cached_property
    def _norms(self) -> np.ndarray:
        """Squared norms of the rows of the product, in double precision."""
        return _squared_norms(self.product.toarray().astype(np.float64))

    def objective(self, statistics: "ClusterStatistics") -> float:
        """Return the weighted sum of squared distances of points to their own centers.

        It is computed as Σ_k (S_k - n_k ‖u_k‖²) + n_k ‖u_k - v_k‖², where n_k is the
        weight of the points of center v_k, u_k their mean, and S_k the sum of their
        squared norms.
        """
        means = _squared_norms(statistics.means)
        scatter = statistics.squares - statistics.counts * means
        return max(0.0, float(scatter.sum())) + self.distance(statistics)

    def distance(self, statistics: "ClusterStatistics") -> float:
        """Return Σ_k n_k ‖u_k - v_k‖², which is how far centers are from the means."""
        moved = statistics.means - (self.array - statistics.origin)
        return float(statistics.counts @ _squared_norms(moved))


@dataclass(frozen=True)
class ClusterStatistics:
    """Sums over the points of each center, in float64, relative to an origin.

    Attributes
    ----------
    origin : array, (D,)
        A point that is subtracted from all points.
    sums : array, (K, D)
        Weighted sums of the points less the origin.
    counts : array, (K,)
        Sums of the weights.
    squares : array, (K,)
        Weighted sums of the squared distances to the origin.
    """

    origin: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    squares: np.ndarray

    @functools.cached_property
    def means(self) -> np.ndarray:
        """Means of the points of each center less the origin; zero without points."""
        counts = np.where(self.counts > 0, self.counts, 1.0)
        return self.sums / counts[:, None]

    def __add__(self, other: "ClusterStatistics") -> "ClusterStatistics":
        """Return the statistics of the points of both, which have one origin."""
        return ClusterStatistics(
            self.origin,
            self.sums + other.sums,
            self.counts + other.counts,
            self.squares + other.squares,
        )


def scaled_rows(product: FactorProduct, weights: np.ndarray) -> FactorProduct:
    """Return diag(weights) @ product, whose factors have the same supports."""
    first, *rest = product.factors
    diagonal = sp.diags_array(weights.astype(product.dtype))
    return FactorProduct([(diagonal @ first).tocsr(), *rest], product.scale)


def _squared_norms(rows: np.ndarray) -> np.ndarray:
    """Return the squared norms of rows."""
    return np.einsum("kd,kd->k", rows, rows)
