"""QuicK-means by the paper's own variant of palm4MSA, as far as its code is known.

The paper and the repository lucgiffon/qkmeans are by L. Giffon, V. Emiya, H. Kadri and
L. Ralaivola. `nbfact.QuicKMeans` trains dense centres first and has true projections;
this class does neither, so that the two stand side by side in one table.
"""

import math
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin

from ...algorithms import hierarchical, palm4msa
from ...constraints import Const
from ...operators import FactorProduct, NearestRows

TOL = 1e-6
"""Relative change of the error that ends a palm4MSA, as in the paper."""


class UnionSet:
    """The rule of the paper for a factor, which is no projection.

    Of a budget of p entries, the p/n largest of each column and the p/m largest of each
    row are kept, both numbers rounded down, and the result has norm one. Its entries
    are up to twice as many as the budget.

    Parameters
    ----------
    shape : (m, n)
        Rows and columns.
    budget : int
        The number p.
    """

    def __init__(self, shape: tuple[int, int], budget: int) -> None:
        self.shape, self.budget = shape, min(budget, math.prod(shape))

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return the matrix with the entries that the rule keeps, divided by its norm.

        Parameters
        ----------
        x : ndarray, (m, n)
        """
        size = np.abs(x)
        kept = np.zeros(x.shape, bool)
        for axis, length in enumerate(x.shape):
            # As many entries in each column, for axis 0, as the budget has for it.
            each = min(self.budget // x.shape[1 - axis], length)
            if each:
                chosen = np.argpartition(size, length - each, axis=axis)
                last = np.take(chosen, np.arange(length - each, length), axis=axis)
                np.put_along_axis(kept, last, True, axis=axis)
        found = np.where(kept, x, 0)
        norm = np.linalg.norm(found)
        return found / norm if norm > 0 else found


class PaperQuicKMeans(ClusterMixin, BaseEstimator):
    """QuicK-means as in the paper: factors from the first iteration on.

    The first centres are factored by the hierarchical algorithm; then, in each
    iteration, points are assigned, and palm4MSA goes on from the present factors, with
    the roots of the numbers of points as a first factor that stays.

    Parameters
    ----------
    init : array, (K, D)
        The first centres.
    sparsity : int
        Entries of each row or column of the longer side of a factor, of which the
        budget of the factor is made.
    max_iter : int
        Number of iterations.
    n_sweeps : int
        Largest number of sweeps of a palm4MSA; 300 in the paper.
    """

    def __init__(
        self, init: Any, sparsity: int = 2, max_iter: int = 10, n_sweeps: int = 300
    ) -> None:
        self.init, self.sparsity, self.max_iter = init, sparsity, max_iter
        self.n_sweeps = n_sweeps

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Find the centres; X has shape (N, D), with D at least K."""
        first = np.ascontiguousarray(self.init, X.dtype)
        sets, residuals = self._sets(first.shape)
        shared: dict[str, Any] = {
            "scaling": "sweep",
            "order": "right-to-left",
            "tol": TOL,
        }
        factored = hierarchical(
            first, sets[:-1], residuals, n_iter=self.n_sweeps, **shared
        )
        product = factored.operator
        labels, objective = self._assigned(X, product)
        self.n_iter_ = 0
        for n_done in range(1, self.max_iter + 1):
            self.n_iter_ = n_done
            counts, means = self._means(X, labels, product.toarray())
            roots = np.diag(np.sqrt(counts / counts.sum())).astype(X.dtype)
            start = FactorProduct([roots, *product.factors], product.scale)
            found = palm4msa(
                roots @ means,
                [Const(roots), *sets],
                n_iter=self.n_sweeps,
                init=start,
                **shared,
            )
            before = objective
            product = FactorProduct(found.factors[1:], found.scale)
            labels, objective = self._assigned(X, product)
            if abs(before - objective) < TOL * before:
                break
        self.centers_operator_, self.cluster_centers_ = product, product.toarray()
        self.labels_, self.inertia_, self.nnz_ = labels, objective, product.nnz
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the nearest centre of each point, (N,)."""
        return NearestRows(self.centers_operator_)(X)[0]

    def _sets(self, shape: tuple[int, int]) -> tuple[list[UnionSet], list[UnionSet]]:
        """Return the sets of the factors, and those of the residuals before the last.

        There are log2(K) factors: all but the last one are square.
        """
        n_clusters, n_features = shape
        n_factors = max(2, int(math.log2(n_clusters)))
        inner = UnionSet((n_clusters, n_clusters), self.sparsity * n_clusters)
        outer = UnionSet(shape, self.sparsity * n_features)
        residuals = [
            UnionSet(shape, max(outer.budget, n_features * n_clusters // 2 ** (k + 1)))
            for k in range(n_factors - 2)
        ]
        return [*[inner] * (n_factors - 1), outer], [*residuals, outer]

    def _assigned(self, X, product):
        """Return the labels of points and the sum of their squared distances."""
        labels, scores = NearestRows(product)(X)
        norms = np.einsum("nd,nd->", X, X, dtype=np.float64)
        return labels, float(scores.sum(dtype=np.float64) + norms)

    def _means(self, X, labels, centers):
        """Return the number of points of each cluster and their means.

        A cluster without points gets the point of the largest cluster that is farthest
        from its centre.
        """
        labels, n_clusters = labels.copy(), len(centers)
        counts = np.bincount(labels, minlength=n_clusters)
        for empty in np.flatnonzero(counts == 0):
            largest = int(np.argmax(counts))
            (members,) = np.nonzero(labels == largest)
            away = np.linalg.norm(X[members] - centers[largest], axis=1)
            labels[members[np.argmax(away)]] = empty
            counts = np.bincount(labels, minlength=n_clusters)
        order = np.argsort(labels, kind="stable")
        starts = np.concatenate([[0], counts.cumsum()[:-1]])
        sums = np.add.reduceat(X[order], starts, axis=0, dtype=np.float64)
        return counts, (sums / counts[:, None]).astype(X.dtype)
