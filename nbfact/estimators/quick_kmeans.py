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

from ..operators import FactorProduct
from .assigned import distances_of, labels_of
from .dense_training import dense_run
from .factored_centers import ClusterStatistics, FactoredCenters
from .inputs import (
    check_parameters,
    checked_points,
    starts_of,
    training_of,
    values_of,
    warn_of_empty,
    weighted_points,
)
from .lloyd import Clustering, empty_clusters, relocated
from .on_threads import on_threads
from .points import DaskArray
from .recipes import CenterRecipe, DenseRecipe
from .training import factored, train

FIRST_BATCH = 5
"""Maximum number of dense iterations on the first batch of `partial_fit`."""


class QuicKMeans(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """K-means with fast assignment: the centers are a product of sparse factors.

    Parameters
    ----------
    n_clusters : int
        Number of centers, K.
    nnz : "auto" or int, default "auto"
        Number of values of the factors, and of the offset if there is one. "auto":
        dense centers are trained first, and the factors get as few values as keep the
        inertia at most a share above theirs (see `inertia_increase`). Where that takes
        more than half of K D values, or K D is below 512, the centers stay dense: see
        `factored_`.
    sparsity : int, optional
        Instead of `nnz`, the parameter of the paper: non-zeros of a factor for each of
        its rows, or of its columns where it has more of these. The paper has L =
        log2(K D) / 2 factors, rounded up, all but one square: sparsity ((L - 1) min(K,
        D) + max(K, D)) values. If that, or `nnz`, is K D or more, this is k-means.
    inertia_increase : float, optional
        The share for ``nnz="auto"``; 0.03 by default. Only one of `nnz`, `sparsity` and
        `inertia_increase` may be given.
    n_factors : int, optional
        Number of factors that share these values, at most as many. By default it is two
        for "explore" and log2(min(K, D)) for "palm4msa"; a butterfly has its own one.
    init : {"k-means++", "random"} or array_like, (K, D)
        The first centers, or how they are drawn from the points: from at most
        max(10000, 20 K) of them.
    n_init : "auto" or int, default "auto"
        Number of runs of dense k-means from different points, of which the best is
        factored. "auto" is 1 for "k-means++" and 10 for "random". An array for init
        allows one run; a RuntimeWarning says so if `n_init` is above 1.
    max_iter : int
        Maximum number of dense iterations of a run, and of the (at most ten) joint ones
        after it; with 0 the first centers are factored.
    tol : float
        Dense iterations stop when the centers move by a sum of squares of at most `tol`
        times the mean variance of the features.
    algorithm : {"lloyd", "elkan", "mini-batch"}
        How dense centers are trained: by `sklearn.cluster.KMeans` or `MiniBatchKMeans`.
        "lloyd" is exact: nbfact iterates where rounding matters, or X is not in memory.
    factorizer : {"explore", "palm4msa", "butterfly"}
        How factors are learned. "explore": by `nbfact.explore`, which finds better
        supports. "palm4msa": by `nbfact.hierarchical` and then `nbfact.palm4msa`, a
        variant of the method of the paper. "butterfly": a butterfly, whose supports and
        number of values are fixed, whatever `nnz` and `sparsity` are.
    random_state : None, int or RandomState
        Draws the first points.
    verbose : int
        Above 0, the objective of each iteration is printed.
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
    factored_ : bool
        Whether the centers are factored; otherwise they are one dense factor.
    nnz_ : int
        Number of values of the centers: non-zeros of the factors, plus D for an offset;
        K D for dense ones.
    dense_inertia_ : float
        Inertia of the dense centers that were trained first.
    labels_ : ndarray of int32, (N,)
        The nearest center of each point; a dask array if the points are one.
    inertia_ : float
        Weighted sum of the squared distances of the points to these.
    n_iter_ : int
        Number of iterations of the best run, dense ones and joint ones.
    history_ : dict of ndarray
        "objective", of the first factors and after each joint iteration; it never
        increases. With each, "n_empty", the centers without points, and "seconds".
        "dense_objective": after each dense iteration (scikit-learn: the last).
    n_steps_, n_features_in_ : int
        Number of calls of `partial_fit`, and of features D of the points.

    Raises
    ------
    TypeError, ValueError
        If points are masked, contain NaN or infinity, are fewer than clusters, or so
        large or small that squared distances overflow or vanish, if a parameter has the
        wrong type or is out of range, or if a dask array has no known shape.

    Warns
    -----
    ConvergenceWarning
        If fewer clusters than `n_clusters` have points.

    See Also
    --------
    QuickNystroem, ClusterNeighbors : estimators that use the centers.
    sklearn.cluster.KMeans : centers that are no product.

    Notes
    -----
    Minimises Σ w ‖x - v‖² over centers V = 1 mᵀ + scale S[0] ... S[J-1], where v is the
    row of V that is nearest to x. Dense k-means comes first. Its centers are factored:
    the numbers of values that one sparse factor and a low rank need are computed, and
    explorations look for fewer. Joint iterations follow while they gain a thousandth of
    the objective: each (1) fits V to the means of the points at each center, from the
    present factors, and (2) assigns the points again. It is kept only if the objective
    decreases. Points far from their center are moved to centers without points, if that
    too decreases it. The offset m is used if the mean of all points is large enough.

    For each point, `predict` costs one multiplication for each non-zero, and no memory:
    the products and the smallest distance are computed on tiles of points
    (`nbfact.kernels.nearest_rows`, for dense centers `nearest_dense_rows`). Far from
    the origin distances are right too: what rounding may have spoilt is computed anew
    as a sum of squared differences, which costs what dense centers do. Points whose
    squares do not fit into float32 are divided by a power of two inside. The label of a
    point is always that of the least distance of `transform`. The search explores for
    a small share of the time of the dense iterations.

    X may be sparse; some rows at a time are made dense. X may be a dask array, here and
    in all methods, in chunks of rows. Blocks are passed over where dask runs them, and
    only sums come back. Call ``X.persist()`` before `fit`.

    References
    ----------
    L. Giffon, V. Emiya, H. Kadri, L. Ralaivola, QuicK-means: accelerating inference for
    K-means by learning fast transforms, Machine Learning 110, 2021 (arXiv:1908.08713):
    algorithm 2 [giffon2021].

    Examples
    --------
    >>> import nbfact as nf
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data
    >>> model = nf.QuicKMeans(64, random_state=0).fit(X)
    >>> bool(-model.score(X) <= 1.03 * model.dense_inertia_)
    True
    >>> model.factored_, model.nnz_ < model.cluster_centers_.size
    (True, True)
    >>> model.transform(X[:5]).shape, model.partial_fit(X[:100]).n_steps_
    ((5, 64), 1)
    >>> nf.QuicKMeans(16, sparsity=3, random_state=0).fit(X).nnz_
    384
    """

    cluster_centers_: np.ndarray
    centers_operator_: FactorProduct
    factored_: bool
    nnz_: int
    dense_inertia_: float
    labels_: np.ndarray
    inertia_: float
    n_iter_: int
    history_: dict[str, np.ndarray]
    n_steps_: int
    n_features_in_: int
    _centers: FactoredCenters
    _recipe: CenterRecipe
    _statistics: ClusterStatistics
    _unit: float

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        nnz: Literal["auto"] | int = "auto",
        sparsity: int | None = None,
        inertia_increase: float | None = None,
        n_factors: int | None = None,
        init: Literal["k-means++", "random"] | npt.ArrayLike = "k-means++",
        n_init: Literal["auto"] | int = "auto",
        max_iter: int = 100,
        tol: float = 1e-4,
        algorithm: Literal["lloyd", "elkan", "mini-batch"] = "lloyd",
        factorizer: Literal["explore", "palm4msa", "butterfly"] = "explore",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        n_jobs: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.nnz = nnz
        self.sparsity = sparsity
        self.inertia_increase = inertia_increase
        self.n_factors = n_factors
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.algorithm = algorithm
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
        X : array_like, sparse or dask array, (N, D)
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
        self._unit = points.unit
        options, starts = training_of(self, self.max_iter), starts_of(self)
        trained = train(points, options, values_of(self), starts, self.n_jobs)
        self._keep(X, trained.clustering, trained.recipe)
        warn_of_empty(trained.clustering.statistics.counts)
        square = self._unit**2
        history = {name: np.array(column) for name, column in trained.history.items()}
        for name in ("objective", "dense_objective"):
            history[name] = history[name] * square
        self.history_, self.n_iter_ = history, trained.n_iter
        self.dense_inertia_ = trained.dense.clustering.objective * square
        return self

    @on_threads
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the centers to the means of all points so far, those of a batch included.

        Parameters
        ----------
        X : array_like, sparse or dask array, (N, D)
            The batch. The first one has to hold at least as many points as clusters.
        y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        first = not hasattr(self, "_centers")
        unit = None if first else self._unit
        batch = weighted_points(self, X, sample_weight, first, unit)
        if first:
            check_parameters(self, batch.shape[0])
            self._unit = batch.unit
            options, values = training_of(self, FIRST_BATCH), values_of(self)
            dense = dense_run(batch, options, *starts_of(self)[0])
            self._recipe, found, dense = factored(batch, options, dense, values)
            self.dense_inertia_ = dense.clustering.objective * self._unit**2
            centers, statistics = found.centers, found.statistics
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
        """Return `labels_` after `fit`; the parameters are those of `fit`."""
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
        X : array_like, sparse or dask array, (N, D)

        Returns
        -------
        array of int32, (N,)
            A dask array, of which nothing is computed yet, for a dask array.
        """
        check_is_fitted(self)
        X = self._in_unit(checked_points(self, X, reset=False, finite=False))
        return labels_of(self._centers, X)

    @overload
    def transform(self, X: npt.ArrayLike) -> np.ndarray: ...
    @overload
    def transform(self, X: DaskArray) -> Any: ...
    @on_threads
    def transform(self, X: Any) -> Any:
        """Return the distance of each point to each center.

        Parameters
        ----------
        X : array_like, sparse or dask array, (N, D)

        Returns
        -------
        array, (N, K)
            A dask array, of which nothing is computed yet, for a dask array.
        """
        check_is_fitted(self)
        X = self._in_unit(checked_points(self, X, reset=False))
        return distances_of(self._centers, self._unit, X)

    @on_threads
    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the weighted sum of squared distances to the nearest centers.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        points = weighted_points(self, X, sample_weight, False, self._unit)
        return -Clustering.of(points, self._centers).objective * self._unit**2

    def _in_unit(self, X: Any) -> Any:
        """Return checked points in the unit of the centers."""
        return X if self._unit == 1 else X * X.dtype.type(1 / self._unit)

    def _keep(self, X: Any, found: Clustering, recipe: CenterRecipe) -> None:
        """Set the attributes that a fit learns."""
        self._centers, self._recipe = found.centers, recipe
        self._statistics = found.statistics
        centers = found.centers.in_units(self._unit)
        self.cluster_centers_ = centers.array
        self.centers_operator_ = centers.operator
        self.factored_ = not isinstance(recipe, DenseRecipe)
        size = self.cluster_centers_.size
        self.nnz_ = found.centers.n_parameters if self.factored_ else size
        self.inertia_ = found.objective * self._unit**2
        self._n_features_out = len(self.cluster_centers_)
        self.labels_ = self.predict(X) if found.labels is None else found.labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
