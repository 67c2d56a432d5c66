"""The points that are clustered, in memory or in dask blocks, and passes over them.

`Points` and `BlockedPoints` have the same methods. Arrays in memory are passed over by
as many threads as `nbfact.threads` allows, dask arrays block by block by dask's
workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from .._core.dask import map_blocks, row_blocks, sum_blocks
from ..kernels import cluster_sums
from ..operators import NearestRows
from .factored_centers import ClusterStatistics, FactoredCenters
from .row_tiles import tiles

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
    origin : array of float64, (D,)
        The weighted mean.
    mean_share : float
        n ‖mean‖² / Σ ‖x‖²: the share of the squared norms of all points that the mean
        explains.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    origin: np.ndarray
    mean_share: float

    def placed(self, centers: FactoredCenters) -> tuple[ClusterStatistics, Any]:
        """Return the sums over the points of each center, and the labels, or None."""

    def farthest(self, centers: FactoredCenters, count: int) -> FarPoints:
        """Return the points that are farthest from their nearest centers."""

    def take(self, chosen: np.ndarray) -> Block:
        """Return the points and the weights at some places, which are in order."""


class Points:
    """Weighted points in memory.

    Parameters
    ----------
    x : array, (N, D)
        Finite, C-contiguous, float32 or float64.
    weights : array, (N,)
        Not negative, not all zero.

    See `WeightedPoints`, which describes the attributes.
    """

    def __init__(self, x: np.ndarray, weights: np.ndarray) -> None:
        self.x, self.weights = np.require(x, requirements=KERNEL_LAYOUT), weights
        self.shape: tuple[int, ...] = x.shape
        self.dtype: np.dtype = x.dtype
        sums = total((self.x, weights))
        if sums[2][0] == 0:
            check_range(x[weights > 0])
        self.origin, self.mean_share = _mean_and_share(x.dtype, *sums)

    def placed(self, centers: FactoredCenters) -> tuple[ClusterStatistics, np.ndarray]:
        """Return the sums over the points of each center, and the labels."""
        labels = nearest_labels(centers.nearest, self.x)
        origins = centers.array.astype(np.float64)
        sums = summed_at(labels, self.x, self.weights, origins)
        return ClusterStatistics(origins, *sums), labels

    def farthest(self, centers: FactoredCenters, count: int) -> FarPoints:
        """Return the points that are farthest from their nearest centers."""
        return farthest((self.x, self.weights), centers, count)

    def take(self, chosen: np.ndarray) -> Block:
        """Return the points and the weights at some places, which are in order."""
        return self.x[chosen], self.weights[chosen]


class BlockedPoints:
    """Weighted points in a dask array.

    Parameters
    ----------
    x : dask array, (N, D)
        Chunks of known sizes.
    weights : array or dask array, (N,)
        Not negative, not all zero.

    See `WeightedPoints`, which describes the attributes.
    """

    def __init__(self, x: Any, weights: Any) -> None:
        import dask

        self.shape: tuple[int, ...] = x.shape
        self.dtype: np.dtype = x.dtype
        self.starts = np.cumsum([0, *x.chunks[0]])
        parts: Sequence[Any]
        if hasattr(weights, "dask"):
            parts = weights.rechunk((x.chunks[0],)).to_delayed().tolist()
        else:
            parts = np.split(weights, self.starts[1:-1])
        self.blocks = [
            dask.delayed((block, part))
            for block, part in zip(row_blocks(x), parts, strict=True)
        ]
        sums = sum_blocks(total, self.blocks)
        self.origin, self.mean_share = _mean_and_share(x.dtype, *sums)

    def placed(self, centers: FactoredCenters) -> tuple[ClusterStatistics, None]:
        """Return the sums over the points of each center; labels stay with the blocks.

        `QuicKMeans.predict` returns the labels as a dask array.
        """
        origins = centers.array.astype(np.float64)
        sums = sum_blocks(summed, self.blocks, centers.nearest, origins)
        return ClusterStatistics(origins, *sums), None

    def farthest(self, centers: FactoredCenters, count: int) -> FarPoints:
        """Return the points that are farthest from their nearest centers."""
        found = map_blocks(farthest, self.blocks, centers, count)
        return _sorted_by_distance(
            np.concatenate([far.rows for far in found]),
            np.concatenate([far.weights for far in found]),
            np.concatenate([far.labels for far in found]),
            np.concatenate([far.squares for far in found]),
            count,
        )

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


_OUT_OF_RANGE = "X is too {} for {}: squared distances would overflow or vanish"


def nearest_labels(nearest: NearestRows, x: np.ndarray) -> np.ndarray:
    """Return the nearest center of each point, or raise a ValueError that names X."""
    try:
        return nearest(x)[0]
    except ValueError as error:
        raise ValueError(f"X {x.shape}: {error}") from None


def check_range(x: np.ndarray) -> None:
    """Raise ValueError if squares of points lose them: see `check_mean_square`."""
    square = np.float64(0)
    with np.errstate(over="ignore"):
        for tile in tiles(*x.shape):
            square += np.einsum("nd,nd->", x[tile], x[tile], dtype=np.float64)
    if square == 0 and x.any():
        raise ValueError(_OUT_OF_RANGE.format("small", x.dtype))
    check_mean_square(float(square) / max(len(x), 1), x.dtype)


def check_mean_square(square: float, dtype: np.dtype) -> None:
    """Raise ValueError if the mean square of points is near the limits of their dtype.

    The squares of their differences could then overflow, or vanish.
    """
    info = np.finfo(dtype)
    if not square < 1e-4 * float(info.max):
        raise ValueError(_OUT_OF_RANGE.format("large", dtype))
    if 0 < square < 1e8 * float(info.smallest_normal):
        raise ValueError(_OUT_OF_RANGE.format("small", dtype))


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


def farthest(block: Block, centers: FactoredCenters, count: int) -> FarPoints:
    """Return the points of a block that are farthest from their nearest centers."""
    x, weights = block
    labels = nearest_labels(centers.nearest, x)
    squares = centers.squares(x, labels)
    return _sorted_by_distance(x, weights, labels, squares, count)


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


def _mean_and_share(
    dtype: np.dtype, sums: np.ndarray, weight: np.ndarray, square: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the mean of the points, and the share of their squared norms it explains.

    The last arguments are what `total` returns, for all points together.
    """
    if weight[0] == 0:
        raise ValueError("sample_weight is zero everywhere")
    if not np.isfinite(weight[0]):
        raise ValueError("sample_weight is too large: its sum overflows")
    check_mean_square(square[0] / weight[0], dtype)
    mean = sums[0] / weight[0]
    return mean, float(weight[0] * (mean @ mean) / max(square[0], np.finfo(float).tiny))
