"""Rivals of QuicK-means: scikit-learn, faiss, and k-means after a random projection.

Each is an estimator with `cluster_centers_`, `labels_`, `inertia_`, `predict` and
`n_bytes`, the bytes of what `predict` reads. A label may be that of a centre that is
not the nearest one, where a rival searches approximately; the inertia counts it.
"""

import functools
import math
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.random_projection import GaussianRandomProjection

from .datasets import installed

MINI_BATCH = "MiniBatchKMeans"
PROJECTED = "K-means after projection"
FAISS = "faiss Kmeans"
FLAT = "K-means, faiss flat index"
IVF = "K-means, faiss IVF"

SHARE_OF_FEATURES = 4
"""A random projection keeps one feature of so many."""

PROBED = 4
"""Number of lists of centres that the IVF index searches, of about √K."""


class _Rival(ClusterMixin, BaseEstimator):
    """A clustering whose labels and inertia follow from its own `predict`."""

    n_iter_: int

    def _finished(self, X: np.ndarray, centers: np.ndarray) -> Self:
        """Keep the centres, and assign the points."""
        self.cluster_centers_ = np.ascontiguousarray(centers, np.float32)
        self.labels_ = self.predict(X)
        self.inertia_ = inertia_of(X, self.cluster_centers_, self.labels_)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each point, (N,)."""
        raise NotImplementedError


class FaissKMeans(_Rival):
    """`faiss.Kmeans` from given first centres; labels by its flat index.

    Parameters
    ----------
    init : array of float32, (K, D)
    max_iter : int
    """

    def __init__(self, init: Any, max_iter: int = 20) -> None:
        self.init, self.max_iter = init, max_iter

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Find the centres of points of float32, (N, D)."""
        import faiss

        count, features = self.init.shape
        options = {"niter": self.max_iter, "max_points_per_centroid": len(X)}
        found = faiss.Kmeans(features, count, min_points_per_centroid=1, **options)
        found.train(X, init_centroids=self.init)
        self.n_iter_ = self.max_iter
        self._index = faiss.IndexFlatL2(features)
        self._index.add(found.centroids)
        self.n_bytes = count * features * 4
        return self._finished(X, found.centroids)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the nearest centre of each point by the flat index."""
        return self._index.search(X, 1)[1][:, 0].astype(np.int32)


class IndexedKMeans(_Rival):
    """The centres of a fitted K-means, searched by an index of faiss.

    Parameters
    ----------
    kmeans : clusterer
        A fitted K-means.
    inverted : bool
        Whether centres are searched in a few of about √K lists (IVF), and not in all.
    """

    def __init__(self, kmeans: Any, inverted: bool = False) -> None:
        self.kmeans, self.inverted = kmeans, inverted

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Build the index."""
        import faiss

        centers = np.ascontiguousarray(self.kmeans.cluster_centers_, np.float32)
        count, features = centers.shape
        index = faiss.IndexFlatL2(features)
        if self.inverted:
            index = faiss.IndexIVFFlat(index, features, max(1, math.isqrt(count)))
            index.cp.min_points_per_centroid = 1
            index.train(centers)
            index.nprobe = PROBED
        index.add(centers)
        self._index, self.n_iter_ = index, self.kmeans.n_iter_
        self.n_bytes = len(faiss.serialize_index(index))
        return self._finished(X, centers)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the centre that the index finds for each point."""
        return self._index.search(X, 1)[1][:, 0].astype(np.int32)


class ProjectedKMeans(_Rival):
    """K-means of points after a Gaussian random projection.

    Centres are the means of the points themselves. A new point is projected, and gets
    the label of the nearest projected centre.

    Parameters
    ----------
    init : array of float32, (K, D)
    max_iter : int
    random_state : int
    """

    def __init__(self, init: Any, max_iter: int = 20, random_state: int = 0) -> None:
        self.init, self.max_iter, self.random_state = init, max_iter, random_state

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Find the centres of points of float32, (N, D)."""
        count, features = self.init.shape
        kept = max(1, features // SHARE_OF_FEATURES)
        projection = GaussianRandomProjection(kept, random_state=self.random_state)
        projection.fit(X)
        self._matrix = projection.components_.astype(np.float32).T
        options = {"n_init": 1, "max_iter": self.max_iter}
        self._kmeans = KMeans(count, init=self.init @ self._matrix, **options)
        self._kmeans.fit(X @ self._matrix)
        self.n_iter_ = self._kmeans.n_iter_
        self.n_bytes = 4 * (self._matrix.size + count * kept)
        return self._finished(X, means_of(X, self._kmeans.labels_, self.init))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the nearest projected centre of each point."""
        return self._kmeans.predict(X @ self._matrix)


def rivals_of(first: np.ndarray, max_iter: int, seed: int) -> dict[str, BaseEstimator]:
    """Return the rivals that train centres of their own, by name.

    Those of faiss are left out where it is not installed.

    Parameters
    ----------
    first : array of float32, (K, D)
        The first centres.
    max_iter, seed : int
    """
    options: dict[str, Any] = {"max_iter": max_iter, "random_state": seed}
    found: dict[str, BaseEstimator] = {
        MINI_BATCH: MiniBatchKMeans(len(first), init=first, n_init=1, **options),
        PROJECTED: ProjectedKMeans(first, **options),
    }
    if installed("faiss"):
        found[FAISS] = FaissKMeans(first, max_iter)
    return found


def indices_of(kmeans: Any) -> dict[str, BaseEstimator]:
    """Return the indices of faiss that search the centres of K-means, by name.

    There are none where faiss is not installed.
    """
    if not installed("faiss"):
        return {}
    return {FLAT: IndexedKMeans(kmeans), IVF: IndexedKMeans(kmeans, inverted=True)}


def inertia_of(x: np.ndarray, centers: np.ndarray, labels: np.ndarray) -> float:
    """Return the sum of the squared distances of points to the centres of their labels.

    Parameters
    ----------
    x : array, (N, D)
    centers : array, (K, D)
    labels : array of int, (N,)

    Examples
    --------
    >>> inertia_of(np.eye(2), np.zeros((1, 2)), np.zeros(2, int))
    2.0
    """
    total = 0.0
    for start in range(0, len(x), _ROWS):
        part = slice(start, start + _ROWS)
        away = x[part].astype(np.float64) - centers[labels[part]]
        total += float(np.einsum("nd,nd->", away, away))
    return total


_ROWS = 4096
"""Number of points whose differences are held at once."""


def means_of(x: np.ndarray, labels: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Return the mean of the points of each label, (K, D).

    Parameters
    ----------
    x : array, (N, D)
    labels : array of int, (N,)
    empty : array, (K, D)
        The rows that labels without points get.

    Examples
    --------
    >>> means_of(np.array([[1.0], [3.0]]), np.array([0, 0]), np.full((2, 1), 9.0))
    array([[2.],
           [9.]])
    """
    sums, counts = np.zeros(empty.shape), np.bincount(labels, minlength=len(empty))
    np.add.at(sums, labels, x)
    means = sums / np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, means, empty)


