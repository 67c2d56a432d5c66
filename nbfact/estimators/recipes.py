"""How QuicK-means factors its centers, at first and again in each iteration."""

import abc
import math

import numpy as np

from ..algorithms import butterfly_factorize, explore, palm4msa, refine
from ..algorithms.common.problem import problem_of
from ..algorithms.learn.starts import layer_shapes, peeled, split_budget
from ..constraints import Sp
from ..operators import Chain, FactorProduct
from .factored_centers import ClusterStatistics, FactoredCenters, scaled_rows

LIGHTEST = 1e-6
"""Smallest weight of a center in a fit, relative to the largest one: smaller ones are
raised to it, because rows are divided by their weights afterwards."""


def budget_of(shape: tuple[int, int], sparsity: int) -> int:
    """Return the number of non-zeros of the factors of a fast transform of this shape.

    Parameters
    ----------
    shape : (K, D)
    sparsity : int
        Number of non-zeros for each row or column of the longer side of each factor.

    Returns
    -------
    int
        The non-zeros of L factors, all but one of which are square of the smaller side;
        at most K D.

    Notes
    -----
    The paper, and the scripts of its repository, have L = log2(min(K, D)) factors. Here
    L is log2 of the geometric mean of K and D, rounded up, which allows more values.
    """
    least, most = sorted(shape)
    n_factors = max(1, math.ceil(math.log2(least * most) / 2))
    return min(sparsity * (least * (n_factors - 1) + most), least * most)


