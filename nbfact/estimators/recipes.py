"""How the centers of QuicK-means are factored, at first and at each iteration."""

import abc
import math

import numpy as np

from ..algorithms import butterfly_factorize, explore, palm4msa, refine
from ..algorithms.learn.starts import layer_shapes, peeled, split_budget
from ..constraints import Sp
from ..operators import Chain, FactorProduct
from .factored_centers import FactoredCenters, Statistics, scaled_rows

# Weights of centers below this share of the largest are raised to it, in the fit only:
# rows are divided by them again.
_LIGHTEST = 1e-6


def budget_of(shape: tuple[int, int], sparsity: int) -> int:
    """Return the non-zeros of the factors of a fast transform, at most all entries.

    Those of L factors, all but one square of the smaller side, with `sparsity` for
    each row or column of the longer side of each. L = log2(min(K, D)) in the text of
    the paper and log2(max(K, D)) in its code; here it is log2 of the geometric mean.
    """
    least, most = sorted(shape)
    n_factors = max(1, math.ceil(math.log2(least * most) / 2))
    return min(sparsity * (least * (n_factors - 1) + most), least * most)


class CenterRecipe(abc.ABC):
    """Factors centers, at first and again from the present factors.

    shape: (K, D) of the centers; sparsity: see `budget_of`; n_factors: that share the
    budget, None for as many as are best; mean_share: how much of the squared norms of
    all points is that of their mean.

    An offset for all centers costs D values of the budget, and is there where the mean
    is a larger share than what they would explain of the rest.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        sparsity: int,
        n_factors: int | None,
        mean_share: float,
    ) -> None:
        self.shape = shape
        budget, size = budget_of(shape, sparsity), math.prod(shape)
        self.dense = n_factors is None and budget == size
        n_clusters, n_features = shape
        # What is left where values explain as much of any part of the squared norms.
        without = 1 - budget / size
        left = (1 - mean_share) * (1 - (budget - n_features) / size)
        enough = budget - n_features >= n_clusters
        self.centered = enough and left < without and not self.dense
        self.budget = budget - n_features if self.centered else budget
        self.n_factors = 1 if self.dense else n_factors or self._best_number()

    @abc.abstractmethod
    def _best_number(self) -> int:
        """Return how many factors share the budget."""

    @abc.abstractmethod
    def _start(self, target: np.ndarray) -> FactorProduct:
        """Return factors of a target, (K, D)."""

    @abc.abstractmethod
    def _again(self, target: np.ndarray, product: FactorProduct) -> FactorProduct:
        """Return factors of a target, from those of one that is near."""

    def first(
        self, means: np.ndarray, counts: np.ndarray, origin: np.ndarray
    ) -> FactoredCenters:
        """Return centers near means, (K, D), of so many points each.

        origin: the mean of all points, (D,), float64.
        """
        offset = origin if self.centered else np.zeros_like(origin)
        weights = _weights(counts)
        target = (weights[:, None] * (means - offset)).astype(means.dtype)
        product = scaled_rows(self._start(target), 1 / weights)
        return FactoredCenters(product, self._offset(offset, means.dtype))

    def improved(
        self, statistics: Statistics, centers: FactoredCenters
    ) -> FactoredCenters:
        """Return centers nearer to the means of points, or those given.

        With n_k points of mean u_k at center v_k, Σ n_k ‖u_k - v_k‖² is the squared
        norm of diag(√n) (U - V), and diag(√n) V has the supports of V.
        """
        counts, dtype = statistics.counts, centers.product.dtype
        weights, used = _weights(counts), counts > 0
        offset = 0.0 if centers.offset is None else centers.offset.astype(np.float64)
        means = statistics.means + statistics.origin
        target = np.where(used[:, None], means, centers.array) - offset
        found = self._again(
            (weights[:, None] * target).astype(dtype),
            scaled_rows(centers.product, weights),
        )
        product = scaled_rows(found, 1 / weights)
        if self.centered:  # the best one for these factors
            left = counts @ (target - product.toarray()) / counts.sum()
            offset = offset + left
        new = FactoredCenters(product, self._offset(offset, dtype))
        better = new.distance(statistics) < centers.distance(statistics)
        return new if better else centers

    def _offset(self, offset, dtype):
        return offset.astype(dtype) if self.centered else None

    def _shapes(self):
        return layer_shapes(*self.shape, self.n_factors)

    def _sweeps(self, work, fewest, most):
        """Return how many sweeps are worth their time, given entries times sweeps."""
        return int(np.clip(work / math.prod(self.shape), fewest, most))


class Palm(CenterRecipe):
    """The method of the paper: hierarchical at first, then palm4MSA.

    Sets are `Sp`, as true projections keep the error from increasing; the paper has
    `SpLinCol`, with more non-zeros than its budget.
    """

    def _best_number(self):
        return max(1, int(math.log2(min(self.shape))))

    def _start(self, target):
        shapes = self._shapes()
        if len(shapes) == 1:
            return palm4msa(
                target, split_budget(shapes, self.budget), n_iter=1
            ).operator
        return peeled(target, shapes, self.budget, self._sweeps(1e7, 10, 30)).operator

    def _again(self, target, product):
        sets = split_budget(self._shapes(), self.budget)
        n_iter = self._sweeps(1e7, 15, 100)
        return palm4msa(
            target, sets, n_iter=n_iter, tol=1e-6, init=product, keep="best"
        ).operator


class Explore(CenterRecipe):
    """Leaky exploration: finds better supports, with as many non-zeros.

    Two factors were best on digits and on blobs of points, of one, two, three, four
    and log2(min(K, D)) (`nbfact study quickmeans` shows what they reach).
    """

    def _best_number(self):
        return 2 if min(self.shape) > 1 else 1

    def _sets(self):
        shapes = self._shapes()
        if self.n_factors != 2:
            return split_budget(shapes, self.budget)
        least, most = sorted(self.shape)
        small = round(self.budget * 0.5 * (least / most) ** 0.125)
        sizes = [math.prod(shape) for shape in shapes]
        square = 0 if self.shape[0] <= self.shape[1] else 1
        k = [0, 0]
        k[square] = min(max(small, 1), sizes[square])
        k[1 - square] = min(max(self.budget - k[square], 1), sizes[1 - square])
        return [Sp(shape, most) for shape, most in zip(shapes, k, strict=True)]

    def _start(self, target):
        factors = [np.eye(*shape, dtype=target.dtype) for shape in self._shapes()]
        factors[-1 if self.shape[0] <= self.shape[1] else 0] = target
        return self._explored(target, factors, (0.99, 0.5), self._sweeps(5e7, 30, 1000))

    def _again(self, target, product):
        return self._explored(target, product, (0.95, 0.5), self._sweeps(1e6, 20, 200))

    def _explored(self, target, init, leak, n_iter):
        """Explore, then settle without a leak."""
        sets, options = self._sets(), {"safeguard": False, "refine_values": False}
        found = explore(target, sets, leak=leak, n_iter=n_iter, init=init, **options)
        sweeps = max(2, n_iter // 10)
        settled = palm4msa(target, sets, n_iter=sweeps, init=found, keep="best")
        return min(found, settled, key=lambda one: one.relative_error).operator


class Butterflies(CenterRecipe):
    """A butterfly of the smallest chain, whose values are fitted again and again."""

    def _best_number(self):
        return 1  # not used: the chain has its own

    def _start(self, target):
        found = butterfly_factorize(target, Chain.smallest(target.shape))
        return found.operator.to_factors()

    def _again(self, target, product):
        return refine(product, target, n_iter=2).operator


RECIPES = {"palm4msa": Palm, "explore": Explore, "butterfly": Butterflies}


def _weights(counts):
    """Return the square roots of counts, none of them zero, the largest 1."""
    root = np.sqrt(counts / counts.max())
    return np.maximum(np.where(counts > 0, root, root[counts > 0].min()), _LIGHTEST)
