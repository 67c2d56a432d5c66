"""Points to be clustered, in memory or in blocks: placed at centers, and summed there.

`Points` and `Blocks` have the same methods: arrays that fit the memory are passed over
by Numba's threads, dask arrays block by block by dask's workers.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from .._core.dask import map_blocks, row_blocks, sum_blocks
from ..kernels import cluster_sums
from ..operators import NearestRows
from .factored_centers import FactoredCenters, Statistics

# Kernels are compiled for arrays that may be written; dask's often may not.
_KERNELS = ("C", "W")


@dataclass(frozen=True)
class Far:
    """Points far from their center, the farthest first.

    rows: (count, D); weights, labels and squares, of the distances: (count,).
    """

    rows: np.ndarray
    weights: np.ndarray
    labels: np.ndarray
    squares: np.ndarray


class Points:
    """Weighted points in memory: x (N, D), finite, C-contiguous, weights (N,).

    origin: what sums are relative to, by default the weighted mean. mean_share: how
    much of the squared norms of all points is that of their mean.
    """

    def __init__(
        self, x: np.ndarray, weights: np.ndarray, origin: np.ndarray | None = None
    ) -> None:
        self.x, self.weights = np.require(x, requirements=_KERNELS), weights
        self.shape, self.dtype = x.shape, x.dtype
        mean, self.mean_share = _means(*total((x, weights)))
        self.origin = mean if origin is None else origin

    def placed(self, centers: FactoredCenters) -> tuple[Statistics, np.ndarray]:
        """Return what points sum to at their nearest centers, and which these are."""
        parallel = numba.get_num_threads() > 1
        labels, _ = centers.nearest(self.x, parallel)
        sums = summed_at(labels, self.x, self.weights, self.origin, len(centers.array))
        return Statistics(self.origin, *sums), labels

    def farthest(self, centers: FactoredCenters, count: int) -> Far:
        """Return the points farthest from their nearest centers."""
        return farthest((self.x, self.weights), centers, count)

    def take(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points and their weights, by place, the places in order."""
        return self.x[chosen], self.weights[chosen]


class Blocks:
    """Weighted points in a dask array x (N, D); weights: (N,), of NumPy or dask."""

    def __init__(self, x: Any, weights: Any, origin: np.ndarray | None = None) -> None:
        import dask

        self.shape, self.dtype = x.shape, x.dtype
        self.starts = np.cumsum([0, *x.chunks[0]])
        if hasattr(weights, "dask"):
            parts = weights.rechunk((x.chunks[0],)).to_delayed().tolist()
        else:
            parts = np.split(weights, self.starts[1:-1])
        self.blocks = [
            dask.delayed((block, part))
            for block, part in zip(row_blocks(x), parts, strict=True)
        ]
        mean, self.mean_share = _means(*sum_blocks(total, self.blocks))
        self.origin = mean if origin is None else origin

    def placed(self, centers: FactoredCenters) -> tuple[Statistics, None]:
        """Return what points sum to at their nearest centers; labels stay there."""
        count = len(centers.array)
        shared = centers.nearest, self.origin, count
        return Statistics(self.origin, *sum_blocks(summed, self.blocks, *shared)), None

    def farthest(self, centers: FactoredCenters, count: int) -> Far:
        """Return the points farthest from their nearest centers."""
        found = map_blocks(farthest, self.blocks, centers, count)
        names = ("rows", "weights", "labels", "squares")
        return _sorted(
            *(np.concatenate([getattr(far, name) for far in found]) for name in names),
            count,
        )

    def take(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points and their weights, by place, the places in order."""
        import dask

        parts = np.split(chosen, np.searchsorted(chosen, self.starts[1:-1]))
        blocks = [
            dask.delayed((block, part - start))
            for block, part, start in zip(self.blocks, parts, self.starts, strict=False)
            if len(part)
        ]
        x, weights = zip(*map_blocks(_take, blocks), strict=True)
        return np.concatenate(x), np.concatenate(weights)


def check_finite(x: np.ndarray) -> None:
    """Refuse points that are not finite."""
    if not np.isfinite(x).all():
        raise ValueError("X contains NaN or infinity")


def total(block: tuple) -> tuple:
    """Return Σ w x, Σ w and Σ w ‖x‖² of a block (x, weights), checked."""
    x, weights = block
    check_finite(x)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample_weight must be finite and not negative")
    x, weights = np.require(x, requirements=_KERNELS), np.asarray(weights)
    one_label, origin = np.zeros(len(x), np.int32), np.zeros(x.shape[1])
    return summed_at(one_label, x, weights, origin, 1)


def summed(block: tuple, nearest: NearestRows, origin: np.ndarray, count: int) -> tuple:
    """Return what a block sums to at the nearest of so many centers."""
    x, weights = block
    x = np.require(x, requirements=_KERNELS)
    return summed_at(nearest(x)[0], x, weights, origin, count)


def summed_at(
    labels: np.ndarray,
    x: np.ndarray,
    weights: np.ndarray,
    origin: np.ndarray,
    count: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums, counts and squares of `Statistics`."""
    sums = np.zeros((count, x.shape[1])), np.zeros(count), np.zeros(count)
    cluster_sums(x, labels, weights, origin, *sums)
    return sums


def farthest(block: tuple, centers: FactoredCenters, count: int) -> Far:
    """Return the points of a block that are farthest from their nearest centers."""
    x, weights = block
    labels, _ = centers.nearest(x)
    return _sorted(x, weights, labels, centers.squares(x, labels), count)


def _sorted(rows, weights, labels, squares, count):
    chosen = np.argsort(-squares, kind="stable")[:count]
    rows = rows[chosen].astype(np.float64)
    return Far(rows, weights[chosen], labels[chosen], squares[chosen])


def _take(block):
    (x, weights), chosen = block
    return x[chosen], weights[chosen]


def _means(sums, weight, square):
    """Return the mean of points, and how much of their squared norms it is."""
    if weight[0] == 0:
        raise ValueError("sample_weight is zero everywhere")
    mean = sums[0] / weight[0]
    return mean, float(weight[0] * (mean @ mean) / max(square[0], np.finfo(float).tiny))