def fast_landmarks(x: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return landmarks by fast transforms, as for Fast-Nys, (count, D).

    A block of landmarks is m + H diag(s - m), with the mean m of the points, a Hadamard
    matrix H of order D, filled up to a power of two, and a seed s. The products of a
    point with a block take one fast transform. Seeds are points drawn uniformly; Si,
    Hsieh and Dhillon (2016) learn theirs.

    Parameters
    ----------
    x : array, (N, D)
        The points.
    count, seed : int
    """
    from ...targets import hadamard

    features = x.shape[1]
    order = 1 << (features - 1).bit_length()
    signs = np.sign(hadamard(order))[:, :features]
    rng, mean = np.random.default_rng(seed), x.mean(axis=0, dtype=np.float64)
    seeds = x[rng.choice(len(x), -(-count // order), replace=False)] - mean
    landmarks = np.concatenate([signs * one for one in seeds])
    rows = np.sort(rng.choice(len(landmarks), count, replace=False))
    return (mean + landmarks[rows]).astype(x.dtype)


def size_of(model: Any) -> int:
    """Return the bytes of what a model reads to assign a point.

    Those of a product are its values and, of factors that are not dense, the places of
    these, in 32 bits each.
    """
    if hasattr(model, "n_bytes"):
        return int(model.n_bytes)
    operator = getattr(model, "centers_operator_", None)
    if operator is None or not getattr(model, "factored_", True):
        return int(model.cluster_centers_.nbytes)
    return functools.reduce(
        lambda total, one: total + min(_sparse_bytes(one), _dense_bytes(one)),
        operator.factors,
        0,
    )


def _sparse_bytes(factor):
    """Return the bytes of a factor in compressed rows, with 32 bits for each place."""
    return factor.nnz * (factor.dtype.itemsize + 4) + 4 * (factor.shape[0] + 1)


def _dense_bytes(factor):
    """Return the bytes of all entries of a factor."""
    return math.prod(factor.shape) * factor.dtype.itemsize
