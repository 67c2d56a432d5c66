"""Nearest neighbours by clusters: the points of the nearest cells are searched."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .._core.checks import size
from .clusterers import Centers, fit_clusterer
from .exact_neighbors import candidates, exact_squares, merge
from .row_tiles import tiles


class ClusterNeighbors(BaseEstimator):
    """Nearest neighbours, searched in the cells of the nearest centres of a clustering.

    With `QuicKMeans`, the nearest centres are found by a product of sparse factors.
    Within a cell the search is exact; a nearest neighbour may lie in another one.

    Parameters
    ----------
    n_neighbors : int, default 1
        Neighbours of a point, where `kneighbors` is not told.
    n_clusters : int, default None
        Cells. None: the square root of the number of points, which balances the two
        searches. At most the number of points, with a warning.
    n_probes : int, default 1
        Cells searched for each point, the nearest that are not empty; past their
        number, all. 1 is the paper's.
    clusterer : estimator, default None
        Has `predict`, `cluster_centers_` once fitted, and perhaps `centers_operator_`.
        None: `QuicKMeans`. A copy is fitted, with `n_clusters` where it has this
        parameter; a fitted one is used as it is within
        `sklearn.frozen.FrozenEstimator`.
    random_state : int, RandomState or None, default None
        Given to the copy of the clusterer, unless None.

    Attributes
    ----------
    points_ : array, (n_samples, n_features)
        The training points, cell by cell.
    permutation_ : array of int, (n_samples,)
        Which training point each is, ascending in a cell.
    offsets_ : array of int, (n_clusters + 1,)
        Where the cells begin in `points_`, and where the last ends.
    clusterer_ : estimator
        The fitted copy.
    n_samples_fit_, n_features_in_ : int

    Raises
    ------
    TypeError
        In `fit`, for a clusterer that does not predict or learns no centres.
    ValueError
        In `fit`, for n_neighbors, n_clusters or n_probes < 1.

    Notes
    -----
    A query costs the products with the centres (`nnz` multiplications, instead of
    n_clusters × n_features) and those with the points of its cells. Those are computed
    for all queries of a cell at once, about its centre; points that rounding may have
    kept from being nearest are then compared by their distances in float64.

    References
    ----------
    L. Giffon, V. Emiya, L. Ralaivola and H. Kadri, QuicK-means: accelerating inference
    for K-means by learning fast transforms, Machine Learning, 2021.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from nbfact.estimators import ClusterNeighbors
    >>> points = [[0.0], [1.0], [10.0], [12.0]]
    >>> cells = ClusterNeighbors(clusterer=KMeans(random_state=0)).fit(points)
    >>> distances, indices = cells.kneighbors([[11.5], [0.2]])
    >>> indices.ravel()
    array([3, 0])
    """

    def __init__(
        self,
        n_neighbors: int = 1,
        *,
        n_clusters: int | None = None,
        n_probes: int = 1,
        clusterer: Any = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_clusters = n_clusters
        self.n_probes = n_probes
        self.clusterer = clusterer
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Cluster the training points and store them cell by cell.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        return self._fit(validate_data(self, X, dtype=[np.float64, np.float32]))

    def _fit(self, X):
        """Store the points X, checked."""
        size("n_neighbors", self.n_neighbors)
        size("n_probes", self.n_probes)
        n_clusters = self.n_clusters
        if n_clusters is None:
            n_clusters = round(len(X) ** 0.5)
        n_clusters = size("n_clusters", n_clusters)
        self.clusterer_ = fit_clusterer(
            self.clusterer, n_clusters, X, self.random_state, "n_clusters"
        )
        self._centers = Centers(self.clusterer_, X.dtype)
        if not hasattr(self.clusterer_, "predict"):
            raise TypeError(f"clusterer={self.clusterer_!r} has no predict")
        # Not `labels_`: of a frozen clusterer, they are those of other points.
        labels = self.clusterer_.predict(X)
        self.permutation_ = np.argsort(labels, kind="stable")
        counts = np.bincount(labels, minlength=self._centers.shape[0])
        self.offsets_ = np.concatenate([[0], np.cumsum(counts)])
        self.points_ = X[self.permutation_]
        self.n_samples_fit_ = len(X)
        return self

    def kneighbors(
        self, X: Any, n_neighbors: int | None = None, return_distance: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the nearest training points of each point, nearest first.

        Parameters
        ----------
        X : array_like, (n_queries, n_features)
        n_neighbors : int, default None
            None: that of the estimator. Where the cells searched hold fewer points,
            twice as many cells are, and so on.
        return_distance : bool, default True

        Returns
        -------
        distances : array of float64, (n_queries, n_neighbors)
            Where asked for.
        indices : array of int, (n_queries, n_neighbors)
            Rows of the training points; of equal distances, the smallest index first.

        Raises
        ------
        ValueError
            For more neighbours than training points.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        k = size("n_neighbors", k)
        if k > self.n_samples_fit_:
            raise ValueError(
                f"n_neighbors={k}, of {self.n_samples_fit_} training points"
            )
        squares = np.full((len(X), k), np.inf)
        indices = np.full((len(X), k), self.n_samples_fit_)
        n_probes = min(self.n_probes, self._centers.shape[0])
        for batch in tiles(len(X), n_probes):
            queries, cells = self._probes(X[batch], k)
            order = np.argsort(cells, kind="stable")
            cells, first = np.unique(cells[order], return_index=True)
            groups = np.split(queries[order] + batch.start, first[1:])
            for cell, group in zip(cells, groups, strict=True):
                self._search(cell, X, group, squares, indices)
        return (np.sqrt(squares), indices) if return_distance else indices

    def _probes(self, X, k):
        """Return the pairs of a query and a cell to search, k points or more each."""
        counts = np.diff(self.offsets_)
        X = X.astype(self.points_.dtype, copy=False)
        left, n_probes = np.arange(len(X)), self.n_probes
        queries, probes = [], []
        while len(left):
            cells = self._nearest_cells(X[left], n_probes)
            enough = counts[cells].sum(axis=1) >= k
            queries.append(np.repeat(left[enough], cells.shape[1]))
            probes.append(cells[enough].ravel())
            left, n_probes = left[~enough], 2 * n_probes
        return np.concatenate(queries), np.concatenate(probes)

    def _nearest_cells(self, X, n_probes):
        """Return the nearest cells that are not empty: (n, n_probes), all at most."""
        filled = np.flatnonzero(np.diff(self.offsets_))
        if n_probes >= len(filled):
            return np.broadcast_to(filled, (len(X), len(filled)))
        if n_probes == 1:  # perhaps an empty one: then two are asked for
            return self.clusterer_.predict(X)[:, None]
        cells = np.empty((len(X), n_probes), np.intp)
        for tile in tiles(len(X), max(self._centers.shape)):
            squares = self._centers.squared_distances(X[tile])[filled].T
            nearest = np.argpartition(squares, n_probes - 1, axis=1)
            cells[tile] = filled[nearest[:, :n_probes]]
        return cells

    def _search(self, cell, X, queries, squares, indices):
        """Search a cell for neighbours of X[queries]; update squares and indices."""
        inside = slice(self.offsets_[cell], self.offsets_[cell + 1])
        points, numbers = self.points_[inside], self.permutation_[inside]
        center = self._centers.array[cell]
        centered = points - center
        for tile in tiles(len(queries), len(points)):
            rows = queries[tile]
            best = squares[rows], indices[rows]
            pairs = candidates(X[rows] - center, centered, best[0])
            found = exact_squares(X[rows], points, *pairs)
            squares[rows], indices[rows] = merge(
                pairs[0], found, numbers[pairs[1]], *best
            )


class ClusterNeighborsClassifier(ClassifierMixin, ClusterNeighbors):
    """The class of most of the nearest neighbours, searched by clusters.

    Parameters, attributes and costs are those of `ClusterNeighbors`, and `classes_`.
    Of classes with as many neighbours, the first is predicted.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from nbfact.estimators import ClusterNeighborsClassifier
    >>> model = ClusterNeighborsClassifier(clusterer=KMeans(random_state=0))
    >>> model.fit([[0.0], [1.0], [10.0], [12.0]], ["a", "a", "b", "b"]).predict([[9.0]])
    array(['b'], dtype='<U1')
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Cluster the training points and store them with their classes.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)
        y : array_like, (n_samples,)
            Classes.

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_, self._codes = np.unique(y, return_inverse=True)
        return self._fit(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the share of each class among the neighbours, (n_queries, n_classes).

        Parameters
        ----------
        X : array_like, (n_queries, n_features)
        """
        check_is_fitted(self)
        codes = self._codes[self.kneighbors(X, return_distance=False)]
        votes = np.zeros((len(codes), len(self.classes_)))
        np.add.at(votes, (np.arange(len(codes))[:, None], codes), 1)
        return votes / codes.shape[1]

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each point, (n_queries,).

        Parameters
        ----------
        X : array_like, (n_queries, n_features)
        """
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]
