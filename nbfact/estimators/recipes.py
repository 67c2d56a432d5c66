"""How QuicK-means factors its centers, at first and again in each iteration."""

import abc
import math

import numpy as np
import scipy.linalg
import scipy.sparse as sp

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


def centered_at(shape: tuple[int, int], budget: int, mean_share: float) -> bool:
    """Return whether an offset in common is worth its D values of a budget.

    It is where the mean explains a larger share of the squared norms of the points
    than these values would explain of the rest.

    Parameters
    ----------
    shape : (K, D)
    budget : int
        Number of values in all.
    mean_share : float
        The share of the squared norms of all points that their mean explains.
    """
    n_clusters, n_features = shape
    size = math.prod(shape)
    # What is left where values explain as much of any part of the squared norms.
    without = 1 - budget / size
    left = (1 - mean_share) * (1 - (budget - n_features) / size)
    return budget - n_features >= n_clusters and left < without


class CenterRecipe(abc.ABC):
    """A way to factor centers: from nothing at first, then from the present factors.

    Parameters
    ----------
    shape : (K, D)
        Shape of the centers.
    budget : int
        Number of values of the factors, and of the offset if there is one.
    centered : bool
        Whether all centers have an offset in common, of D values.
    n_factors : int, optional
        Number of factors that share the budget, of at least one value each; by default
        the best number of this recipe.
    sweeps : (int, int), optional
        Numbers of sweeps of the first factorization and of each later one, where the
        recipe makes sweeps; by default as many as pay where time does not count.

    Attributes
    ----------
    budget : int
        Number of non-zeros of the factors.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        budget: int,
        centered: bool,
        n_factors: int | None = None,
        sweeps: tuple[int, int] | None = None,
    ) -> None:
        self.shape, self.centered, self.sweeps = shape, centered, sweeps
        self.budget = max(1, budget - shape[1] if centered else budget)
        self.n_factors = min(n_factors or self._best_number(), self.budget)

    @property
    def n_values(self) -> int:
        """Number of values of the factors and of the offset."""
        return self.budget + (self.shape[1] if self.centered else 0)

    def _best_number(self) -> int:
        """Return the number of factors that share the budget."""
        return 1

    @abc.abstractmethod
    def _factor(self, target: np.ndarray) -> FactorProduct:
        """Return factors of a target (K, D)."""

    def _refactor(
        self, target: np.ndarray, product: FactorProduct, weights: np.ndarray
    ) -> FactorProduct:
        """Return factors of a target, near diag(weights) @ product if that helps."""
        return self._factor(target)

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
        offset, weights = self._offset(origin, means.dtype), row_weights(counts)
        moved = means if offset is None else means - offset
        target = (weights[:, None] * moved).astype(means.dtype)
        product = scaled_rows(self._factor(target), 1 / weights)
        return FactoredCenters(product, offset)

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
        weights = row_weights(counts)
        offset = np.zeros(self.shape[1])
        if centers.offset is not None:
            offset = centers.offset.astype(np.float64)
        target = statistics.located - offset
        weighted = (weights[:, None] * target).astype(dtype)
        found = self._refactor(weighted, centers.product, weights)
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

    def _n_sweeps(self, work: float, fewest: int, most: int, *, later: bool) -> int:
        """Return the number of sweeps whose entries times sweeps amount to `work`.

        It is what was asked for instead, if that is less: for the first factorization,
        or for a later one.
        """
        n_sweeps = int(np.clip(work / math.prod(self.shape), fewest, most))
        return n_sweeps if self.sweeps is None else min(n_sweeps, self.sweeps[later])


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
        n_iter = self._n_sweeps(1e7, 10, 30, later=False)
        return peeled(problem_of(target), shapes, self.budget, n_iter).operator

    def _refactor(
        self, target: np.ndarray, product: FactorProduct, weights: np.ndarray
    ) -> FactorProduct:
        sets = split_budget(self._shapes(), self.budget)
        n_iter = self._n_sweeps(1e7, 15, 100, later=True)
        return palm4msa(
            target,
            sets,
            n_iter=n_iter,
            tol=1e-6,
            init=scaled_rows(product, weights),
            keep="best",
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
        n_iter = self._n_sweeps(5e7, 30, 1000, later=False)
        return self._explored(target, factors, (0.99, 0.5), n_iter)

    def _refactor(
        self, target: np.ndarray, product: FactorProduct, weights: np.ndarray
    ) -> FactorProduct:
        n_iter = self._n_sweeps(1e6, 20, 200, later=True)
        init = scaled_rows(product, weights)
        return self._explored(target, init, (0.95, 0.5), n_iter)

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

    def _refactor(
        self, target: np.ndarray, product: FactorProduct, weights: np.ndarray
    ) -> FactorProduct:
        return refine(scaled_rows(product, weights), target, n_iter=2).operator


class DenseRecipe(CenterRecipe):
    """One dense factor: the centers are the means of their points, as in k-means."""

    def first(
        self, means: np.ndarray, counts: np.ndarray, origin: np.ndarray
    ) -> FactoredCenters:
        """Return these centers, less an offset that is added again if there is one.

        Centers near the offset are exact: their differences from it are no longer.
        """
        offset = self._offset(origin, means.dtype)
        product = FactorProduct([means if offset is None else means - offset])
        return FactoredCenters(product, offset)

    def improved(
        self, statistics: ClusterStatistics, centers: FactoredCenters
    ) -> FactoredCenters:
        """Return the means of the points of each center; no others are nearer."""
        origin = np.zeros(self.shape[1])
        if centers.offset is not None:
            origin = centers.offset.astype(np.float64)
        means = statistics.located.astype(centers.product.dtype)
        if np.array_equal(means, centers.array):
            return centers
        return self.first(means, statistics.counts, origin)

    def _factor(self, target: np.ndarray) -> FactorProduct:
        return FactorProduct([target])


class ThresholdRecipe(CenterRecipe):
    """One sparse factor: the largest entries of the centers, and zeros elsewhere."""

    def _factor(self, target: np.ndarray) -> FactorProduct:
        flat = np.abs(target).ravel()
        if self.budget >= flat.size:
            return FactorProduct([target])
        kept = np.argpartition(flat, -self.budget)[-self.budget :]
        chosen = np.zeros(target.shape, bool)
        chosen.ravel()[kept] = True
        ends = np.concatenate([[0], chosen.sum(axis=1).cumsum()])
        csr = target[chosen], chosen.nonzero()[1], ends
        return FactorProduct([sp.csr_array(csr, target.shape)])


class LowRankRecipe(CenterRecipe):
    """Two dense factors: the centers at the rank that the budget has values for."""

    @property
    def rank(self) -> int:
        """The rank of the centers."""
        return max(1, min(self.budget // sum(self.shape), *self.shape))

    def _factor(self, target: np.ndarray) -> FactorProduct:
        wide = target.astype(np.float64)
        tall = wide.shape[0] > wide.shape[1]
        short = wide.T if tall else wide
        ends = len(short) - self.rank, len(short) - 1
        left = scipy.linalg.eigh(short @ short.T, subset_by_index=ends)[1][:, ::-1]
        right = left.T @ short
        factors = [right.T, left.T] if tall else [left, right]
        return FactorProduct([factor.astype(target.dtype) for factor in factors])


RECIPES: dict[str, type[CenterRecipe]] = {
    "palm4msa": PalmRecipe,
    "explore": ExploreRecipe,
    "butterfly": ButterflyRecipe,
}
"""The recipe of each value of the parameter ``factorizer`` of `QuicKMeans`."""


def row_weights(counts: np.ndarray) -> np.ndarray:
    """Return the square roots of counts relative to the largest, none of them zero."""
    root = np.sqrt(counts / counts.max())
    return np.maximum(np.where(counts > 0, root, root[counts > 0].min()), LIGHTEST)
