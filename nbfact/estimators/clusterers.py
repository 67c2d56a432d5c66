"""Fitting a clusterer, and squared distances to its centres by a fast operator."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone


def fit_clusterer(
    clusterer: Any, n_clusters: int, X: np.ndarray, random_state: Any, name: str
) -> Any:
    """Return a fitted copy of a clusterer.

    Parameters
    ----------
    clusterer : estimator or None
        None for `QuicKMeans`. Where it has a parameter `n_clusters`, it is set; so
        is `random_state`, unless None. A `FrozenEstimator` stays as it is.
    n_clusters : int
        At most the number of points is used, with a warning.
    X : array, (n_samples, n_features)
    random_state : None, int or RandomState
    name : str
        What the caller's argument `n_clusters` is called.
    """
    if clusterer is None:
        from .quick_kmeans import QuicKMeans

        clusterer = QuicKMeans()
    fitted = clone(clusterer)
    parameters = fitted.get_params(deep=False)
    if "n_clusters" in parameters:
        if n_clusters > len(X):
            message = f"{name}={n_clusters}: {len(X)}, the number of points, is used"
            warnings.warn(message, UserWarning, stacklevel=3)
        fitted.set_params(n_clusters=min(n_clusters, len(X)))
    if "random_state" in parameters and random_state is not None:
        fitted.set_params(random_state=random_state)
    return fitted.fit(X, None)  # None: FrozenEstimator asks for it


class Centers:
    """The centres of a fitted clusterer, and what gives distances to them.

    Parameters
    ----------
    clusterer : estimator
        Fitted, with `cluster_centers_`, (K, D), and perhaps `centers_operator_`, an
        operator of the same matrix.
    dtype : numpy.dtype
        float32 or float64, of the points.

    Attributes
    ----------
    array : array, (K, D)
    shape : tuple of int
    operator : FastOperator or array, (K, D)
        The operator; else the centres less their mean.
    shift : array, (D,)
        The mean of the centres.
    norms : array, (K,)
        Squared distances of the centres to their mean.

    Raises
    ------
    TypeError
        For a clusterer without centres.
    ValueError
        For an operator of another shape.
    """

    def __init__(self, clusterer: Any, dtype: np.dtype) -> None:
        centers = getattr(clusterer, "cluster_centers_", None)
        if centers is None:
            raise TypeError(f"clusterer={clusterer!r} has no cluster_centers_")
        self.array = np.ascontiguousarray(centers, dtype)
        self.shape = self.array.shape
        self.shift = self.array.mean(axis=0, dtype=np.float64).astype(dtype)
        centered = self.array - self.shift
        operator = getattr(clusterer, "centers_operator_", None)
        if operator is not None and operator.shape != centered.shape:
            raise ValueError(
                f"centers_operator_ has shape {operator.shape}, but cluster_centers_ "
                f"has shape {centered.shape}"
            )
        self.fast = operator is not None
        self.operator = operator if self.fast else centered
        self.norms = np.einsum("kd,kd->k", centered, centered)

    def squared_distances(self, X: np.ndarray) -> np.ndarray:
        """Return the squared distances of the centres to points: (K, n), of X: (n, D).

        About the mean of the centres, where less is lost to rounding. Costs `nnz`
        multiplications a point.
        """
        Z = X - self.shift
        squares = np.einsum("nd,nd->n", Z, Z)
        if self.fast:  # products are with the centres, not the centres less their mean
            squares += 2 * (Z @ self.shift)
        distances = self.operator @ Z.T
        distances *= -2
        distances += self.norms[:, None]
        distances += squares
        return np.maximum(distances, 0, out=distances)