class CenterRecipe(abc.ABC):
    """A way to factor centers: from nothing at first, then from the present factors.

    Parameters
    ----------
    shape : (K, D)
        Shape of the centers.
    sparsity : int
        See `budget_of`.
    n_factors : int or None
        Number of factors that share the budget; None for the best number of this
        recipe.
    mean_share : float
        The share of the squared norms of all points that their mean explains.

    Attributes
    ----------
    dense : bool
        Whether the budget is K D, so that one dense factor is used.
    centered : bool
        Whether all centers have an offset in common.
    budget : int
        Number of non-zeros of the factors.

    Notes
    -----
    An offset costs D values of the budget. It is used where the mean explains a larger
    share of the squared norms than these values would explain of the rest.
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
        """Return the number of factors that share the budget."""

    @abc.abstractmethod
    def _factor(self, target: np.ndarray) -> FactorProduct:
        """Return factors of a target (K, D)."""

    @abc.abstractmethod
    def _refactor(self, target: np.ndarray, product: FactorProduct) -> FactorProduct:
        """Return factors of a target, starting from those of a similar one."""

    def first(
        self, means: np.ndarray, counts: np.ndarray, origin: np.ndarray
    ) -> FactoredCenters:
        """Return factored centers near dense ones.

        Parameters
        ----------
        means : array, (K, D)
            The dense centers.
        counts : array, (K,)
            The weight of the points of each.
        origin : array of float64, (D,)
            The mean of all points.
        """
        offset = origin if self.centered else np.zeros_like(origin)
        weights = _weights(counts)
        target = (weights[:, None] * (means - offset)).astype(means.dtype)
        product = scaled_rows(self._factor(target), 1 / weights)
        return FactoredCenters(product, self._offset(offset, means.dtype))

    def improved(
        self, statistics: ClusterStatistics, centers: FactoredCenters
    ) -> FactoredCenters:
        """Return centers nearer to the means of their points, or `centers` themselves.

        Notes
        -----
        With n_k points of mean u_k at center v_k, Σ n_k ‖u_k - v_k‖² is the squared
        norm of diag(√n) (U - V), and diag(√n) V has the supports of V.
        """
        counts, dtype = statistics.counts, centers.product.dtype
        weights, used = _weights(counts), counts > 0
        offset = np.zeros(self.shape[1])
        if centers.offset is not None:
            offset = centers.offset.astype(np.float64)
        means = statistics.means + (statistics.origins - offset)
        target = np.where(used[:, None], means, centers.array - offset)
        found = self._refactor(
            (weights[:, None] * target).astype(dtype),
            scaled_rows(centers.product, weights),
        )
        product = scaled_rows(found, 1 / weights)
        if self.centered:  # the best offset for these factors
            left = counts @ (target - product.toarray()) / counts.sum()
            offset = offset + left
        new = FactoredCenters(product, self._offset(offset, dtype))
        better = new.distance(statistics) < centers.distance(statistics)
        return new if better else centers

    def _offset(self, offset: np.ndarray, dtype: np.dtype) -> np.ndarray | None:
        """Return an offset of the dtype of the centers; None if there is none."""
        return offset.astype(dtype) if self.centered else None

    def _shapes(self) -> list[tuple[int, int]]:
        """Return the shapes of the factors."""
        return layer_shapes(*self.shape, self.n_factors)

    def _n_sweeps(self, work: float, fewest: int, most: int) -> int:
        """Return the number of sweeps whose entries times sweeps amount to `work`."""
        return int(np.clip(work / math.prod(self.shape), fewest, most))


class PalmRecipe(CenterRecipe):
    """A variant of the method of the paper: hierarchical at first, and then palm4MSA.

    The sets are `Sp`, because the error decreases only with true projections. The paper
    uses the set of `SpLinCol`, by a rule that keeps more non-zeros than its budget,
    factors points at first, and makes up to 300 sweeps at each iteration.
    """

    def _best_number(self) -> int:
        return max(1, int(math.log2(min(self.shape))))

    def _factor(self, target: np.ndarray) -> FactorProduct:
        shapes = self._shapes()
        if len(shapes) == 1:
            sets = split_budget(shapes, self.budget)
            return palm4msa(target, sets, n_iter=1).operator
        n_iter = self._n_sweeps(1e7, 10, 30)
        return peeled(problem_of(target), shapes, self.budget, n_iter).operator

    def _refactor(self, target: np.ndarray, product: FactorProduct) -> FactorProduct:
        sets = split_budget(self._shapes(), self.budget)
        n_iter = self._n_sweeps(1e7, 15, 100)
        return palm4msa(
            target, sets, n_iter=n_iter, tol=1e-6, init=product, keep="best"
        ).operator


class ExploreRecipe(CenterRecipe):
    """Leaky exploration, which finds better supports of the same number of non-zeros.

    The leak is the share of what a projection drops that is remembered: see `explore`.
    Of one, two, three, four and log2(min(K, D)) factors, two were best on digits and on
    blobs of points (`nbfact study quickmeans` shows what they reach).
    """

    def _best_number(self) -> int:
        return 2 if min(self.shape) > 1 else 1

    def _sets(self) -> list[Sp]:
        """Return the sets of the factors, which share the budget."""
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

    def _factor(self, target: np.ndarray) -> FactorProduct:
        factors = [np.eye(*shape, dtype=target.dtype) for shape in self._shapes()]
        factors[-1 if self.shape[0] <= self.shape[1] else 0] = target
        n_iter = self._n_sweeps(5e7, 30, 1000)
        return self._explored(target, factors, (0.99, 0.5), n_iter)

    def _refactor(self, target: np.ndarray, product: FactorProduct) -> FactorProduct:
        n_iter = self._n_sweeps(1e6, 20, 200)
        return self._explored(target, product, (0.95, 0.5), n_iter)

    def _explored(
        self,
        target: np.ndarray,
        init: FactorProduct | list[np.ndarray],
        leak: tuple[float, float],
        n_iter: int,
    ) -> FactorProduct:
        """Explore, settle without a leak, and return the better of the two."""
        sets = self._sets()
        found = explore(
            target,
            sets,
            leak=leak,
            n_iter=n_iter,
            init=init,
            safeguard=False,
            refine_values=False,
        )
        sweeps = max(2, n_iter // 10)
        settled = palm4msa(target, sets, n_iter=sweeps, init=found, keep="best")
        return min(found, settled, key=lambda one: one.relative_error).operator


class ButterflyRecipe(CenterRecipe):
    """A butterfly of the smallest chain, whose values are fitted again each time."""

    def _best_number(self) -> int:
        return 1  # not used, because the chain has its own number of factors

    def _factor(self, target: np.ndarray) -> FactorProduct:
        shape = target.shape[0], target.shape[1]
        return butterfly_factorize(target, Chain.smallest(shape)).operator.to_factors()

    def _refactor(self, target: np.ndarray, product: FactorProduct) -> FactorProduct:
        return refine(product, target, n_iter=2).operator


RECIPES: dict[str, type[CenterRecipe]] = {
    "palm4msa": PalmRecipe,
    "explore": ExploreRecipe,
    "butterfly": ButterflyRecipe,
}
"""The recipe of each value of the parameter ``factorizer`` of `QuicKMeans`."""


def _weights(counts: np.ndarray) -> np.ndarray:
    """Return the square roots of counts relative to the largest, none of them zero."""
    root = np.sqrt(counts / counts.max())
    return np.maximum(np.where(counts > 0, root, root[counts > 0].min()), LIGHTEST)
