"""The iterations of QuicK-means: Lloyd's, with centers that are a product."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .factored_centers import ClusterStatistics, FactoredCenters
from .points import FarPoints, WeightedPoints
from .recipes import CenterRecipe

ALONE = 1e-9
"""Weight of all other points at a center, relative to the weight of one point, up to
which that point counts as alone at its center. It is not moved away, because its center
would become empty."""


@dataclass(frozen=True)
class Clustering:
    """Centers, and the points that are assigned to each of them.

    Attributes
    ----------
    centers : FactoredCenters
    statistics : ClusterStatistics
        The sums over the points of each center.
    labels : array of int32, (N,), or None
        The center of each point; None for points in dask blocks.
    objective : float
        Weighted sum of the squared distances of the points to their centers.
    """

    centers: FactoredCenters
    statistics: ClusterStatistics
    labels: Any
    objective: float

    @classmethod
    def of(cls, points: WeightedPoints, centers: FactoredCenters) -> "Clustering":
        """Assign points to their nearest centers."""
        return cls.placed(centers, *points.placed(centers))

    @classmethod
    def placed(
        cls, centers: FactoredCenters, statistics: ClusterStatistics, labels: Any
    ) -> "Clustering":
        """Return what `WeightedPoints.placed` found, with the objective."""
        return cls(centers, statistics, labels, float(statistics.squares.sum()))


class IterationLog:
    """What is noted after each iteration.

    Attributes
    ----------
    columns : dict of list
        "objective", "n_empty" and "seconds": see `QuicKMeans`.
    """

    def __init__(self, verbose: bool, kind: str) -> None:
        self.verbose, self.kind, self.began = verbose, kind, time.perf_counter()
        self.columns: dict[str, list[float]] = {
            "objective": [],
            "n_empty": [],
            "seconds": [],
        }

    def note(self, found: "Clustering") -> None:
        """Note a clustering, and print its objective if that is asked for."""
        self.columns["objective"].append(found.objective)
        self.columns["n_empty"].append(len(empty_clusters(found.statistics)))
        self.columns["seconds"].append(time.perf_counter() - self.began)
        if self.verbose:
            n_done = len(self.columns["objective"])
            print(f"{self.kind} {n_done}: objective {found.objective:.6g}")


def iterate(
    points: WeightedPoints,
    recipe: CenterRecipe,
    found: Clustering,
    max_iter: int,
    settled: Callable[[Clustering, Clustering], bool],
    history: IterationLog,
) -> Clustering:
    """Improve centers until the objective, which never increases, settles.

    Parameters
    ----------
    points : Points or BlockedPoints
    recipe : CenterRecipe
        How centers are factored.
    found : Clustering
        The first centers.
    max_iter : int
        Maximum number of iterations.
    settled : callable
        Says of the clusterings before and after an iteration whether it is the last.
    history : IterationLog
        Each iteration is noted in it.
    """
    for _ in range(max_iter):
        before = found
        found = improved(points, recipe, found)
        history.note(found)
        if found is before or settled(before, found):
            break
    return found


def improved(
    points: WeightedPoints, recipe: CenterRecipe, found: Clustering
) -> Clustering:
    """Return the first clustering that lowers the objective, or `found` if none does.

    If there are empty clusters, far points are first moved to them; then the points are
    left where they are.
    """
    candidates = [found.statistics]
    empty = empty_clusters(found.statistics)
    if len(empty):
        far = points.farthest(found.centers, len(empty), found.labels)
        candidates.insert(0, relocated(found.statistics, far))
    for statistics in candidates:
        centers = recipe.improved(statistics, found.centers)
        if centers is found.centers:
            continue
        other = Clustering.of(points, centers)
        if other.objective < found.objective:
            return other
    return found


def empty_clusters(statistics: ClusterStatistics) -> np.ndarray:
    """Return the indices of the centers whose points have no weight together."""
    return np.flatnonzero(statistics.counts <= 0)


def relocated(statistics: ClusterStatistics, far: FarPoints) -> ClusterStatistics:
    """Return the statistics after moving far points from their centers to empty ones.

    Points that equal their center, or that are alone at it, are not moved.
    """
    origins, sums = statistics.origins, statistics.sums.copy()
    counts, squares = statistics.counts.copy(), statistics.squares.copy()
    vacant = list(empty_clusters(statistics)[::-1])
    for row, weight, label, distance in zip(
        far.rows, far.weights, far.labels, far.squares, strict=True
    ):
        alone = counts[label] - weight <= ALONE * weight
        if vacant and distance > 0 and weight > 0 and not alone:
            for k, signed in ((label, -weight), (vacant.pop(), weight)):
                moved = row - origins[k]
                sums[k] += signed * moved
                counts[k] += signed
                squares[k] += signed * (moved @ moved)
    return ClusterStatistics(origins, sums, counts, squares)
