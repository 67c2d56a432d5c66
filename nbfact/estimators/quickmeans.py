"""QuicKMeans: k-means whose centers are a product of sparse factors."""

from typing import Any, Self

import numba
import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._dask import is_dask, map_rows
from .._jobs import each
from .inputs import check_parameters, checked_points, weighted_points
from .lloyd import Clustering, empty_of, iterate, relocated
from .points import check_finite
from .recipes import RECIPES
from .seeds import seeds


class QuicKMeans(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """K-means with fast assignment: the centers are a product of sparse factors."""

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        sparsity: int = 2,
        n_factors: int | None = None,
        init: Any = "k-means++",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-6,
        factorizer: str = "explore",
        random_state: Any = None,
        verbose: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.sparsity = sparsity
        self.n_factors = n_factors
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.factorizer = factorizer
        self.random_state = random_state
        self.verbose = verbose
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find centers."""
        points = weighted_points(self, X, sample_weight, reset=True)
        check_parameters(self, points.shape[0])
        recipe = self._recipe_of(points)
        options = (self.max_iter, self.tol, bool(self.verbose))
        calls = [
            (points, recipe, first, *options)
            for first in self._seeds(points, self.n_init)
        ]
        runs = each(iterate, calls, 1 if self.n_jobs is None else self.n_jobs)
        found, history = min(runs, key=lambda run: run[0].objective)
        self._keep(X, found, recipe)
        self.history_ = {name: np.array(values) for name, values in history.items()}
        self.n_iter_ = len(self.history_["objective"])
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Move the centers to the means of all points so far, a batch among them."""
        first = not hasattr(self, "_centers")
        origin = None if first else self._statistics.origin
        batch = weighted_points(self, X, sample_weight, first, origin)
        if first:
            check_parameters(self, batch.shape[0])
            self._recipe = self._recipe_of(batch)
            (start,) = self._seeds(batch, 1)
            centers = self._recipe.first(start.means, start.counts, batch.origin)
            statistics = Clustering.of(batch, centers).statistics
        else:
            centers = self._centers
            statistics = self._statistics + Clustering.of(batch, centers).statistics
        empty = empty_of(statistics)
        if len(empty):
            statistics = relocated(statistics, batch.farthest(centers, len(empty)))
        centers = self._recipe.improved(statistics, centers)
        self._keep(X, Clustering.of(batch, centers), self._recipe)
        self._statistics = statistics
        self.n_steps_ = 1 if first else getattr(self, "n_steps_", 0) + 1
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Return `labels_` after `fit`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X: Any) -> Any:
        """Return the nearest center of each point."""
        check_is_fitted(self)
        X = checked_points(self, X, reset=False)
        if is_dask(X):
            return map_rows(_labels, X, np.dtype(np.int32), None, self._centers.nearest)
        return self._centers.nearest(X, numba.get_num_threads() > 1)[0]

    def transform(self, X: Any) -> Any:
        """Return the distance of each point to each center."""
        check_is_fitted(self)
        X = checked_points(self, X, reset=False)
        if is_dask(X):
            shared = self._centers
            return map_rows(_distances, X, X.dtype, len(shared.array), shared)
        return self._centers.distances(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the sum of squared distances of points to their centers."""
        check_is_fitted(self)
        points = weighted_points(self, X, sample_weight, reset=False)
        return -Clustering.of(points, self._centers).objective

    def _recipe_of(self, points):
        shape = self.n_clusters, points.shape[1]
        kind = RECIPES[self.factorizer]
        return kind(shape, self.sparsity, self.n_factors, points.mean_share)

    def _seeds(self, points, n_init):
        """Return what centers are first near, for each run."""
        if not isinstance(self.init, str):
            n_init = 1
        rng = check_random_state(self.random_state)
        return [seeds(points, self.n_clusters, self.init, rng) for _ in range(n_init)]

    def _keep(self, X, found, recipe):
        """Set the attributes of a fit."""
        self._centers, self._recipe = found.centers, recipe
        self._statistics = found.statistics
        self.cluster_centers_ = found.centers.array
        self.centers_operator_ = found.centers.operator
        self.inertia_ = found.objective
        self._n_features_out = len(self.cluster_centers_)
        self.labels_ = self.predict(X) if found.labels is None else found.labels


def _labels(x, nearest):
    check_finite(x)
    return nearest(x)[0]


def _distances(x, centers):
    check_finite(x)
    return centers.distances(x)
