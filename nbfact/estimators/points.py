"""The points that are clustered, in memory or in dask blocks, and passes over them.

`Points` and `BlockedPoints` have the same methods. Arrays in memory are passed over by
as many threads as `nbfact.threads` allows, dask arrays block by block by dask's
workers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from scipy.sparse import issparse

from .._core.dask import map_blocks, row_blocks, sum_blocks
from ..kernels import cluster_sums
from ..operators import NearestRows
from .factored_centers import ClusterStatistics, FactoredCenters
from .row_tiles import tiles
from .units import check_mean_square, refuse_vanished, unit_of

KERNEL_LAYOUT: Final = ("C", "W")
"""Layout of the arrays that kernels are called with: C-contiguous and writable, because
kernels are compiled for such arrays, and the blocks of dask are often read-only."""

Block = tuple[np.ndarray, np.ndarray]
"""Points (N, D) and their weights (N,)."""

Sums = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The ``sums``, ``counts`` and ``squares`` of `ClusterStatistics`."""


class DaskArray(Protocol):
    """A dask array, as far as a type checker has to tell it from a NumPy array."""

    @property
    def chunks(self) -> Any:
        """The sizes of the chunks along each axis."""

    def compute(self, **options: Any) -> Any:
        """Return the array in memory."""


@dataclass(frozen=True)
class FarPoints:
    """Points that are far from their centers, the farthest first.

    Attributes
    ----------
    rows : array of float64, (count, D)
        The points.
    weights, labels, squares : array, (count,)
        Their weights, the indices of their centers, and their squared distances to
        these.
    """

    rows: np.ndarray
    weights: np.ndarray
    labels: np.ndarray
    squares: np.ndarray


