"""QuicK-means: Lloyd's iterations with centers that are a product of sparse factors."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .factored_centers import FactoredCenters, Statistics
from .points import Far
from .recipes import CenterRecipe
from .seeds import Seeds


@dataclass(frozen=True)
class Clustering:
    """FactoredCenters, the points at them, and the sum of squared distances between.

    labels: which center each point is at, of the kind that points have.
    """

    centers: FactoredCenters
    statistics: Statistics
    labels: Any
    objective: float

    @classmethod
    def of(cls, points: Any, centers: FactoredCenters) -> "Clustering":
        """Return points, an object such as `Points`, at their nearest centers."""
        statistics, labels = points.placed(centers)
        return cls(centers, statistics, labels, centers.objective(statistics))


def iterate(
    points: Any,
    recipe: CenterRecipe,
    first: Seeds,
    max_iter: int,
    tol: float,
    verbose: bool,
) -> tuple[Clustering, dict[str, list[float]]]:
    """Improve centers until the objective, which never increases, settles.

    first: what they are near at first. Return what was found, and its history.
    """
    began = time.perf_counter()
    found = Clustering.of(
        points, recipe.first(first.means, first.counts, points.origin)
    )
    history = {"objective": [], "n_empty": [], "seconds": []}
    for iteration in range(1, max_iter + 1):
        before = found.objective
        found = _improved(points, recipe, found)
        history["objective"].append(found.objective)
        history["n_empty"].append(len(empty_of(found.statistics)))
        history["seconds"].append(time.perf_counter() - began)
        if verbose:
            print(f"iteration {iteration}: objective {found.objective:.6g}")
        if before - found.objective <= tol * before:
            break
    return found, history


def _improved(points, recipe, found):
    """Return the first that is better of what is tried, or what is given."""
    tried = [found.statistics]
    empty = empty_of(found.statistics)
    if len(empty):
        far = points.farthest(found.centers, len(empty))
        tried.insert(0, relocated(found.statistics, far))
    for statistics in tried:
        centers = recipe.improved(statistics, found.centers)
        if centers is found.centers:
            continue
        other = Clustering.of(points, centers)
        if other.objective < found.objective:
            return other
    return found


def empty_of(statistics: Statistics) -> np.ndarray:
    """Return which centers are empty: no point, or no weight, is at them."""
    return np.flatnonzero(statistics.counts <= 0)


def relocated(statistics: Statistics, far: Far) -> Statistics:
    """Return statistics with far points taken from their centers to empty ones.

    Points that are on their center, or alone at it, stay.
    """
    origin, sums = statistics.origin, statistics.sums.copy()
    counts, squares = statistics.counts.copy(), statistics.squares.copy()
    vacant = list(empty_of(statistics)[::-1])
    for row, weight, label, distance in zip(
        far.rows, far.weights, far.labels, far.squares, strict=True
    ):
        alone = counts[label] - weight <= 1e-9 * weight
        if vacant and distance > 0 and weight > 0 and not alone:
            moved = row - origin
            for k, signed in ((label, -weight), (vacant.pop(), weight)):
                sums[k] += signed * moved
                counts[k] += signed
                squares[k] += signed * (moved @ moved)
    return Statistics(origin, sums, counts, squares)
