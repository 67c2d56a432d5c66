"""QuicKMeans: k-means whose centers are a product of sparse factors."""

import numbers
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from .._checks import size
from .lloyd import Clustering, empty_of, iterate, relocated
from .points import Points
from .recipes import Butterflies, Explore, Palm
from .seeds import INITS, given_seeds, seeds

FACTORIZERS = ("palm4msa", "explore", "butterfly")
_DTYPES = (np.float64, np.float32)


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
        max_iter: int = 100,
        tol: float = 1e-6,
        factorizer: str = "explore",
        centered: bool = True,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.sparsity = sparsity
        self.n_factors = n_factors
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.factorizer = factorizer
        self.centered = centered
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "QuicKMeans":
        """Cluster points."""
        X, weights = self._checked(X, sample_weight, reset=True)
        points = Points(X, weights)
        recipe = self._checked_recipe(X.shape)
        start = recipe.first(self._initial(X, weights), points.origin)
        found, history = iterate(
            points, recipe, start, self.max_iter, self.tol, self._report
        )
        self._keep(found, recipe)
        self.history_ = {name: np.array(values) for name, values in history.items()}
        self.n_iter_ = len(history["objective"])
        return self

    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> "QuicKMeans":
        """Fit the centers to all points given so far: one iteration on a batch."""
        first = not hasattr(self, "_centers")
        X, weights = self._checked(X, sample_weight, reset=first)
        batch = Points(X, weights)
        if first:
            recipe = self._checked_recipe(X.shape)
            centers = recipe.first(self._initial(X, weights), batch.origin)
            found = Clustering.of(batch, centers)
            statistics = found.statistics
        else:
            recipe, centers = self._recipe, self._centers
            batch.origin = self._statistics.origin
            found = Clustering.of(batch, centers)
            statistics = self._statistics + found.statistics
        empty = empty_of(statistics)
        if len(empty):
            statistics = relocated(statistics, batch.farthest(centers, len(empty)))
        centers = recipe.improved(statistics, centers)
        self._keep(Clustering.of(batch, centers), recipe)
        self._statistics = statistics
        self.n_steps_ = 1 if first else getattr(self, "n_steps_", 0) + 1
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the nearest center of each point."""
        X = self._checked_points(X)
        return self._centers.nearest(X)[0]

    def fit_predict(
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> np.ndarray:
        """Return `labels_` after `fit`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def transform(self, X: Any) -> np.ndarray:
        """Return the distance of each point to each center."""
        X = self._checked_points(X)
        return self._centers.distances(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the sum of squared distances of points to their centers."""
        check_is_fitted(self)
        X, weights = self._checked(X, sample_weight, reset=False)
        return -Clustering.of(Points(X, weights), self._centers).objective

    def _checked(self, X, sample_weight, reset):
        X = validate_data(self, X, dtype=_DTYPES, order="C", reset=reset)
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        return X, weights

    def _checked_points(self, X):
        check_is_fitted(self)
        return validate_data(self, X, dtype=_DTYPES, order="C", reset=False)

    def _checked_recipe(self, shape):
        """Return how to factor, from checked parameters."""
        n_points, n_features = shape
        n_clusters = size("n_clusters", self.n_clusters)
        sparsity = size("sparsity", self.sparsity)
        n_factors = (
            None if self.n_factors is None else size("n_factors", self.n_factors)
        )
        size("max_iter", self.max_iter, least=0)  # 0: first centers, assigned
        if not isinstance(self.tol, numbers.Real) or not self.tol >= 0:
            raise ValueError(f"tol must be a number, at least 0, got {self.tol!r}")
        if n_points < n_clusters:
            raise ValueError(
                f"n_samples={n_points} should be >= n_clusters={n_clusters}"
            )
        if self.factorizer not in FACTORIZERS:
            raise ValueError(
                f"factorizer must be one of {FACTORIZERS}, got {self.factorizer!r}"
            )
        centers = n_clusters, n_features
        if self.factorizer == "butterfly":
            return Butterflies(centers, self.centered)
        if self.factorizer == "palm4msa":
            return Palm(centers, self.centered, sparsity, n_factors)
        least, most = sorted(centers)
        layers = max(1, int(np.log2(least)))
        budget = min(sparsity * (least * (layers - 1) + most), least * most)
        return Explore(centers, self.centered, budget, n_factors)

    def _initial(self, x, weights):
        """Return the points that first centers are near."""
        if not isinstance(self.init, str):
            return given_seeds(self.init, (self.n_clusters, x.shape[1]), x.dtype)
        if self.init not in INITS:
            raise ValueError(
                f"init must be one of {INITS} or an array, got {self.init!r}"
            )
        rng = check_random_state(self.random_state)
        return seeds(x, weights, self.n_clusters, self.init, rng)

    def _report(self, iteration, found):
        if self.verbose:
            print(f"iteration {iteration}: objective {found.objective:.6g}")

    def _keep(self, found, recipe):
        """Set the attributes of a fit."""
        self._centers, self._recipe = found.centers, recipe
        self._statistics = found.statistics
        self.cluster_centers_ = found.centers.array
        self.centers_operator_ = found.centers.operator
        self.labels_ = found.labels
        self.inertia_ = found.objective
        self._n_features_out = len(self.cluster_centers_)
