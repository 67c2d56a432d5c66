"""QuickNystroem: features of the RBF kernel from the centers of a clustering."""

from typing import Any, Self

import numpy as np
import scipy.linalg
from scipy.spatial.distance import cdist
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from .._core.checks import real_number, size
from .clusterers import Centers, fit_clusterer
from .inputs import DTYPES, random_state_of, validated
from .on_threads import on_threads
from .points import check_range
from .row_tiles import tiles


class QuickNystroem(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Nyström features of the RBF kernel, whose landmarks are the centers of clusters.

    With `QuicKMeans`, the products of a point with all landmarks are computed by a
    product of sparse factors.

    Parameters
    ----------
    n_components : int, default 100
        Number of landmarks K, and of features. It is at most the number of points, with
        a warning.
    gamma : float, default None
        The factor in exp(-gamma d²). None stands for 1 / the mean squared distance of
        the training points (as in the paper), a mean that is twice their variance, and
        for 1 where all points are equal.
    clusterer : estimator, default None
        A clusterer with `cluster_centers_` once it is fitted, and possibly
        `centers_operator_`; None stands for `QuicKMeans`. A copy is fitted, with
        `n_clusters=n_components` if it has this parameter. A fitted clusterer is used
        as it is if it is wrapped in `sklearn.frozen.FrozenEstimator`.
    random_state : int, RandomState or None, default None
        Given to the copy of the clusterer, unless it is None.
    threads : int, default None
        Number of threads that share the points and the columns of products, as in
        `nbfact.threads`; None for that of the enclosing block.

    Attributes
    ----------
    landmarks_ : array, (K, n_features)
        The landmarks, of the dtype of the training points: float32 stays float32.
    normalization_ : array, (K, K)
        W^(-1/2), where W is the kernel of the landmarks.
    gamma_ : float
        The factor that is used.
    clusterer_ : estimator
        The fitted copy.
    n_features_in_ : int
        Number of features of the training points.

    Raises
    ------
    TypeError
        In `fit`, if the clusterer has no centers.
    ValueError
        In `fit`, if n_components is below 1, or gamma is not positive and finite.

    See Also
    --------
    QuicKMeans : the default clusterer.
    sklearn.kernel_approximation.Nystroem : landmarks drawn at random, any kernel.

    Notes
    -----
    With C the kernel of points and landmarks, the features are Φ = C W^(-1/2), and
    Φ Φᵀ = C W⁺ Cᵀ approximates the kernel of the points. Eigenvalues of W below 10 ε
    times the largest one are raised to that, where ε is the precision of the dtype,
    because W is singular where landmarks coincide. A smaller floor lets the rounding of
    C through in float32, and a larger one loses accuracy; the 1e-12 of scikit-learn is
    below the ε of float32.

    For each point, the products with the landmarks cost `nnz` multiplications instead
    of K D, the exponentials K, and the normalization K². With an operator the last one
    dominates, so that `transform` is at most (K D + K²) / K² times as fast as with
    dense landmarks. A linear model of the features with the weights w is a model of C
    with the weights W^(-1/2) w, which does without K².

    References
    ----------
    L. Giffon, V. Emiya, H. Kadri, L. Ralaivola, QuicK-means: accelerating inference for
    K-means by learning fast transforms, Machine Learning 110, 2021 (arXiv:1908.08713)
    [giffon2021].

    C. Williams and M. Seeger, Using the Nyström method to speed up kernel machines,
    NIPS, 2000 [williams2001].

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> from nbfact.estimators import QuickNystroem
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> model = QuickNystroem(3, clusterer=KMeans(random_state=0)).fit(X)
    >>> features = model.transform(X)
    >>> np.round(features @ features.T, 3)
    array([[1.   , 0.472, 0.05 ],
           [0.472, 1.   , 0.472],
           [0.05 , 0.472, 1.   ]])
    """

    landmarks_: np.ndarray
    normalization_: np.ndarray
    gamma_: float
    clusterer_: Any
    n_features_in_: int
    _centers: Centers

    def __init__(
        self,
        n_components: int = 100,
        *,
        gamma: float | None = None,
        clusterer: Any = None,
        random_state: int | np.random.RandomState | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.gamma = gamma
        self.clusterer = clusterer
        self.random_state = random_state
        self.threads = threads

    @on_threads
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the landmarks and their normalization.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)
            float32 is kept; other real dtypes become float64.
        y : ignored

        Returns
        -------
        self
        """
        X = validated(self, X, dtype=DTYPES)
        n_components = size("n_components", self.n_components)
        random_state_of(self.random_state)
        check_range(X)
        self.gamma_ = _gamma(self.gamma, X)
        self.clusterer_ = fit_clusterer(
            self.clusterer, n_components, X, self.random_state, "n_components"
        )
        self._centers = Centers(self.clusterer_, X.dtype)
        self.landmarks_ = self._centers.array
        landmarks = self.landmarks_.astype(np.float64)
        squares = cdist(landmarks, landmarks, "sqeuclidean")
        with np.errstate(over="ignore"):
            kernel = np.exp(-self.gamma_ * squares)
        self.normalization_ = _inverse_root(kernel, X.dtype)
        return self

    @on_threads
    def transform(self, X: Any) -> np.ndarray:
        """Return the features of points.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)

        Returns
        -------
        features : array, (n_samples, K)
            The features, of the dtype of the training points.
        """
        check_is_fitted(self)
        dtype = self.landmarks_.dtype
        X = validated(self, X, dtype=dtype, reset=False)
        features = np.empty((len(X), len(self.landmarks_)), dtype)
        gamma = min(self.gamma_, float(np.finfo(dtype).max))
        for tile in tiles(len(X), max(self.landmarks_.shape)):
            similarities = self._centers.squared_distances(X[tile])
            with np.errstate(over="ignore"):  # exp(-infinity) is right
                similarities *= -gamma
            np.exp(similarities, out=similarities)
            np.matmul(similarities.T, self.normalization_, out=features[tile])
        return features

    @property
    def _n_features_out(self) -> int:
        return len(self.landmarks_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _gamma(gamma: Any, X: np.ndarray) -> float:
    """Return a checked gamma; for None, 1 / the mean squared distance of the points."""
    if gamma is None:
        mean = X.mean(axis=0, dtype=np.float64)
        total = sum(np.square(X[tile] - mean).sum() for tile in tiles(*X.shape))
        return len(X) / (2 * total) if total else 1.0
    return real_number("gamma", gamma, above=0)


def _inverse_root(kernel: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return kernel^(-1/2), (K, K), with small eigenvalues raised to a floor."""
    values, vectors = scipy.linalg.eigh(kernel)
    floor = 10 * np.finfo(dtype).eps * values[-1]
    scaled = vectors / np.sqrt(np.maximum(values, floor))
    return (scaled @ vectors.T).astype(dtype)
