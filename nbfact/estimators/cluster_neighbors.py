"""Nearest neighbors by clusters: only the points of the nearest cells are searched."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .cell_search import CellSearch
from .inputs import DTYPES, naming, validated


class ClusterNeighbors(CellSearch):
    """Nearest neighbors, searched in the cells of the nearest centers of a clustering.

    With `QuicKMeans`, the nearest centers are found by a product of sparse factors.
    Within a cell the search is exact, but a nearest neighbor may lie in another cell.

    Parameters
    ----------
    n_neighbors : int, default 1
        Number of neighbors of a point, unless `kneighbors` is called with another one.
    n_clusters : int, default None
        Number of cells. None stands for the square root of the number of points, which
        balances the search for cells and the one for points. It is at most the number
        of points, with a warning.
    n_probes : int, default None
        Number of cells that are searched for each point: the nearest ones that are not
        empty, or all of them if there are fewer. The paper searches one. None stands
        for 1.1 times the number of cells to the power 0.58, rounded up: 9 of 32, 16 of
        100, 24 of 200. With as many cells as by default, that finds the nearest
        neighbor of at least nine of ten queries among Gaussian points in 16 dimensions
        (one cell: three of ten).
    clusterer : estimator, default None
        A clusterer with `predict`, `cluster_centers_` once it is fitted, and possibly
        `centers_operator_`; None stands for `QuicKMeans`. A copy is fitted, with
        `n_clusters` if it has this parameter. A fitted clusterer is used as it is if it
        is wrapped in `sklearn.frozen.FrozenEstimator`.
    random_state : int, RandomState or None, default None
        Given to the copy of the clusterer, unless it is None.
    threads : int, default None
        Number of threads that share the points and the columns of products, as in
        `nbfact.threads`; None for that of the enclosing block.

    Attributes
    ----------
    points_ : array, (n_samples, n_features)
        The training points, cell by cell, float32 or float64.
    permutation_ : array of int, (n_samples,)
        The index of each of these points in the training data, ascending in a cell.
    offsets_ : array of int, (n_clusters + 1,)
        Where each cell begins in `points_`, and where the last one ends.
    clusterer_ : estimator
        The fitted copy.
    n_probes_ : int
        Number of cells that are searched.
    n_samples_fit_, n_features_in_ : int
        Number of training points and of their features.

    Raises
    ------
    TypeError
        In `fit`, if the clusterer cannot predict or has no centers.
    ValueError
        In `fit`, if n_neighbors, n_clusters or n_probes is below 1.

    See Also
    --------
    ClusterNeighborsClassifier : predicts the class of most neighbors.
    QuicKMeans : the default clusterer.

    Notes
    -----
    A query costs the product with the centers, which takes `nnz` multiplications
    instead of n_clusters × n_features, and the products with the points of its cells.
    The latter are computed for all queries of a cell at once, relative to its center.
    Points that rounding may have kept from being nearest are then compared by their
    distances in float64.

    References
    ----------
    L. Giffon, V. Emiya, H. Kadri, L. Ralaivola, QuicK-means: accelerating inference for
    K-means by learning fast transforms, Machine Learning 110, 2021 (arXiv:1908.08713)
    [giffon2021].

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from nbfact.estimators import ClusterNeighbors
    >>> points = [[0.0], [1.0], [10.0], [12.0]]
    >>> cells = ClusterNeighbors(clusterer=KMeans(random_state=0)).fit(points)
    >>> distances, indices = cells.kneighbors([[11.5], [0.2]])
    >>> indices.ravel()
    array([3, 0])
    >>> cells.kneighbors_graph([[11.5]]).toarray()
    array([[0., 0., 0., 1.]])
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Cluster the training points and store them cell by cell.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)
            float32 is kept; other real dtypes become float64.
        y : ignored

        Returns
        -------
        self
        """
        return self._fit(validated(self, X, dtype=DTYPES))


class ClusterNeighborsClassifier(ClassifierMixin, CellSearch):
    """Predict the class that most of the nearest neighbors have, searched by clusters.

    The other attributes, and the costs, are those of `ClusterNeighbors`.

    Parameters
    ----------
    n_neighbors, n_clusters, n_probes, clusterer, random_state, threads
        As in `ClusterNeighbors`; one neighbor by default.

    Attributes
    ----------
    classes_ : array, (n_classes,)
        The classes of the training points, sorted. If several classes have the same
        number of neighbors, the first one is predicted.

    See Also
    --------
    ClusterNeighbors : the search without classes.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from nbfact.estimators import ClusterNeighborsClassifier
    >>> model = ClusterNeighborsClassifier(clusterer=KMeans(random_state=0))
    >>> model.fit([[0.0], [1.0], [10.0], [12.0]], ["a", "a", "b", "b"]).predict([[9.0]])
    array(['b'], dtype='<U1')
    >>> model.predict_proba([[9.0]])
    array([[0., 1.]])
    """

    classes_: np.ndarray
    _codes: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:
        """Cluster the training points and store them with their classes.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)
            float32 is kept; other real dtypes become float64.
        y : array_like, (n_samples,)
            The class of each point.

        Returns
        -------
        self
        """
        X, y = validated(self, X, y, dtype=DTYPES)
        naming("y", check_classification_targets, y)
        self.classes_, self._codes = np.unique(y, return_inverse=True)
        return self._fit(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the share of each class among the neighbors of each query.

        Parameters
        ----------
        X : array_like, (n_queries, n_features)

        Returns
        -------
        array of float64, (n_queries, n_classes)
        """
        check_is_fitted(self)
        if X is None:
            raise ValueError("X is None: expected queries")
        codes = self._codes[self.kneighbors(X, return_distance=False)]
        votes = np.zeros((len(codes), len(self.classes_)))
        np.add.at(votes, (np.arange(len(codes))[:, None], codes), 1)
        return votes / codes.shape[1]

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each query.

        Parameters
        ----------
        X : array_like, (n_queries, n_features)

        Returns
        -------
        array, (n_queries,)
        """
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]
