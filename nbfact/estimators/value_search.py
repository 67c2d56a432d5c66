"""The search for the fewest values whose centers are nearly as good as dense ones."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from .factored_centers import FactoredCenters
from .lloyd import Clustering
from .points import Block, WeightedPoints, nearest_labels
from .recipes import (
    ButterflyRecipe,
    CenterRecipe,
    ExploreRecipe,
    LowRankRecipe,
    ThresholdRecipe,
    row_weights,
)

SMALLEST = 512
"""Least number of entries K D of centers that are factored: the assignment of a point
to fewer of them takes no time that could be saved."""

PAYS = 0.5
"""Largest share of K D that the values of factors may be. With more of them, they and
their indices take more memory than dense centers, and the sparse product is slower."""

TRIALS, CLOSE = 5, 1.2
"""Maximum number of explorations, and the ratio of the numbers of values that are
known to be enough and not enough up to which the search goes on."""

HOPELESS, HOPE = 3.0, 1.5
"""How many times the increase that is allowed centers may increase the objective by at
most, so that points are assigned to them to see; and how many times it is, where
values are counted for that. Points that are nearer to another center make it less."""

HOPEFUL = 2
"""Number of sweeps that may be made from which on centers that increase the objective
by more than is allowed are tried too: where the dense iterations took less time, points
are assigned once or twice to see which centers are near enough."""

FEWEST_SWEEPS = 8
"""Least number of sweeps of an exploration, with which it already comes near to what
more of them find."""

SAMPLE, SAMPLE_EACH, LEAST_SAMPLES = 2000, 8, 4
"""Number of points that centers are tried on before all others, or number of them for
each center if that is more; and the least number of all points, as a multiple of it."""

FILLED = 0.75
"""Least share of the clusters with points that still have points at factored centers:
where points are far from all centers, few centers are nearly as good as many."""

NEXT = 0.65
"""Share of the values known to be enough that is tried next, before any number is known
not to be enough."""


@dataclass(frozen=True)
class Found:
    """Factored centers that are near enough, and what found them.

    Attributes
    ----------
    recipe : CenterRecipe
    clustering : Clustering
        The points at these centers.
    """

    recipe: CenterRecipe
    clustering: Clustering


class ValueSearch:
    """The search for few values, from dense centers.

    Parameters
    ----------
    points : Points or BlockedPoints
    dense : Clustering
        The points at dense centers.
    increase : float
        The share of the objective of the dense centers by which it may increase.
    kind : type of CenterRecipe
    n_factors : int or None
    sweeps : int
        Number of sweeps that may be made in all.

    Notes
    -----
    With n_k points of mean u_k at the dense center k, centers v_k increase the
    objective by Σ n_k ‖u_k - v_k‖² at most: points that are nearer to another center
    decrease it. The numbers of values of one sparse factor and of two dense ones are
    known without a search, from the sorted entries and from the singular values.
    Explorations with fewer values follow, whose number of values is bisected.
    """

    def __init__(
        self,
        points: WeightedPoints,
        dense: Clustering,
        increase: float,
        kind: type[CenterRecipe],
        n_factors: int | None,
        sweeps: int,
    ) -> None:
        self.statistics, self.kind, self.n_factors = dense.statistics, kind, n_factors
        self.points, self.objective, self.left = points, dense.objective, sweeps
        self.dense, self.shape = dense.centers, dense.centers.array.shape
        self.limit = increase * dense.objective
        self.most = int(PAYS * math.prod(self.shape))

    def found(self) -> Found | None:
        """Return the factored centers with the fewest values, or None if none pay."""
        if math.prod(self.shape) < SMALLEST:
            return None
        best: Found | None = None
        if self.kind is ButterflyRecipe:
            return self._tried(ButterflyRecipe(self.shape, self.most, True))
        hopes = (HOPE, 1.0) if self.left >= HOPEFUL else (1.0,)
        forms = self._closed_forms(hopes)
        if self.kind is ExploreRecipe:
            for recipe in forms:
                best = best or self._tried(recipe)
        return self._explored(best, forms[0].centered)

    def _tried(self, recipe: CenterRecipe) -> Found | None:
        """Return the centers of a recipe if they are near enough and pay, or None."""
        if recipe.n_values > self.most:
            return None
        means = self.statistics.located.astype(self.points.dtype)
        centers = recipe.first(means, self.statistics.counts, self.points.origin)
        most = centers.distance(self.statistics)
        if most > HOPELESS * self.limit or centers.n_parameters > self.most:
            return None
        if most > self.limit and self._sample_is_far(centers):
            return None
        clustering = Clustering.of(self.points, centers)
        near = clustering.objective - self.objective <= self.limit
        counts, dense = clustering.statistics.counts, self.statistics.counts
        filled = np.count_nonzero(counts > 0) >= FILLED * np.count_nonzero(dense > 0)
        return Found(recipe, clustering) if near and filled else None

    def _sample_is_far(self, centers: FactoredCenters) -> bool:
        """Return whether some of the points say that centers are not near enough."""
        if self.sample is None:
            return False
        block, objective = self.sample
        limit = objective * (1 + self.limit / self.objective)
        return _objective(block, centers) > limit

    @functools.cached_property
    def sample(self) -> tuple[Block, float] | None:
        """Some of the points, and their objective at the dense centers.

        It is None where points are few, or the sample says nothing.
        """
        n_points = self.points.shape[0]
        count = max(SAMPLE, SAMPLE_EACH * self.shape[0])
        if n_points < LEAST_SAMPLES * count:
            return None
        rng = np.random.default_rng(0)
        chosen = np.sort(rng.choice(n_points, count, replace=False))
        block = self.points.take(chosen)
        objective = _objective(block, self.dense)
        return (block, objective) if objective > 0 else None

    def _explored(self, best: Found | None, centered: bool) -> Found | None:
        """Return the best of some explorations, or what was found before."""
        least = sum(self.shape) + (self.shape[1] if centered else 0)
        enough = best.clustering.centers.n_parameters if best else self.most / NEXT
        too_few, each = 0.0, max(FEWEST_SWEEPS, self.left // 3)
        for _ in range(TRIALS):
            values = math.sqrt(enough * too_few) if too_few else NEXT * enough
            if values < least or enough < CLOSE * too_few or self.left < each:
                break
            self.left -= each
            sweeps = each, max(5, each // 2)
            recipe = self.kind(
                self.shape, int(values), centered, self.n_factors, sweeps
            )
            found = self._tried(recipe)
            if found:
                best, enough = found, found.clustering.centers.n_parameters
            else:
                too_few = values
        return best

    def _closed_forms(self, hopes: Sequence[float]) -> list[CenterRecipe]:
        """Return recipes of one sparse factor and of a low rank, for some increases.

        Of each increase, the one of fewer values comes first. They have an offset where
        one sparse factor needs fewer values with it.

        hopes : the increases, as multiples of the one that is allowed.
        """
        counts, offset = self.statistics.counts, self.shape[1]
        weights = row_weights(counts)[:, None]
        largest = max(float(counts.max()), np.finfo(float).tiny)
        targets = [
            weights * (self.statistics.located - m) for m in (0.0, self.points.origin)
        ]
        entries = [_sums_of_smallest(np.square(one)) for one in targets]
        singular: dict[bool, np.ndarray] = {}
        recipes: list[CenterRecipe] = []
        for hope in hopes:
            limit = hope * self.limit / largest
            kept = [_n_largest(sums, limit) for sums in entries]
            centered = kept[1] + offset < kept[0]
            if centered not in singular:
                singular[centered] = _sums_of_smallest(_energies(targets[centered]))
            rank, added = _n_largest(singular[centered], limit), centered * offset
            pair: list[CenterRecipe] = [
                ThresholdRecipe(self.shape, kept[centered] + added, centered),
                LowRankRecipe(self.shape, rank * sum(self.shape) + added, centered),
            ]
            recipes += sorted(pair, key=lambda one: one.n_values)
        return recipes


def _objective(block: Block, centers: FactoredCenters) -> float:
    """Return the weighted sum of the squared distances of points to their centers."""
    x, weights = block
    labels = nearest_labels(centers.nearest, x)
    return float(centers.squares(x, labels) @ weights)


def _energies(target: np.ndarray) -> np.ndarray:
    """Return the squared singular values of a matrix."""
    short = target if target.shape[0] <= target.shape[1] else target.T
    return np.maximum(scipy.linalg.eigvalsh(short @ short.T), 0)


def _sums_of_smallest(energies: np.ndarray) -> np.ndarray:
    """Return the sum of the smallest number, of the two smallest ones, and so on."""
    return np.cumsum(np.sort(energies.ravel()))


def _n_largest(sums: np.ndarray, limit: float) -> int:
    """Return how many of the largest numbers leave a sum of the others within a limit.

    At least one is kept. Rounding of centers to single precision is left some room.

    sums : see `_sums_of_smallest`.
    """
    return max(1, len(sums) - int(np.searchsorted(sums, 0.999 * limit, "right")))