class WeightedPoints(Protocol):
    """What QuicK-means needs of its points, wherever they are.

    Attributes
    ----------
    shape : tuple of int, (N, D)
    dtype : numpy.dtype
        float32 or float64.
    unit : float
        The power of two that the points were divided by. What follows, and all results,
        belong to the points in this unit.
    origin : array of float64, (D,)
        The weighted mean.
    mean_share : float
        n ‖mean‖² / Σ ‖x‖²: the share of the squared norms of all points that the mean
        explains.
    variance : float
        The mean of the variances of the features.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    unit: float
    origin: np.ndarray
    mean_share: float
    variance: float

    def placed(self, centers: FactoredCenters) -> tuple[ClusterStatistics, Any]:
        """Return the sums over the points of each center, and the labels, or None."""

    def farthest(
        self, centers: FactoredCenters, count: int, labels: Any = None
    ) -> FarPoints:
        """Return the points that are farthest from their nearest centers.

        labels : the nearest center of each point; None if they are not known.
        """

    def take(self, chosen: np.ndarray) -> Block:
        """Return the points and the weights at some places, which are in order."""


class Points:
    """Weighted points in memory, dense or sparse.

    Parameters
    ----------
    x : array or scipy CSR matrix, (N, D)
        Finite, float32 or float64. Sparse points are made dense some rows at a time.
    weights : array, (N,)
        Not negative, not all zero.
    unit : float, optional
        What points are divided by; by default what `unit_of` says.

    See `WeightedPoints`, which describes the attributes.
    """

    def __init__(self, x: Any, weights: np.ndarray, unit: float | None = None) -> None:
        self.sparse = issparse(x)
        self.x = x if self.sparse else np.require(x, requirements=KERNEL_LAYOUT)
        self.weights = weights
        self.shape: tuple[int, ...] = x.shape
        self.dtype: np.dtype = x.dtype
        sums = self._summed(total)
        if sums[2][0] == 0:
            for part in self.parts():
                check_range(self.rows(part)[weights[part] > 0])
        described = _Moments(*sums, x.dtype, unit)
        self.unit = described.unit
        if self.unit != 1:
            self.x = self.x * x.dtype.type(1 / self.unit)
        self.origin, self.mean_share = described.origin, described.mean_share
        self.variance = described.variance

    def parts(self) -> list[slice]:
        """Return slices of rows: one for dense points, some for sparse ones."""
        return list(tiles(*self.shape)) if self.sparse else [slice(0, len(self.x))]

    def rows(self, part: Any) -> np.ndarray:
        """Return some of the points as a dense array."""
        return self.x[part].toarray() if self.sparse else self.x[part]

    def _summed(self, function: Callable[..., Sums], *shared: Any) -> Sums:
        """Return the sum over all parts of what a function of a block returns."""
        found = [
            function((self.rows(part), self.weights[part]), *shared)
            for part in self.parts()
        ]
        first, second, third = (
            sum(arrays[1:], arrays[0]) for arrays in zip(*found, strict=True)
        )
        return first, second, third

    def placed(
        self, centers: FactoredCenters, given: np.ndarray | None = None
    ) -> tuple[ClusterStatistics, np.ndarray]:
        """Return the sums over the points of each center, and the labels.

        given : the labels; by default the nearest centers.
        """
        origins = centers.array.astype(np.float64)
        labels = np.empty(self.shape[0], np.int32) if given is None else given
        sums = np.zeros(origins.shape), np.zeros(len(origins)), np.zeros(len(origins))
        for part in self.parts():
            rows = self.rows(part)
            if given is None:
                labels[part] = nearest_labels(centers.nearest, rows)
            cluster_sums(rows, labels[part], self.weights[part], origins, *sums)
        return ClusterStatistics(origins, *sums), labels

    def farthest(
        self, centers: FactoredCenters, count: int, labels: Any = None
    ) -> FarPoints:
        """Return the points that are farthest from their nearest centers."""
        found = []
        for part in self.parts():
            known = None if labels is None else labels[part]
            block = self.rows(part), self.weights[part]
            found.append(farthest(block, centers, count, known))
        return _farthest_of(found, count)

    def take(self, chosen: np.ndarray) -> Block:
        """Return the points and the weights at some places, which are in order."""
        return self.rows(chosen), self.weights[chosen]


class BlockedPoints:
    """Weighted points in a dask array.

    Parameters
    ----------
    x : dask array, (N, D)
        Chunks of known sizes.
    weights : array or dask array, (N,)
        Not negative, not all zero.
    unit : float, optional
        What points are divided by; by default what `unit_of` says.

    See `WeightedPoints`, which describes the attributes.
    """

    def __init__(self, x: Any, weights: Any, unit: float | None = None) -> None:
        self.shape: tuple[int, ...] = x.shape
        self.dtype: np.dtype = x.dtype
        self.starts = np.cumsum([0, *x.chunks[0]])
        self.blocks = self._paired(x, weights)
        sums, weight, square = sum_blocks(total, self.blocks)
        described = _Moments(sums, weight, square, x.dtype, unit)
        self.unit = described.unit
        if self.unit != 1:
            self.blocks = self._paired(x * x.dtype.type(1 / self.unit), weights)
        self.origin, self.mean_share = described.origin, described.mean_share
        self.variance = described.variance

    def _paired(self, x: Any, weights: Any) -> list[Any]:
        """Return a delayed pair of points and weights for each block of rows."""
        import dask

        parts: Sequence[Any]
        if hasattr(weights, "dask"):
            parts = weights.rechunk((x.chunks[0],)).to_delayed().tolist()
        else:
            parts = np.split(weights, self.starts[1:-1])
        return [
            dask.delayed((block, part))
            for block, part in zip(row_blocks(x), parts, strict=True)
        ]

    def placed(self, centers: FactoredCenters) -> tuple[ClusterStatistics, None]:
        """Return the sums over the points of each center; labels stay with the blocks.

        `QuicKMeans.predict` returns the labels as a dask array.
        """
        origins = centers.array.astype(np.float64)
        sums = sum_blocks(summed, self.blocks, centers.nearest, origins)
        return ClusterStatistics(origins, *sums), None

    def farthest(
        self, centers: FactoredCenters, count: int, labels: Any = None
    ) -> FarPoints:
        """Return the points that are farthest from their nearest centers."""
        return _farthest_of(map_blocks(farthest, self.blocks, centers, count), count)

    def take(self, chosen: np.ndarray) -> Block:
        """Return the points and the weights at some places, which are in order."""
        import dask

        parts = np.split(chosen, np.searchsorted(chosen, self.starts[1:-1]))
        blocks = [
            dask.delayed((block, part - start))
            for block, part, start in zip(self.blocks, parts, self.starts, strict=False)
            if len(part)
        ]
        x, weights = zip(*map_blocks(_take, blocks), strict=True)
        return np.concatenate(x), np.concatenate(weights)


def nearest_labels(nearest: NearestRows, x: np.ndarray) -> np.ndarray:
    """Return the nearest center of each point, or raise a ValueError that names X."""
    try:
        return nearest(x)[0]
    except ValueError as error:
        check_finite(x)
        raise ValueError(f"X {x.shape}: {error}") from None


def check_range(x: np.ndarray) -> None:
    """Raise ValueError if squares of points lose them: see `check_mean_square`."""
    square = np.float64(0)
    with np.errstate(over="ignore"):
        for tile in tiles(*x.shape):
            square += np.einsum("nd,nd->", x[tile], x[tile], dtype=np.float64)
    if square == 0 and x.any():
        refuse_vanished(x.dtype)
    check_mean_square(float(square) / max(len(x), 1), x.dtype)


def check_finite(x: np.ndarray) -> None:
    """Raise ValueError if points contain NaN or infinity."""
    if not np.isfinite(x).all():
        raise ValueError("X contains NaN or infinity")


def total(block: Block) -> Sums:
    """Return Σ w x, Σ w and Σ w ‖x‖² of a block, after checking it."""
    x, weights = block
    check_finite(x)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample_weight must be finite and not negative")
    x, weights = np.require(x, requirements=KERNEL_LAYOUT), np.asarray(weights)
    one_label, origins = np.zeros(len(x), np.int32), np.zeros((1, x.shape[1]))
    return summed_at(one_label, x, weights, origins)


def summed(block: Block, nearest: NearestRows, origins: np.ndarray) -> Sums:
    """Return the sums over the points of a block at each nearest center."""
    x, weights = block
    x = np.require(x, requirements=KERNEL_LAYOUT)
    return summed_at(nearest_labels(nearest, x), x, weights, origins)


def summed_at(
    labels: np.ndarray, x: np.ndarray, weights: np.ndarray, origins: np.ndarray
) -> Sums:
    """Return sums, counts and squares of `ClusterStatistics` of labelled points."""
    n_clusters = len(origins)
    sums = np.zeros(origins.shape), np.zeros(n_clusters), np.zeros(n_clusters)
    cluster_sums(x, labels, weights, origins, *sums)
    return sums


def farthest(
    block: Block,
    centers: FactoredCenters,
    count: int,
    labels: np.ndarray | None = None,
) -> FarPoints:
    """Return the points of a block that are farthest from their nearest centers.

    labels : the nearest center of each point, where they are known.
    """
    x, weights = block
    if labels is None:
        labels = nearest_labels(centers.nearest, x)
    squares = centers.squares(x, labels)
    return _sorted_by_distance(x, weights, labels, squares, count)


def _farthest_of(found: Sequence[FarPoints], count: int) -> FarPoints:
    """Return the farthest of the points that were found in each block."""
    return _sorted_by_distance(
        np.concatenate([far.rows for far in found]),
        np.concatenate([far.weights for far in found]),
        np.concatenate([far.labels for far in found]),
        np.concatenate([far.squares for far in found]),
        count,
    )


def _sorted_by_distance(
    rows: np.ndarray,
    weights: np.ndarray,
    labels: np.ndarray,
    squares: np.ndarray,
    count: int,
) -> FarPoints:
    """Return the `count` points of the largest squared distances, in their order."""
    chosen = np.argsort(-squares, kind="stable")[:count]
    far = rows[chosen].astype(np.float64)
    return FarPoints(far, weights[chosen], labels[chosen], squares[chosen])


def _take(block: tuple[Block, np.ndarray]) -> Block:
    """Return the points and the weights of a block at some of its places."""
    (x, weights), chosen = block
    return x[chosen], weights[chosen]


class _Moments:
    """What the sums over all points say of them, in their unit.

    The first arguments are what `total` returns, for all points together; `unit` is
    None where it is to be found.
    """

    def __init__(
        self,
        sums: np.ndarray,
        weight: np.ndarray,
        square: np.ndarray,
        dtype: np.dtype,
        unit: float | None,
    ) -> None:
        if weight[0] == 0:
            raise ValueError("sample_weight is zero everywhere")
        if not np.isfinite(weight[0]):
            raise ValueError("sample_weight is too large: its sum overflows")
        mean_square, n_features = float(square[0] / weight[0]), sums.shape[1]
        found = unit_of(mean_square, n_features, dtype)
        self.unit = found if unit is None else unit
        self.origin = sums[0] / (weight[0] * self.unit)
        mean_square /= self.unit**2
        of_mean = float(self.origin @ self.origin)
        self.mean_share = of_mean / max(mean_square, np.finfo(float).tiny)
        self.variance = max(mean_square - of_mean, 0.0) / n_features
