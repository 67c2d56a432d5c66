"""QuicKMeans: k-means whose centers are a product of sparse factors."""

from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from .._core.dask import is_dask, map_rows
from .._core.jobs import each
from ..operators import FactorProduct, NearestRows
from .factored_centers import ClusterStatistics, FactoredCenters
from .inputs import (
    check_parameters,
    checked_points,
    random_state_of,
    weighted_points,
)
from .lloyd import Clustering, empty_clusters, iterate, relocated
from .on_threads import on_threads
from .points import DaskArray, WeightedPoints, check_finite, nearest_labels
from .recipes import RECIPES, CenterRecipe
from .seeds import Seeds, seeds


class QuicKMeans(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """K-means with fast assignment: the centers are a product of sparse factors.

    Parameters
    ----------
    n_clusters : int
        Number of centers, K.
    sparsity : int
        Number of non-zeros of a factor for each of its rows or columns, whichever are
        more. With L = log2(K D) / 2 factors, rounded up, all but one square of the
        smaller side, there are sparsity ((L - 1) min(K, D) + max(K, D)) values in all,
        at most K D. If these are all K D, the centers are those of k-means.
    n_factors : int, optional
        Number of factors that share these values. By default it is two for "explore"
        and log2(min(K, D)) for "palm4msa"; a butterfly has its own number.
    init : {"k-means++", "random"} or array_like, (K, D)
        Points that a few iterations of dense k-means start from, on at most
        max(10000, 20 K) points. The first centers are factors of what they reach.
    n_init : int
        Number of runs from different points, of which the best is kept. An array for
        init allows one run.
    max_iter : int
        Maximum number of iterations of a run; 0 returns the first centers.
    tol : float
        Stop when an iteration lowers the objective by at most `tol` times itself.
    factorizer : {"explore", "palm4msa", "butterfly"}
        How factors are learned. "explore": by `nbfact.explore`, which finds better
        supports. "palm4msa": by `nbfact.hierarchical` and then `nbfact.palm4msa`, a
        variant of the method of the paper. "butterfly": a butterfly, whose supports are
        fixed, whatever `sparsity` is.
    random_state : None, int or RandomState
        Draws the first points.
    verbose : int
        If above 0, the objective of each iteration is printed.
    n_jobs : int, optional
        Number of processes over which the runs are spread; -1 for all cores. More than
        1 needs joblib, whose ``parallel_config("dask")`` spreads them over a cluster.
        Each process uses one thread.
    threads : int, optional
        Number of threads that share the points and the columns of products, as in
        `nbfact.threads`; None for that of the enclosing block.

    Attributes
    ----------
    cluster_centers_ : ndarray, (K, D)
        The centers, of the dtype of the points, float32 or float64.
    centers_operator_ : FactorProduct, (K, D)
        The centers as a product of factors. If they have an offset in common, that is a
        row of the last factor, and a column of ones, K more non-zeros, adds it.
    n_parameters_ : int
        Number of non-zeros of the factors, plus D for an offset.
    labels_ : ndarray of int32, (N,)
        The nearest center of each point; a dask array if the points are one.
    inertia_ : float
        Weighted sum of the squared distances of the points to these.
    n_iter_ : int
        Number of iterations of the best run.
    history_ : dict of ndarray, (n_iter_,)
        After each iteration: "objective", which never increases; "n_empty", the number
        of centers without points; "seconds" since the start of the run.
    n_steps_ : int
        Number of calls of `partial_fit`.
    n_features_in_ : int
        Number of features D of the points.

    Raises
    ------
    TypeError
        If points are sparse or masked, or a parameter has the wrong type.
    ValueError
        If points contain NaN or infinity, are fewer than clusters, or so large or small
        that squared distances overflow or vanish, if a parameter is out of range, or if
        the shape of a dask array is not known.

    See Also
    --------
    QuickNystroem, ClusterNeighbors : estimators that use the centers.
    sklearn.cluster.KMeans : centers that are no product.

    Notes
    -----
    Minimises Σ w ‖x - v‖² over centers V = 1 mᵀ + scale S[0] ... S[J-1], where v is the
    row of V that is nearest to x. An iteration (1) fits V to the means of the points at
    each center, from the present factors, and (2) assigns the points again. It is kept
    only if the objective decreases. Points far from their center are moved to centers
    without points, if that too decreases it. The offset m is used if the mean of all
    points is large enough.

    For each point, `predict` costs one multiplication for each non-zero, and no memory:
    the products and the smallest distance are computed on tiles of points
    (`nbfact.kernels.nearest_rows`). This pays from K = D = 64 on
    (``nbfact bench --profile full --peers -k assignment``). Far from the origin
    distances are right too: what rounding may have spoilt is computed anew as a sum of
    squared differences, which costs what dense centers do. An iteration costs an
    assignment, N D for the means, and, for "explore", 20 or more sweeps over two
    factors, which are some 20 K D min(K, D) multiplications.

    X may be a dask array, here and in all methods, in chunks of rows. Blocks are passed
    over where dask runs them, and only sums come back. Call ``X.persist()`` before
    `fit`.

    References
    ----------
    L. Giffon, V. Emiya, H. Kadri, L. Ralaivola, QuicK-means: accelerating inference for
    K-means by learning fast transforms, Machine Learning 110, 2021 (arXiv:1908.08713):
    algorithm 2.

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

    cluster_centers_: np.ndarray
    centers_operator_: FactorProduct
    n_parameters_: int
    labels_: np.ndarray
    inertia_: float
    n_iter_: int
    history_: dict[str, np.ndarray]
    n_steps_: int
    n_features_in_: int
    _centers: FactoredCenters
    _recipe: CenterRecipe
    _statistics: ClusterStatistics

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        sparsity: int = 2,
        n_factors: int | None = None,
        init: Literal["k-means++", "random"] | npt.ArrayLike = "k-means++",
        n_init: int = 1,
        max_iter: int = 100,
        tol: float = 1e-6,
        factorizer: Literal["explore", "palm4msa", "butterfly"] = "explore",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        n_jobs: int | None = None,
        threads: int | None = None,
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
        self.threads = threads

    @on_threads
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find centers.

        Parameters
        ----------
        X : array_like or dask array, (N, D)
            Real, finite; float32 is kept, other dtypes become float64.
        y : ignored
        sample_weight : array_like or dask array, (N,), optional
            Weights of the points, not negative; 1 by default.

        Returns
        -------
        self
        """
        points = weighted_points(self, X, sample_weight, reset=True)
        check_parameters(self, points.shape[0])
        recipe = self._recipe_for(points)
        verbose = bool(self.verbose)
        calls = [
            (points, recipe, first, self.max_iter, self.tol, verbose)
            for first in self._seeds(points, self.n_init)
        ]
        runs = each(iterate, calls, self.n_jobs)
        found, history = min(runs, key=lambda run: run[0].objective)
        self._keep(X, found, recipe)
        self.history_ = {name: np.array(values) for name, values in history.items()}
        self.n_iter_ = len(self.history_["objective"])
        return self

    @on_threads
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the centers to the means of all points so far, those of a batch included.

        Parameters
        ----------
        X : array_like or dask array, (N, D)
            The batch. The first one has to hold at least as many points as clusters.
        y : ignored
        sample_weight : array_like or dask array, (N,), optional
            Weights of the points of the batch; 1 by default.

        Returns
        -------
        self
        """
        first = not hasattr(self, "_centers")
        batch = weighted_points(self, X, sample_weight, first)
        if first:
            check_parameters(self, batch.shape[0])
            self._recipe = self._recipe_for(batch)
            (start,) = self._seeds(batch, 1)
            centers = self._recipe.first(start.means, start.counts, batch.origin)
            statistics = Clustering.of(batch, centers).statistics
        else:
            centers = self._centers
            statistics = self._statistics + Clustering.of(batch, centers).statistics
        empty = empty_clusters(statistics)
        if len(empty):
            statistics = relocated(statistics, batch.farthest(centers, len(empty)))
        centers = self._recipe.improved(statistics, centers)
        self._keep(X, Clustering.of(batch, centers), self._recipe)
        self._statistics = statistics
        self.n_steps_ = 1 if first else getattr(self, "n_steps_", 0) + 1
        return self

    @overload
    def fit_predict(
        self, X: npt.ArrayLike, y: Any = None, sample_weight: Any = None
    ) -> np.ndarray: ...
    @overload
    def fit_predict(
        self, X: DaskArray, y: Any = None, sample_weight: Any = None
    ) -> Any: ...
    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Return `labels_` after `fit`, which has the same parameters."""
        return self.fit(X, sample_weight=sample_weight).labels_

    @overload
    def predict(self, X: npt.ArrayLike) -> np.ndarray: ...
    @overload
    def predict(self, X: DaskArray) -> Any: ...
    @on_threads
    def predict(self, X: Any) -> Any:
        """Return the index of the nearest center of each point.

        Parameters
        ----------
        X : array_like or dask array, (N, D)

        Returns
        -------
        array of int32, (N,)
            A dask array, of which nothing is computed yet, for a dask array.
        """
        check_is_fitted(self)
        X = checked_points(self, X, reset=False)
        if is_dask(X):
            return map_rows(_labels, X, np.dtype(np.int32), None, self._centers.nearest)
        return nearest_labels(self._centers.nearest, X)

    @overload
    def transform(self, X: npt.ArrayLike) -> np.ndarray: ...
    @overload
    def transform(self, X: DaskArray) -> Any: ...
    @on_threads
    def transform(self, X: Any) -> Any:
        """Return the distance of each point to each center.

        Parameters
        ----------
        X : array_like or dask array, (N, D)

        Returns
        -------
        array, (N, K)
            A dask array, of which nothing is computed yet, for a dask array.
        """
        check_is_fitted(self)
        X = checked_points(self, X, reset=False)
        if is_dask(X):
            shared = self._centers
            return map_rows(_distances, X, X.dtype, len(shared.array), shared)
        return self._centers.distances(X)

    @on_threads
    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the weighted sum of squared distances to the nearest centers.

        Parameters
        ----------
        X : array_like or dask array, (N, D)
        y : ignored
        sample_weight : array_like or dask array, (N,), optional
            Weights of the points; 1 by default.
        """
        check_is_fitted(self)
        points = weighted_points(self, X, sample_weight, reset=False)
        return -Clustering.of(points, self._centers).objective

    def _recipe_for(self, points: WeightedPoints) -> CenterRecipe:
        """Return the recipe that factors centers of these points."""
        shape = self.n_clusters, points.shape[1]
        kind = RECIPES[self.factorizer]
        return kind(shape, self.sparsity, self.n_factors, points.mean_share)

    def _seeds(self, points: WeightedPoints, n_init: int) -> list[Seeds]:
        """Return the seeds of each run."""
        if not isinstance(self.init, str):
            n_init = 1
        rng = random_state_of(self.random_state)
        return [seeds(points, self.n_clusters, self.init, rng) for _ in range(n_init)]

    def _keep(self, X: Any, found: Clustering, recipe: CenterRecipe) -> None:
        """Set the attributes that a fit learns."""
        self._centers, self._recipe = found.centers, recipe
        self._statistics = found.statistics
        self.cluster_centers_ = found.centers.array
        self.centers_operator_ = found.centers.operator
        self.n_parameters_ = found.centers.n_parameters
        self.inertia_ = found.objective
        self._n_features_out = len(self.cluster_centers_)
        self.labels_ = self.predict(X) if found.labels is None else found.labels


def _labels(x: np.ndarray, nearest: NearestRows) -> np.ndarray:
    """Return the nearest center of each point of a block."""
    check_finite(x)
    return nearest_labels(nearest, x)


def _distances(x: np.ndarray, centers: FactoredCenters) -> np.ndarray:
    """Return the distances of the points of a block to all centers."""
    check_finite(x)
    return centers.distances(x)
