"""The centers of QuicK-means as factors, and the sums over the points of each."""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .._core import threads
from ..operators import FactorProduct, NearestRows
from .center_distances import CenterDistances
from .row_tiles import CACHED, tiles


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

    def in_units(self, unit: float) -> "FactoredCenters":
        """Return the centers times a power of two."""
        if unit == 1:
            return self
        product = FactorProduct(self.product.factors, self.product.scale * unit)
        offset = None if self.offset is None else self.offset * unit
        return FactoredCenters(product, offset)

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

    def distances(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the distances of points (N, D) to all centers: (N, K).

        labels : array, (N,), the nearest center of each point.
        """
        measure, count = self._distances, len(self.array)
        # Each of the passes over the distances takes about as long as a multiplication.
        work = (self.product.nnz + 4 * count) * x.dtype.itemsize
        unit = threads.part(work)
        squares = np.empty((count, len(x)), np.result_type(self.array, x))

        def fill(begin, end):
            for i in range(begin, end, unit):
                part = slice(i, min(i + unit, end))
                squares[:, part] = measure.squares(x[part], roots=True)

        threads.share(work, len(x), fill, unit)
        _agree(squares, labels)
        return squares.T

    def squares(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the squared distances, (N,), of points to their own centers.

        They are sums of squared differences, so that they are exactly zero for a point
        that equals its center.
        """
        squares = np.empty(len(x))
        for part in tiles(len(x), x.shape[1], CACHED):
            difference = x[part].astype(np.float64)
            difference -= self.array[labels[part]]
            squares[part] = _squared_norms(difference)
        return squares

    @functools.cached_property
    def nearest(self) -> NearestRows:
        """The object that finds the nearest center of each of many points."""
        return NearestRows(self.product, offset=self.offset)

    @functools.cached_property
    def _distances(self) -> CenterDistances:
        """The object that computes distances to all centers."""
        return CenterDistances(self.product, self.array, self.offset)

    def distance(self, statistics: "ClusterStatistics") -> float:
        """Return Σ_k n_k ‖u_k - v_k‖², which is how far centers are from the means."""
        moved = statistics.means - (self.array - statistics.origins)
        return float(statistics.counts @ _squared_norms(moved))


@dataclass(frozen=True)
class ClusterStatistics:
    """Sums over the points of each center, in float64, relative to that center.

    Sums relative to another point would lose their digits where centers are far apart.

    Attributes
    ----------
    origins : array, (K, D)
        The centers, which are subtracted from their points.
    sums : array, (K, D)
        Weighted sums of the points less their origins.
    counts : array, (K,)
        Sums of the weights.
    squares : array, (K,)
        Weighted sums of the squared distances to the origins.
    """

    origins: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    squares: np.ndarray

    @functools.cached_property
    def means(self) -> np.ndarray:
        """Means of the points of each center less its origin; zero without points."""
        counts = np.where(self.counts > 0, self.counts, 1.0)
        return self.sums / counts[:, None]

    @property
    def located(self) -> np.ndarray:
        """Means of the points of each center; the center itself without points."""
        return self.origins + self.means

    def __add__(self, other: "ClusterStatistics") -> "ClusterStatistics":
        """Return the statistics of the points of both, relative to the origins of one.

        With δ the origin of other points less that of these, a point less the latter is
        the point less the former, plus δ.
        """
        moved, counts = other.origins - self.origins, other.counts
        squares = 2 * np.einsum("kd,kd->k", other.sums, moved)
        squares += counts * _squared_norms(moved)
        return ClusterStatistics(
            self.origins,
            self.sums + other.sums + counts[:, None] * moved,
            self.counts + counts,
            self.squares + other.squares + squares,
        )


def scaled_rows(product: FactorProduct, weights: np.ndarray) -> FactorProduct:
    """Return diag(weights) @ product, whose factors have the same supports."""
    first, *rest = product.factors
    each = np.repeat(weights.astype(product.dtype), np.diff(first.indptr))
    scaled = sp.csr_array((first.data * each, first.indices, first.indptr), first.shape)
    return FactorProduct([scaled, *rest], product.scale)


def _agree(distances: np.ndarray, labels: np.ndarray) -> None:
    """Raise distances, (K, N), so that the least one of each point is at its label.

    Labels are decided more exactly than distances are rounded. Distances that are less
    than that at the label, or equal to it at a smaller index, are raised to it, or to
    the next number above, which is less than their error.
    """
    for i in np.flatnonzero(distances.argmin(axis=0) != labels):
        column, label = distances[:, i], labels[i]
        least = column[label]
        column[:label] = np.maximum(column[:label], np.nextafter(least, np.inf))
        column[label:] = np.maximum(column[label:], least)


def _squared_norms(rows: np.ndarray) -> np.ndarray:
    """Return the squared norms of rows."""
    return np.einsum("kd,kd->k", rows, rows)
