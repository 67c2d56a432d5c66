"""How the centers of QuicK-means are factored, at first and at each iteration."""

import abc
import math

import numpy as np

from ..algorithms import (
    butterfly_factorize,
    explore,
    hierarchical,
    palm4msa,
    refine,
)
from ..algorithms.starts import layer_shapes, split_budget
from ..constraints import Sp, SpLinCol
from ..operators import Chain, FactorProduct
from .factored import FactoredCenters, Statistics, scaled_rows

# Weights of centers below this share of the largest are raised to it, in the fit only:
# rows are divided by them again.
_LIGHTEST = 1e-6


class Recipe(abc.ABC):
    """Factors centers, at first and again from the present factors.

    shape: (K, D) of the centers; centered: whether factors make up centers less the
    mean of all points.
    """

    def __init__(self, shape: tuple[int, int], centered: bool) -> None:
        self.shape, self.centered = shape, centered

    @abc.abstractmethod
    def _start(self, target: np.ndarray) -> FactorProduct:
        """Return factors of a target, (K, D)."""

    @abc.abstractmethod
    def _again(self, target: np.ndarray, product: FactorProduct) -> FactorProduct:
        """Return factors of a target, from those of one that is near."""

    def first(self, points: np.ndarray, origin: np.ndarray) -> FactoredCenters:
        """Return centers near K points; origin: the mean of all points, float64."""
        target, offset = self._target(points - origin, origin, points.dtype)
        return FactoredCenters(self._start(target), offset)

    def improved(
        self, statistics: Statistics, centers: FactoredCenters
    ) -> FactoredCenters:
        """Return centers nearer to the means of points, or those given.

        With n_k points of mean u_k at center v_k, Σ n_k ‖u_k - v_k‖² is the norm of
        diag(√n) (U - V), and diag(√n) V has the supports of V.
        """
        counts, dtype = statistics.counts, centers.product.dtype
        used = counts > 0
        old = centers.array - statistics.origin
        means = np.where(used[:, None], statistics.means, old)
        weights = np.sqrt(np.where(used, counts, counts[used].min()))
        weights = np.maximum(weights / weights.max(), _LIGHTEST)
        target, offset = self._target(means, statistics.origin, dtype)
        target *= weights[:, None].astype(dtype)
        found = self._again(target, scaled_rows(centers.product, weights))
        new = FactoredCenters(scaled_rows(found, 1 / weights), offset)
        better = new.distance(statistics) < centers.distance(statistics)
        return new if better else centers

    def _target(self, means, origin, dtype):
        """Return what is factored, for means less the origin, and the offset."""
        if self.centered:
            return means.astype(dtype), origin.astype(dtype)
        return (means + origin).astype(dtype), None


class Palm(Recipe):
    """The method of the paper: hierarchical at first, then palm4MSA."""

    def __init__(self, shape, centered, sparsity, n_factors):
        super().__init__(shape, centered)
        if n_factors is None:
            n_factors = max(1, int(math.log2(min(shape))))
        self.sets = [SpLinCol(one, sparsity) for one in layer_shapes(*shape, n_factors)]

    def _start(self, target):
        first, *rest = self.sets
        if not rest:
            return palm4msa(target, self.sets, n_iter=1).operator
        return hierarchical(target, self.sets[:-1], self._residuals()).operator

    def _residuals(self):
        last = self.sets[-1]
        size, fewest = math.prod(self.shape), last.k * max(last.shape)
        shapes = [(one.shape[1], self.shape[1]) for one in self.sets[:-1]]
        return [
            Sp(shape, min(math.prod(shape), max(fewest, size // 2**level)))
            for level, shape in enumerate(shapes, start=1)
        ]

    def _again(self, target, product):
        options = {"n_iter": 30, "tol": 1e-6, "keep": "best"}
        return palm4msa(target, self.sets, init=product, **options).operator


class Explore(Recipe):
    """Leaky exploration: finds better supports, with as many non-zeros."""

    def __init__(self, shape, centered, budget, n_factors):
        super().__init__(shape, centered)
        self.budget, self.n_factors = budget, n_factors or 2

    def _start(self, target):
        shapes = layer_shapes(*self.shape, self.n_factors)
        sets = split_budget(shapes, self.budget)
        return explore(target, sets, n_iter=50, safeguard=False).operator

    def _again(self, target, product):
        sets = split_budget([f.shape for f in product.factors], self.budget)
        options = {"n_iter": 20, "leak": (0.9, 0.5), "safeguard": False}
        return explore(target, sets, init=product, **options).operator


class Butterflies(Recipe):
    """A butterfly of the smallest chain, its values fitted again and again."""

    def _start(self, target):
        found = butterfly_factorize(target, Chain.smallest(target.shape))
        return found.operator.to_factors()

    def _again(self, target, product):
        return refine(product, target, n_iter=3).operator
