"""The clusterer of an estimator: a fitted copy, and distances to its centers."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone

from .._core.checks import shown
from .center_distances import CenterDistances


def fit_clusterer(
    clusterer: Any, n_clusters: int, X: np.ndarray, random_state: Any, name: str
) -> Any:
    """Return a fitted copy of a clusterer.

    Parameters
    ----------
    clusterer : estimator or None
        None stands for `QuicKMeans`. If it has a parameter `n_clusters`, that is set;
        so is `random_state`, unless it is None here. A `FrozenEstimator` stays as it
        is.
    n_clusters : int
        The number of points is used instead, with a warning, if it is smaller.
    X : array, (n_samples, n_features)
    random_state : None, int or RandomState
    name : str
        Name of the caller's argument that sets the number of clusters.
    """
    if clusterer is None:
        from .quick_kmeans import QuicKMeans

        clusterer = QuicKMeans()
    if isinstance(clusterer, type) or not hasattr(clusterer, "get_params"):
        raise TypeError(f"clusterer={shown(clusterer)}: expected an estimator")
    fitted = clone(clusterer)
    parameters = fitted.get_params(deep=False)
    if "n_clusters" in parameters:
        if n_clusters > len(X):
            message = f"{name}={n_clusters}: {len(X)}, the number of points, is used"
            warnings.warn(message, UserWarning, stacklevel=3)
        fitted.set_params(n_clusters=min(n_clusters, len(X)))
    if "random_state" in parameters and random_state is not None:
        fitted.set_params(random_state=random_state)
    return fitted.fit(X, None)  # FrozenEstimator requires the second argument


class Centers:
    """The centers of a fitted clusterer, and squared distances to them.

    Parameters
    ----------
    clusterer : estimator
        A fitted clusterer with `cluster_centers_`, (K, D), and possibly
        `centers_operator_`, an operator of the same matrix or a result that holds one.
    dtype : numpy.dtype
        Dtype of the points, float32 or float64.

    Attributes
    ----------
    array : array, (K, D)
    shape : tuple of int
    has_operator : bool
        Whether the clusterer has a `centers_operator_`.
    operator : FastOperator or array, (K, D)
        The operator of the clusterer if it has one, else the centers less their mean.
    shift : array, (D,)
        The mean of the centers.

    Raises
    ------
    TypeError
        If the clusterer has no centers.
    ValueError
        If its operator has another shape than its centers.
    """

    def __init__(self, clusterer: Any, dtype: np.dtype) -> None:
        centers = getattr(clusterer, "cluster_centers_", None)
        if centers is None:
            raise TypeError(f"clusterer={clusterer!r} has no cluster_centers_")
        self.array: np.ndarray = np.ascontiguousarray(centers, dtype)
        self.shape = self.array.shape
        self.shift = self.array.mean(axis=0, dtype=np.float64).astype(dtype)
        centered = self.array - self.shift
        operator = getattr(clusterer, "centers_operator_", None)
        operator = getattr(operator, "operator", operator)
        if operator is not None and operator.shape != centered.shape:
            raise ValueError(
                f"centers_operator_ has shape {operator.shape}, but cluster_centers_ "
                f"has shape {centered.shape}"
            )
        self.has_operator = operator is not None
        self.operator = operator if self.has_operator else centered
        self._distances = CenterDistances(
            centered if operator is None else operator,
            self.array,
            self.shift,
            whole=self.has_operator,
        )

    def squared_distances(self, X: np.ndarray) -> np.ndarray:
        """Return the squared distances, (K, n), of the centers to points X (n, D).

        Points and centers are taken relative to the mean of the centers, so that less
        is lost to rounding. The cost is `nnz` multiplications for each point, and D for
        each distance that is far smaller than the norms of the points and centers.
        """
        return self._distances.squares(X)
