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

from .._core.dask import is_dask, map_rows
from .._core.jobs import each
from .inputs import check_parameters, checked_points, weighted_points
from .lloyd import Clustering, empty_of, iterate, relocated
from .points import check_finite
from .recipes import RECIPES
from .seeds import seeds


class QuicKMeans(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """K-means with fast assignment: the centers are a product of sparse factors.

    Parameters
    ----------
    n_clusters : int
        Number of centers, K.
    sparsity : int
        Non-zeros of a factor for each of its rows or columns, whichever are more: with
        L = log2(K D) / 2 factors, rounded up, all but one square of the smaller side,
        sparsity ((L - 1) min(K, D) + max(K, D)) values in all, at most K D. Where these
        are all K D, the centers are those of k-means.
    n_factors : int, optional
        How many factors share these values. By default two for "explore" and
        log2(min(K, D)) for "palm4msa"; a butterfly has its own.
    init : {"k-means++", "random"} or array_like, (K, D)
        Points that a few iterations of dense k-means start from, on at most
        max(10000, 20 K) points; the first centers are factors of what they reach.
    n_init : int
        Runs from other points, of which the best is kept; one where init is an array.
    max_iter : int
        Iterations at most; 0 for the first centers.
    tol : float
        Stop when an iteration lowers the objective by at most `tol` times itself.
    factorizer : {"explore", "palm4msa", "butterfly"}
        How factors are learned: `nbfact.explore`, which finds better supports;
        `nbfact.hierarchical`, then `nbfact.palm4msa`, as in the paper; or a butterfly,
        whose supports are fixed, whatever `sparsity` says.
    random_state : None, int or RandomState
        For the first points.
    verbose : int
        Above 0, print the objective of each iteration.
    n_jobs : int, optional
        Processes over which runs are spread; more than 1 needs joblib, whose
        ``parallel_config("dask")`` spreads them over a cluster.

    Attributes
    ----------
    cluster_centers_ : ndarray, (K, D)
        Of the dtype of the points, float32 or float64.
    centers_operator_ : FactorProduct, (K, D)
        The same. Where the centers have an offset in common, it is a row of the last
        factor, and ones, K more non-zeros, add it.
    n_parameters_ : int
        Non-zeros of the factors, and D for an offset.
    labels_ : ndarray, (N,), of int32
        The nearest center of each point; a dask array for dask arrays.
    inertia_ : float
        Sum of weighted squared distances of points to these.
    n_iter_ : int
        Iterations.
    history_ : dict of ndarray, (n_iter_,)
        After each iteration: "objective", which never increases; "n_empty", centers
        without points; "seconds" since the start.
    n_steps_ : int
        Calls of `partial_fit`.

    Raises
    ------
    TypeError
        For sparse points, or parameters of a wrong type.
    ValueError
        For NaN or infinity, fewer points than clusters, a parameter out of range; for
        dask arrays of unknown shape.

    Notes
    -----
    Minimises Σ w ‖x - v‖² over centers V = 1 mᵀ + scale S[0] ... S[J-1], v the nearest
    row of V. An iteration (1) fits V to the means of the points at each center, from
    the present factors, (2) assigns the points again. It is kept only if the objective
    is lower. Points far from their center are moved to centers without points, if that
    lowers it too. The offset m is there where the mean of all points is large enough.

    `predict` costs the non-zeros for a point and no memory: products, and the smallest
    distance, are taken on tiles of points (`nbfact.kernels.nearest_rows`), which pays
    from K = D = 64 on (``nbfact bench --profile full --peers -k assignment``). An
    iteration costs an assignment, N D for the means, and, for "explore", 20 or more
    sweeps over two factors, some 20 K D min(K, D) multiplications.

    X may be a dask array, here and in all methods, in chunks of rows: blocks are passed
    over where dask runs them, and sums come back. Call ``X.persist()`` before `fit`.

    References
    ----------
    L. Giffon, V. Emiya, L. Ralaivola, H. Kadri, QuicK-means: speeding up inference for
    K-means by learning fast transforms, Machine Learning, 2021: algorithm 2.

    Examples
    --------
    >>> import nbfact as nf
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data
    >>> model = nf.QuicKMeans(16, sparsity=3, random_state=0).fit(X)
    >>> model.n_parameters_, model.cluster_centers_.size
    (384, 1024)
    >>> model.predict(X[:2]).shape
    (2,)
    """

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
        self.n_parameters_ = found.centers.n_parameters
        self.inertia_ = found.objective
        self._n_features_out = len(self.cluster_centers_)
        self.labels_ = self.predict(X) if found.labels is None else found.labels


def _labels(x, nearest):
    check_finite(x)
    return nearest(x)[0]


def _distances(x, centers):
    check_finite(x)
    return centers.distances(x)
