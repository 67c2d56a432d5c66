"""The search for the fewest values whose centers are nearly as good as dense ones."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from .closed_forms import ClosedForm, ClosedForms
from .factored_centers import FactoredCenters
from .lloyd import Clustering
from .points import WeightedPoints
from .recipes import (
    ButterflyRecipe,
    CenterRecipe,
    ExploreRecipe,
    LowRankRecipe,
    ThresholdRecipe,
)

SMALLEST = 512
"""Least number of entries K D of centers that are factored: the assignment of a point
to fewer of them takes no time that could be saved."""

PAYS = 0.5
"""Largest share of K D that the values of factors may be. With more of them, they and
their indices take more memory than dense centers, and the sparse product is slower."""

MOST_VALUES = 8
"""Time of projections to the most values that pay, over the time of the products of a
sweep, which is about that of projections to few values."""

ONLY_WAY = 2
"""How many times the work that is left the first exploration may take where neither one
sparse factor nor a low rank was near enough."""

TRIALS, CLOSE = 5, 1.2
"""Maximum number of explorations, and the ratio of the numbers of values that are
known to be enough and not enough up to which the search goes on."""

HOPELESS, HOPE = 3.0, 1.5
"""How many times the increase that is allowed centers may increase the objective by at
most, so that points are assigned to them to see; and how many times it is, where
values are counted for that. Points that are nearer to another center make it less."""

CAREFUL = 0.96
"""How near to the increase that is allowed the next one is to come, after one that was
too large."""

HOPEFUL = 1
"""Least number of sweeps that may be made for which centers that increase the objective
by more than is allowed are tried too: where the dense iterations took less time, points
are assigned once or twice to see which centers are near enough."""

FEWEST_SWEEPS = 5
"""Least number of sweeps of an exploration, with which it already comes near to what
more of them find."""

SAMPLE, LEAST_SAMPLES = 1000, 4
"""Number of points that centers are tried on before all others, and the least number of
all points, as a multiple of it."""

FILLED = 0.75
"""Least share of the clusters with points that still have points at factored centers:
where points are far from all centers, few centers are nearly as good as many."""

FILLED_OF_SAMPLE = 0.8
"""The same share among the clusters that have points of the sample, up to which nothing
else is tried. It is larger, because some of the clusters of few points are missing."""

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


class Sample:
    """Some of the points, whose distances are computed by dense products.

    Packed factors pay where there are more points.

    Parameters
    ----------
    moved : array of float64, (n, D)
        The points less the origin.
    weights : array, (n,)
    origin : array of float64, (D,)
    dense : FactoredCenters
        What others are compared with.
    """

    def __init__(
        self,
        moved: np.ndarray,
        weights: np.ndarray,
        origin: np.ndarray,
        dense: FactoredCenters,
    ) -> None:
        self.moved, self.weights, self.origin = moved, weights, origin
        self.squares = np.einsum("nd,nd->n", moved, moved)
        self.of_dense = self.assigned(dense)

    def assigned(self, centers: FactoredCenters) -> tuple[float, int]:
        """Return the objective, and the number of the centers that are nearest."""
        rows = centers.array - self.origin
        values = -2 * rows @ self.moved.T
        values += np.einsum("kd,kd->k", rows, rows)[:, None]
        labels = values.argmin(axis=0)
        least = np.take_along_axis(values, labels[None], 0)[0]
        objective = self.weights @ np.maximum(least + self.squares, 0)
        filled = np.bincount(labels, self.weights) > 0
        return float(objective), int(np.count_nonzero(filled))


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
        self.points, self.objective, self.left = points, dense.objective, float(sweeps)
        self.dense, self.shape = dense.centers, dense.centers.array.shape
        self.limit = increase * dense.objective
        self.most, self.excess = int(PAYS * math.prod(self.shape)), math.inf

    def found(self) -> Found | None:
        """Return the factored centers with the fewest values, or None if none pay."""
        if math.prod(self.shape) < SMALLEST:
            return None
        if self.kind is ButterflyRecipe:
            return self._tried(ButterflyRecipe(self.shape, self.most, True))
        forms = ClosedForms(self.statistics, self.points.origin)
        best = self._closed_form(forms) if self.kind is ExploreRecipe else None
        recipe = best.recipe if best else forms.recipe(ThresholdRecipe, self.limit)
        return self._explored(best, recipe.centered)

    def _closed_form(self, forms: ClosedForms) -> Found | None:
        """Return the centers of one sparse factor, or of a low rank, of fewer values.

        Centers that increase the objective by more than is allowed at most are tried
        first, and then those that are near enough as far as these have shown.
        """
        best: Found | None = None
        first = HOPE if self.left >= HOPEFUL else 1.0
        kinds: list[ClosedForm] = [ThresholdRecipe, LowRankRecipe]
        kinds.sort(key=lambda kind: forms.recipe(kind, first * self.limit).n_values)
        for kind in kinds:
            hope, tried = first, []
            while hope not in tried:
                tried.append(hope)
                recipe = forms.recipe(kind, hope * self.limit)
                if best and recipe.n_values >= best.recipe.n_values:
                    break
                found = self._tried(recipe)
                if found:
                    best = found
                    break
                hope = self._lower(hope) if len(tried) == 1 else 1.0
        return best

    def _lower(self, hope: float) -> float:
        """Return which increase to try after one that was too large, as a multiple.

        It is one where the points did not say by how much it was.
        """
        better = hope * CAREFUL / max(self.excess, CAREFUL)
        return better if 1 / CAREFUL < better < hope else 1.0

    def _tried(self, recipe: CenterRecipe) -> Found | None:
        """Return the centers of a recipe if they are near enough and pay, or None.

        How large the increase of the objective is, in multiples of what is allowed, is
        `excess` then, where points were assigned.
        """
        self.excess = math.inf
        if recipe.n_values > self.most:
            return None
        means = self.statistics.located.astype(self.points.dtype)
        centers = recipe.first(means, self.statistics.counts, self.points.origin)
        most = centers.distance(self.statistics)
        if most > HOPELESS * self.limit or centers.n_parameters > self.most:
            return None
        if most > self.limit > 0 and self.sample is not None:
            before, n_before = self.sample.of_dense
            after, n_after = self.sample.assigned(centers)
            if n_after < FILLED_OF_SAMPLE * n_before:
                return None
            if self._is_far(after - before, self.limit / self.objective * before):
                return None
        clustering = Clustering.of(self.points, centers)
        counts, dense = clustering.statistics.counts, self.statistics.counts
        if np.count_nonzero(counts > 0) < FILLED * np.count_nonzero(dense > 0):
            return None
        if self._is_far(clustering.objective - self.objective, self.limit):
            return None
        return Found(recipe, clustering)

    def _is_far(self, increase: float, allowed: float) -> bool:
        """Return whether an objective increases by too much, and note by how much."""
        none = 0.0 if increase <= 0 else math.inf
        self.excess = increase / allowed if allowed > 0 else none
        return self.excess > 1

    @functools.cached_property
    def sample(self) -> Sample | None:
        """Some of the points; None where points are few."""
        n_points = self.points.shape[0]
        if n_points < LEAST_SAMPLES * SAMPLE:
            return None
        rng = np.random.default_rng(0)
        chosen = np.sort(rng.choice(n_points, SAMPLE, replace=False))
        x, weights = self.points.take(chosen)
        origin = self.points.origin
        return Sample(x - origin, weights, origin, self.dense)

    def _explored(self, best: Found | None, centered: bool) -> Found | None:
        """Return the best of some explorations, or what was found before."""
        least = sum(self.shape) + (self.shape[1] if centered else 0)
        enough = best.clustering.centers.n_parameters if best else self.most / NEXT
        too_few, each = 0.0, max(FEWEST_SWEEPS, int(self.left / 3))
        for _ in range(TRIALS):
            values = math.sqrt(enough * too_few) if too_few else NEXT * enough
            work = each * (1 + values / self.most * MOST_VALUES) / 2
            room = self.left if best else ONLY_WAY * self.left
            if values < least or enough < CLOSE * too_few or room < work:
                break
            self.left -= work
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
